"""Pictures of how trainings went, beside the table."""

import json

import pytest
from facecloak_train.cli import main
from facecloak_train.tables import learning
from skimage.io import imread

from tests.fakes.reports import reports_in, table


@pytest.fixture
def runs(tmp_path):
    return reports_in(tmp_path / "runs")


def epochs(*shares, **more):
    lines = [{"epoch": n, "loss": 1.0, "public": one} | more for n, one in enumerate(shares, 1)]
    return "".join(json.dumps(line) + "\n" for line in [*lines, {"best_epoch": 1}])


@pytest.fixture
def trainings(runs):
    """Copies of metrics and a run's own in the folder of the reports."""
    (runs / "vgg19-a.jsonl").write_text(epochs(0.5, 0.6, 0.65))
    (runs / "resnet14-b").mkdir()
    whole = epochs(0.4, 0.7)
    (runs / "resnet14-b" / "metrics.jsonl").write_text(whole + '{"epoch": 3, "pub')  # killed
    (runs / "resnet14-pgd.jsonl").write_text(epochs(0.3, 0.4, public_attacked=0.2))
    (runs / "resnet18-none.jsonl").write_text('{"best_epoch": 1}\n')
    (runs / "tailor.jsonl").write_text('{"step": 1}\n')
    return runs


def test_runs_are_found_by_the_names_of_architectures_that_have_a_bar(trainings, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "vgg19-a.jsonl").write_text(epochs(0.9))
    export = tmp_path / "export.json"
    export.write_text("[]")
    curves = learning.gather([export, trainings, other])
    assert curves == {
        "resnet14-b": [(1.0, 40.0), (2.0, 70.0)],
        "vgg19-a": [(1.0, 50.0), (2.0, 60.0), (3.0, 65.0)],
    }


def test_learning_is_drawn_beside_the_table_a_panel_for_each_architecture(
    trainings, tmp_path, monkeypatch
):
    out, drawn = tmp_path / "out" / "fer2013.md", []
    table("fer2013", out, trainings)
    assert imread(out.with_name("fer2013-curves.png")).std() > 5
    monkeypatch.setattr(learning.pictures, "learning", lambda _path, *told: drawn.append(told))
    table("fer2013", out, trainings)
    ((panels, _),) = drawn
    assert [(one.title, [*one.lines], [*one.bars.values()]) for one in panels] == [
        ("VGG19", ["vgg19-a"], [73.1]),
        ("ResNet14", ["resnet14-b"], [71.0]),
    ]


@pytest.mark.warns_in_log
@pytest.mark.parametrize("line", ["{", "3", '"epoch"'])
def test_metrics_that_cannot_be_read_are_named_and_the_page_stays(runs, tmp_path, caplog, line):
    (runs / "vgg19-a.jsonl").write_text(epochs(0.5) + line + "\n")
    page = tmp_path / "results.md"
    text = "<!-- table fer2013 -->\n<!-- end of table -->\n"
    page.write_text(text)
    assert main(["table", "results", "--runs", str(runs), "--out", str(page)]) == 4
    assert "vgg19-a.jsonl tells of no training" in caplog.text
    assert page.read_text() == text


def test_a_page_shows_how_trainings_went_where_it_is_known(runs, tmp_path, request):
    page = tmp_path / "results.md"
    page.write_text("# Results\n\n<!-- table fer2013 -->\n<!-- end of table -->\nThe end.\n")
    picture = "![fer2013-curves](results/fer2013-curves.png)"
    assert "fer2013-curves" not in table("results", page, runs)
    trainings = request.getfixturevalue("trainings")
    for _ in range(2):  # the second time finds what the first wrote
        text = table("results", page, trainings)
        assert text.count(picture) == text.count(learning.CAPTION) == 1
        assert text.index("![fer2013](") < text.index(learning.CAPTION) < text.index(picture)
        assert text.index(picture) < text.index("The end.")
    assert (tmp_path / "results" / "fer2013-curves.png").is_file()
