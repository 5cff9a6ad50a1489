"""The table of FER2013 from reports that are written by hand."""

import json

import pytest
from facecloak_train.cli import main
from facecloak_train.recipes.table_fer2013 import SYSTEMS
from skimage.io import imread


def score(accuracy):
    row = {"faces": 100, "accuracy": accuracy, "low": accuracy - 0.02, "high": accuracy + 0.02}
    names = ("PublicTest", "PrivateTest", "PrivateTest without repeats", "the same, FER+ majority")
    return {
        "command": "facecloak-train score --weights x",
        "rows": dict.fromkeys(names, row),
        "calibration_error": 0.0123,
    }


def robustness():
    rows = [("none", 0.0, 0.7), ("FGSM", 8.0, 0.3), ("FGSM", 76.5, 0.2), ("PGD-20", 8.0, 0.1)]
    return {
        "command": "facecloak-train robustness --weights y",
        "faces": 50,
        "rows": [{"attack": name, "eps": eps, "accuracy": left} for name, eps, left in rows],
    }


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    for name, file, content in (
        ("vgg19", "score.json", score(0.69)),
        ("vgg19", "robustness.json", robustness()),
        ("zebra", "score.json", score(0.5)),
    ):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / file).write_text(json.dumps(content))
    return folder


def rows(text):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]


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
    assert text.count("facecloak-train score") == 2
    assert imread(out.with_suffix(".png")).std() > 5
    titles = [*(system.title for system in SYSTEMS.values()), "zebra"]
    assert [name for name in by_system if name in titles] == titles


@pytest.mark.warns_in_log
@pytest.mark.parametrize(("broken", "reason"), [(False, "holds no folder"), (True, "is no report")])
def test_a_folder_without_reports_and_a_broken_one_are_named(tmp_path, caplog, broken, reason):
    if broken:
        (tmp_path / "vgg19").mkdir()
        (tmp_path / "vgg19" / "score.json").write_text("{")
    out = tmp_path / "x.md"
    assert main(["table", "fer2013", "--runs", str(tmp_path), "--out", str(out)]) == 4
    assert reason in caplog.text
    assert not out.exists()
