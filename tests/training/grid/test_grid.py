"""Grids as they run: what is done stays done."""

import csv
import importlib.util
import json
import logging
import time
from collections import Counter
from pathlib import Path

import pytest
from facecloak_train.cli import main
from facecloak_train.grid import identity
from facecloak_train.grid.export import export
from facecloak_train.grid.local_engine import LocalEngine
from facecloak_train.grid.progress import Bar, tally
from facecloak_train.grid.results import Count
from facecloak_train.grid.store import Store

from facecloak.core.errors import ConfigError
from tests.training import grid_driver
from tests.training.grid_driver import GRID, figures, started, starts

warns = pytest.mark.warns_in_log  # each retry


def test_what_is_done_never_runs_again_and_a_grid_that_grows_runs_what_is_new(grid, root):
    assert grid_driver.run(grid(1, 2), root) == {"done": 6}
    assert len(starts()) == 6
    before = figures(root)
    assert grid_driver.run(grid(1, 2), root) == {"done": 6}
    assert len(starts()) == 6
    assert grid_driver.run(grid(1, 2, 3), root) == {"done": 9}
    assert len(starts()) == 9
    assert before.items() < figures(root).items()


def test_another_grid_of_the_folder_takes_over_what_they_have_in_common(grid, root):
    grid_driver.run(grid(1, 2), root)
    assert grid_driver.run(grid(2, 3, name="other"), root) == {"done": 6}
    assert len(starts()) == 9
    with Store(root) as store:
        assert store.grids() == ["grid", "other"]
        assert len([*store.results("grid")]) == len([*store.results("other")]) == 6
        assert len([*store.results()]) == 9


def test_results_of_code_that_was_edited_since_are_left_out(grid, root, monkeypatch):
    grid_driver.run(grid(1, 2), root)
    monkeypatch.setattr(grid_driver, "code_version", lambda: "edited")
    monkeypatch.setattr(identity, "code_version", lambda: "edited")
    grid_driver.run(grid(1), root)
    with Store(root) as store:
        assert len([*store.results()]) == len([*store.results("grid")]) == 3


def test_the_benchmark_of_grids_runs():
    """It is no part of the package, and uses the same things."""
    path = Path(__file__).parents[3] / "benchmarks" / "grid.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_grids", path)
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    assert benchmark.seconds_of(LocalEngine(1), 2, benchmark.EMPTY) > 0


def test_results_say_where_they_stand_and_what_was_reported(grid, root):
    grid_driver.run(grid(1), root)
    with Store(root) as store:
        fit, *rest = store.results("grid")
    assert (fit.command, fit.labels) == ("fit", {"seed": 1})
    assert fit.reports["metrics.jsonl"][0] == {"epoch": 2, "public": 0.5}
    assert (fit.folder / "run" / "best.safetensors").is_file()
    assert fit.seconds > 0
    assert [one.labels for one in rest] == [{"eps": 2, "fit.seed": 1}, {"eps": 4, "fit.seed": 1}]
    assert rest[1].reports["robustness.json"]["rows"][0]["eps"] == 4


@pytest.mark.slow
def test_two_grids_at_once_run_no_job_twice(grid, root, tmp_path):
    first, second = grid(*range(8)), grid(*range(4, 12), name="other")
    for seed in range(12):
        Path(f"fit-{seed}").write_text("sleep 0.2")
    drivers = [started(path, root) for path in (first, second, first)]
    for driver in drivers:
        said, _ = driver.communicate(timeout=120)
        assert json.loads(said) == {"done": 24}
    ran = Counter(line.rsplit(maxsplit=1)[0] for line in starts())
    assert len(ran) == 36
    assert set(ran.values()) == {1}
    assert len(figures(root)) == 36


@pytest.mark.slow
def test_a_finished_grid_of_ten_thousand_jobs_goes_on_in_seconds(root, tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(GRID.replace("SEEDS", str([*range(2000)])).replace("[2, 4]", "[1, 2, 4, 8]"))
    jobs = grid_driver.jobs_of(path, root)
    assert len(jobs) == 10_000
    with Store(root) as store:
        store.register("grid", jobs.values())
        store._base.execute("UPDATE jobs SET state = 'done', result = '{}'")
    began_s = time.process_time()  # whatever else the machine does
    assert grid_driver.run(path, root) == {"done": 10_000}
    assert time.process_time() - began_s < 8
    assert not starts()


def test_a_job_is_claimed_once_until_its_lease_runs_out(grid, root):
    jobs = grid_driver.jobs_of(grid(1), root)
    one = next(iter(jobs))
    with Store(root) as store, Store(root) as other:
        store.register("grid", jobs.values())
        assert store.claim(one, "a", 60) == 1
        assert other.claim(one, "b", 60) == 0
        assert other.states(jobs)[one] == "running"
        store.renew("a", -1)
        assert other.states(jobs)[one] == "waiting"
        assert other.claim(one, "b", 60) == 2
        result = {"reports": {}, "seconds": 1.0}
        assert not store.finish(one, "a", "here", result)
        assert not store.fail(one, "a", "here", "why", again=True)
        assert other.finish(one, "b", "there", result)
        assert store.states(jobs)[one] == "done"
        assert store.claim(one, "a", 60) == 0


def test_status_and_export_from_another_terminal(grid, root, capsys, caplog):
    caplog.set_level(logging.INFO)
    grid_driver.run(grid(1, 2), root)
    assert main(["grid", "status", str(root)]) == 0
    assert "grid: 6 of 6 done" in caplog.text
    assert "robustness: 4 of 4 done" in caplog.text
    for name in ("all.json", "all.csv"):
        assert main(["grid", "export", str(root), name]) == 0
    told_of = json.loads(Path("all.json").read_text())
    with Path("all.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert len(rows) == len(told_of) == 6
    column = "reports.robustness.json.rows.0.accuracy"
    accuracies = {row["id"]: row[column] for row in rows if row["stage"] == "robustness"}
    for one in told_of:
        if one["stage"] == "robustness":
            accuracy = one["reports"]["robustness.json"]["rows"][0]["accuracy"]
            assert float(accuracies[one["id"]]) == accuracy


def test_export_knows_two_forms(grid, root):
    with pytest.raises(ConfigError, match=r"neither \.json nor \.csv"):
        export([], Path("all.xlsx"))


def test_the_time_that_is_left():
    done = Count(stage="fit", state="done", jobs=2, seconds=30.0)
    running = Count(stage="fit", state="running", jobs=2, seconds=0.0)
    waiting = Count(stage="fit", state="waiting", jobs=4, seconds=0.0)
    assert tally([done, running, waiting]).left_s == 90.0
    assert tally([running, waiting]).left_s is None
    assert tally([done, waiting]).left_s is None
    other = Count(stage="score", state="waiting", jobs=1, seconds=0.0)
    assert tally([done, running, other]).left_s is None


def test_the_bar_begins_where_the_grid_stands(capsys):
    with Bar("grid", 10) as bar:
        bar({"done": 6, "waiting": 4})
        bar({"done": 7, "running": 2, "failed": 1})
        assert bar._bar.n == 7
        assert bar._bar.initial == 6
    said = capsys.readouterr().err
    assert "running=2" in said
    assert "failed=1" in said


@pytest.mark.slow
def test_real_commands_from_end_to_end(tiny_faces, tmp_path):
    """``facecloak-train grid`` with its own program: train, score what was trained, collect."""
    path = tmp_path / "real.toml"
    path.write_text(f"""
[inputs]
data = "{tiny_faces}"
[[stage]]
name = "fit"
command = "fit"
options = {{ data = "{{data}}", net = "resnet14", epochs = 1, batch = 35, small-epochs = 0 }}
[[stage]]
name = "score"
command = "score"
options = {{ data = "{{data}}", weights = "{{fit.out}}/best.safetensors" }}
""")
    assert main(["grid", str(path), "--out", "real", "--cores", "1"]) == 0
    with Store(Path("real")) as store:
        fit, score = store.results()
    assert fit.reports["metrics.jsonl"][-1]["best_epoch"] == 1
    read_rightly = score.reports["score.json"]["rows"]["PrivateTest"]["accuracy"]
    assert read_rightly == fit.reports["metrics.jsonl"][-1]["private_ten_crop"]
