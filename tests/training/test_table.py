"""Tables from reports that are written by hand, as files and in the store of a grid."""

import json
import re
from pathlib import Path

import pytest
from facecloak_train.cli import main
from facecloak_train.grid.expand import Job
from facecloak_train.grid.store import Store
from facecloak_train.tables.fer2013 import SYSTEMS
from skimage.io import imread

from tests.fakes.reports import reports_in, robustness, rows, score, table


@pytest.fixture
def runs(tmp_path):
    return reports_in(tmp_path / "runs")


def test_published_and_measured_stand_side_by_side(runs, tmp_path):
    out = tmp_path / "out" / "fer2013.md"
    assert main(["table", "fer2013", "--runs", str(runs), "--out", str(out)]) == 0
    text = out.read_text()
    by_system = {cells[0]: cells for cells in rows(text) if len(cells) == 7}
    assert by_system["VGG19"][1:4] == [
        "69.00 % [71.50]",
        "**69.00 %** (67.0 - 71.0) [73.11]",
        "73.1",
    ]
    assert by_system["ResNet18"][1] == "not scored [71.19]"
    assert by_system["zebra"][2] == "**50.00 %** (48.0 - 52.0)"
    attacked = [cells for cells in rows(text) if len(cells) == 6 and cells[0] == "VGG19"]
    assert attacked[0][1:5] == [
        "70.0 % of 50",
        "FGSM",
        "8: **30.0 %**, 76.5: **20.0 %**",
        "21.12 %",
    ]
    assert attacked[1][2:] == ["PGD-20", "8: **10.0 %**", "", ""]
    assert text.count("facecloak-train score --weights x") == 1  # of both
    assert imread(out.with_suffix(".png")).std() > 5
    published = [one.title for one in SYSTEMS.values() if one.private is not None]
    assert [*by_system][2:] == [*published, "zebra"]


@pytest.mark.parametrize("name", ["AutoAttack", "AutoAttack's parts"])
def test_each_attack_stands_beside_the_clean_reading_of_its_own_faces(tmp_path, name):
    for number, clean in enumerate((0.64, 0.68)):  # of two runs, such as seeds
        told = robustness()
        told["rows"] += [
            {"attack": "none, AutoAttack's faces", "eps": 0.0, "accuracy": clean, "faces": 25},
            {"attack": name, "eps": 8.0, "accuracy": 0.24, "faces": 25},
        ]
        (tmp_path / str(number) / "vgg19").mkdir(parents=True)
        (tmp_path / str(number) / "vgg19" / "robustness.json").write_text(json.dumps(told))
    one = table("fer2013", tmp_path / "one.md", tmp_path / "0")
    both = table("fer2013", tmp_path / "both.md", tmp_path)
    beside = {}
    for text in (one, both):
        for cells in rows(text):
            if len(cells) == 6 and cells[0] == "VGG19":
                beside.setdefault(cells[2], []).append((cells[1], cells[3]))
    assert beside["PGD-20"][0] == ("70.0 % of 50", "8: **10.0 %**")
    assert beside["AutoAttack's parts"] == [
        ("64.0 % of 25", "8: **24.0 %**"),
        ("66.0 % (2 runs, 64.0 - 68.0) of 25", "8: **24.0 % (2 runs, 24.0 - 24.0)**"),
    ]
    assert "AutoAttack" not in beside
    assert "APGD-CE, APGD-DLR and Square" in one


def test_the_command_of_the_weights_stands_below_that_of_their_score(runs, tmp_path):
    path = runs / "zebra" / "score.json"
    told = json.loads(path.read_text())
    told |= {"command": "facecloak-train score", "fit_command": "facecloak-train fit --net zebra"}
    path.write_text(json.dumps(told))
    text = table("fer2013", tmp_path / "fer2013.md", runs)
    below = "- `facecloak-train score`\n  - its weights by `facecloak-train fit --net zebra`\n"
    assert below in text
    assert text.count("its weights by") == 1  # the others do not tell


def test_rows_are_found_by_their_names_in_whichever_order_they_stand(tmp_path):
    """A grid that took a job over from its folder once told rows by their names' order."""
    told = score(0.7)
    for number, name in enumerate(told["rows"]):
        told["rows"][name] = told["rows"][name] | {"accuracy": 0.6 + number / 10}
    texts = []
    for folder, ordered in (("as-written", False), ("sorted", True)):
        (tmp_path / folder / "vgg19").mkdir(parents=True)
        text = json.dumps(told, sort_keys=ordered)
        (tmp_path / folder / "vgg19" / "score.json").write_text(text)
        texts.append(table("fer2013", tmp_path / f"{folder}.md", tmp_path / folder))
    assert texts[0] == texts[1]
    (cells,) = (cells for cells in rows(texts[0]) if cells[0] == "VGG19")
    assert cells[1].startswith("60.00 %")
    assert cells[2].startswith("**70.00 %**")
    assert cells[4:6] == ["80.00 % of 100", "90.00 %"]


@pytest.mark.warns_in_log
@pytest.mark.parametrize(("broken", "reason"), [(False, "holds no report"), (True, "is no report")])
def test_a_folder_without_reports_and_a_broken_one_are_named(tmp_path, caplog, broken, reason):
    if broken:
        (tmp_path / "vgg19").mkdir()
        (tmp_path / "vgg19" / "score.json").write_text("{")
    out = tmp_path / "x.md"
    assert main(["table", "fer2013", "--runs", str(tmp_path), "--out", str(out)]) == 4
    assert reason in caplog.text
    assert not out.exists()


def compare(victim, eps):
    """Of three networks the victim is fooled by as many percent as the budget has levels."""
    rates = {"vgg19": 0.2, "resnet14": 0.1, "convnext": 0.3} | {victim: eps / 100}
    return {
        "command": f"facecloak-train compare --victim {victim}",
        "victim": victim,
        "faces": 300,
        "training_faces": 500,
        "rows": [
            {"perturbation": "spgd", "eps": eps, "network": name, "fooling_rate": rate}
            for name, rate in rates.items()
        ],
    }


def clip_attack(net, eps, uar):
    row = dict.fromkeys(("fooling_rate", "low", "high", "mean_fooling_rate", "sink_share"), 0.5)
    row |= {"subjects": 9}
    row |= {"net": net, "method": "FaceCloak, beating", "uar": uar, "uar_interval": [uar, uar]}
    row |= {"clean_uar": 0.7, "clean_bits": 0.6, "bits": 0.1}
    return {
        "command": f"facecloak-train attack-clips --eps {eps}",
        "eps": eps,
        "period_s": 0.8,
        "folds": 6,
        "offsets": 8,
        "classes": ["a", "b", "c"],
        "rows": [row],
    }


def reading(net, accuracy, subjects=8, wide=0.1):
    ends = [accuracy - wide, accuracy + wide]
    figures = dict.fromkeys(("accuracy", "uf1", "uar"), accuracy)
    return {
        "command": f"facecloak-train fit-clips --net {net}",
        "net": net,
        "protocol": "loso",
        "clips": 36,
        "subjects": subjects,
        "classes": ["a", "b", "c"],
        "reading": figures | {"intervals": dict.fromkeys(figures, ends)},
    }


JOBS = [
    ("score", {"system": "vgg19"}, score(0.71)),
    ("score", {"fit.system": "resnet14", "fit.hardening": "none", "fit.seed": 1}, score(0.70)),
    ("score", {"fit.system": "resnet14", "fit.hardening": "none", "fit.seed": 2}, score(0.72)),
    ("score", {"fit.system": "vgg19", "fit.hardening": "fgsm"}, score(0.66)),
    ("robustness", {"score.system": "vgg19"}, robustness()),
    ("compare", {"system": "vgg19", "eps": 4}, compare("vgg19", 4)),
    ("compare", {"system": "vgg19", "eps": 8}, compare("vgg19", 8)),
    ("compare", {"system": "resnet14", "eps": 8}, compare("resnet14", 8)),
    ("fit-clips", {"system": "stcnn", "clips.dataset": "casme2"}, reading("stcnn", 0.6)),
    ("attack-clips", {"eps": 8, "fit-clips.system": "stcnn"}, clip_attack("stcnn", 8.0, 0.4)),
    ("attack-clips", {"eps": 2, "fit-clips.system": "stcnn"}, clip_attack("stcnn", 2.0, 0.6)),
    ("attack-clips", {"eps": 2, "fit-clips.system": "stcnn"}, clip_attack("stcnn", 2.0, 0.5)),
    ("fit", {"seed": 1}, [{"epoch": 1}, {"public": 0.5}]),
    ("fit-clips", {"system": "stcnn", "protocol": "all"}, None),  # which tests on nobody
]


@pytest.fixture
def grid_folder(tmp_path):
    """The folder of a grid whose jobs are done."""
    jobs = [
        Job(
            id=f"{place:064x}",
            stage=command,
            command=command,
            arguments=(),
            labels=labels,
            folder=f"jobs/{place}",
            reports=("x.json",),
            needs=(),
            threads=1,
            processes=1,
            nodes=1,
            gpus=0,
        )
        for place, (command, labels, _) in enumerate(JOBS)
    ]
    with Store(tmp_path / "grid") as store:
        store.register("grid", jobs)
        for job, (_, _, report) in zip(jobs, JOBS, strict=True):
            store.claim(job.id, "me", 60.0)
            reports = {} if report is None else {"x.json": report}
            store.finish(job.id, "me", "here", {"reports": reports, "seconds": 1.0})
    return tmp_path / "grid"


@pytest.fixture(params=["store", "export"])
def source(request, grid_folder, tmp_path):
    """A grid's folder, and the same as it is exported."""
    if request.param == "store":
        return grid_folder
    out = tmp_path / "export.json"
    assert main(["grid", "export", str(grid_folder), str(out)]) == 0
    return out


def test_a_grid_fills_the_table_and_files_what_it_lacks(source, runs, tmp_path):
    text = table("fer2013", tmp_path / "fer2013.md", source, runs)
    by_system = {cells[0]: cells for cells in rows(text) if len(cells) == 7}
    assert by_system["VGG19"][2].startswith("**71.00 %**")  # the grid's, not the file's 69
    assert by_system["zebra"][2].startswith("**50.00 %**")
    assert by_system["VGG19, FGSM-trained"][2].startswith("**66.00 %**")
    assert by_system["ResNet14, without a teacher"][2] == "**71.00 % (2 runs, 70.00 - 72.00)**"


def test_universal_perturbations_stand_by_method_budget_and_victim(source, tmp_path):
    text = table("universal", tmp_path / "universal.md", source)
    head, _, *found = rows(text)
    assert head == ["perturbation", "eps", "against VGG19", "against ResNet14", "unseen, mean"]
    assert found == [
        ["spgd", "4", "**4.0 %** (20.0)", "", "20.0 %"],  # the mean of 10 and 30
        ["spgd", "8", "**8.0 %** (20.0)", "**8.0 %** (25.0)", "22.5 %"],
    ]
    assert imread(tmp_path / "universal.png").std() > 5


def test_clips_stand_by_set_and_attacks_by_rising_budget(source, tmp_path):
    text = table("micro", tmp_path / "micro.md", source)
    assert "| CASME II | MicroExpSTCNN | loso | 36, 8, 3 | **60.0 %** (50.0 - 70.0) |" in text
    assert "0.600 (0.500 - 0.700)" in text
    assert "**50.0 %** (50.0 - 50.0)" in text
    attacked = [cells[1] for cells in rows(text) if cells[2:3] == ["FaceCloak, beating"]]
    assert attacked == ["2", "8"]
    assert "0.70 to **0.55** (0.55 - 0.55)" in text  # the mean of two runs
    assert "against each classifier alone" in text


def clips_read(tmp_path, subjects, wide):
    """The table and the picture of one classifier and one attack on it."""
    place = tmp_path / f"{subjects}-{wide}"
    (place / "smic" / "stcnn").mkdir(parents=True)
    content = reading("stcnn", 0.6, subjects, wide)
    (place / "smic" / "stcnn" / "score.json").write_text(json.dumps(content))
    attack = clip_attack("stcnn", 8.0, 0.4)
    attack["rows"][0] |= {"subjects": subjects, "low": 0.5 - wide, "high": 0.5 + wide}
    (place / "smic" / "attack.json").write_text(json.dumps(attack))
    text = table("micro", place / "micro.md", place)
    return text, (place / "micro.png").read_bytes()


def test_intervals_over_few_people_are_not_told(tmp_path):
    text, few = clips_read(tmp_path, 7, 0.1)
    (cells,) = (cells for cells in rows(text) if cells[:2] == ["SMIC", "MicroExpSTCNN"])
    assert cells[3:7] == ["36, 7, 3", "**60.0 %**", "0.600", "0.600"]
    (cells,) = (cells for cells in rows(text) if cells[2:3] == ["FaceCloak, beating"])
    assert (cells[3], cells[5]) == ("**50.0 %**", "0.70 to **0.40**")
    text, many = clips_read(tmp_path, 8, 0.1)
    assert "**60.0 %** (50.0 - 70.0)" in text
    assert "**50.0 %** (40.0 - 60.0)" in text
    assert "0.70 to **0.40** (0.40 - 0.40)" in text
    assert few == clips_read(tmp_path, 7, 0.2)[1]  # no interval is drawn
    assert many != clips_read(tmp_path, 8, 0.2)[1]


PAGE = """# Results

What people wrote stays.

<!-- table universal -->
an old table
<!-- end of table -->

In between.

<!-- table fer2013 -->
<!-- end of table -->
The end.
"""


def test_a_page_gets_its_tables_and_keeps_the_rest(source, tmp_path):
    page = tmp_path / "results.md"
    page.write_text(PAGE)
    for _ in range(2):  # the second time finds what the first wrote
        text = table("results", page, source)
        assert "an old table" not in text
        assert text.count("against VGG19") == 1
        assert text.index("stays.") < text.index("| spgd |") < text.index("In between.")
        assert text.index("In between.") < text.index("| VGG19 |") < text.index("The end.")
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert written == {"universal.md", "universal.png", "fer2013.md", "fer2013.png"}
    assert "facecloak-train compare" in (tmp_path / "results/universal.md").read_text()


@pytest.mark.warns_in_log
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read"),
        ("# Results\n", "asks for no table"),
        (PAGE.replace("universal", "zebra"), "asks for zebra"),
        (PAGE.replace("universal", "micro"), "no report for the table micro"),
        (PAGE.replace("<!-- end of table -->", "", 1), "has no end"),
    ],
)
def test_a_page_that_cannot_be_filled_stays_as_it_is(runs, tmp_path, caplog, text, reason):
    page = tmp_path / "results.md"
    if text is not None:
        page.write_text(text)
    assert main(["table", "results", "--runs", str(runs), "--out", str(page)]) == 4
    assert reason in caplog.text
    assert (page.read_text() if page.exists() else None) == text
    assert not (tmp_path / "results").exists()


@pytest.mark.warns_in_log
@pytest.mark.parametrize("text", ["[]", "{", '[{"command": "score"}]', '{"a": 1}'])
def test_a_file_that_is_no_export_is_one_sentence(tmp_path, caplog, text):
    source = tmp_path / "export.json"
    source.write_text(text)
    out = str(tmp_path / "x.md")
    assert main(["table", "fer2013", "--runs", str(source), "--out", out]) == 4
    assert str(source) in caplog.text
    assert "Traceback" not in caplog.text


def test_the_page_of_the_repository_has_every_table_and_what_it_links_to():
    docs = Path(__file__).parents[2] / "docs"
    page = (docs / "results.md").read_text()
    for name in ("fer2013", "universal", "micro"):
        block = page.split(f"<!-- table {name} -->")[1].split("<!-- end of table -->")[0]
        assert block.count("\n| ") > 5
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", page)}
    assert [one for one in linked if one and ":" not in one and not (docs / one).exists()] == []
