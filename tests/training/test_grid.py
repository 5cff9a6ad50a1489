"""Grids as they run: what is done stays done, and no fault makes a half result count."""

import csv
import errno
import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from facecloak_train.cli import main
from facecloak_train.grid import files
from facecloak_train.grid.export import export
from facecloak_train.grid.progress import Bar, tally, told
from facecloak_train.grid.results import Count
from facecloak_train.grid.store import Store
from facecloak_train.grid.work import RESULT

from facecloak.core.errors import ArtifactError, ConfigError
from tests.training import grid_driver
from tests.training.grid_driver import alive, wait_for

warns = pytest.mark.warns_in_log  # each retry

GRID = """
[[stage]]
name = "fit"
command = "fit"
options = { data = "data.npz" }
axes = { seed = SEEDS }

[[stage]]
name = "robustness"
command = "robustness"
options = { data = "data.npz", weights = "{fit.out}/best.safetensors", seed = "{fit.seed}" }
axes = { eps = [2, 4] }
"""


@pytest.fixture(autouse=True)
def stub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRID_STUB", str(tmp_path))
    Path("data.npz").write_text("faces")
    Path("starts.txt").touch()


@pytest.fixture
def grid(tmp_path):
    def make(*seeds, name="grid"):
        path = tmp_path / f"{name}.toml"
        path.write_text(GRID.replace("SEEDS", str([*seeds])))
        return path

    return make


@pytest.fixture
def root(tmp_path):
    return tmp_path / "out"


def starts(command=""):
    return [line for line in Path("starts.txt").read_text().splitlines() if command in line]


def figures(root):
    """The finished table: what each job yielded, by where it stands."""
    with Store(root) as store:
        return {
            (one.stage, *sorted(map(str, one.labels.items()))): one.reports
            for one in store.results()
        }


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


@warns
@pytest.mark.parametrize("fault", ["kill", "error", "full", "half", "cached"])
def test_a_job_that_fails_once_is_tried_again(grid, root, fault, caplog):
    """Killed in the middle, an error, a full disk, half a report, a cache file that is broken."""
    grid_driver.run(grid(1, 2), Path("clean").absolute())
    Path("fit-1").write_text(fault)
    before = len(starts())
    assert grid_driver.run(grid(1, 2), root) == {"done": 6}
    assert figures(root) == figures(Path("clean"))
    again = {"cached": 2}.get(fault, 1)  # the second try goes on with the broken file
    assert len(starts()) - before == 6 + again
    said = {
        "kill": "SIGKILL",
        "error": "exit code 1: facecloak-train fit: the data",
        "full": "space",
    }
    said |= {"half": "metrics.jsonl is missing or not whole", "cached": "cache is broken"}
    assert said[fault] in caplog.text


@warns
def test_a_job_that_always_fails_is_reported_and_holds_up_only_what_needs_it(grid, root):
    Path("fit-1").write_text("always kill")
    assert grid_driver.run(grid(1, 2), root, attempts=2) == {"done": 3, "failed": 1, "waiting": 2}
    assert len(starts()) == 5
    with Store(root) as store:
        ((folder, error),) = store.failures("grid")
        assert error == "killed by SIGKILL"
        assert (root / folder / "log.txt").is_file()
        assert "1 failed" in told(store, "grid")
        assert "killed by SIGKILL" in told(store, "grid")
    Path("fit-1").unlink()
    assert grid_driver.run(grid(1, 2), root) == {"done": 6}
    assert len(starts()) == 8


@warns
def test_a_disk_that_is_full_when_the_result_is_written(grid, root, monkeypatch, caplog):
    write, refused = files.write_durably, []

    def full_once(path, content):
        if path.name == RESULT and not refused:
            refused.append(path)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(files, "write_durably", full_once)
    assert grid_driver.run(grid(1), root) == {"done": 3}
    assert "No space left on device" in caplog.text
    assert len(starts()) == 4


def test_a_store_without_room_ends_the_grid_and_loses_nothing(grid, root, monkeypatch):
    """Finished jobs are in their folders, whatever happens to the store."""
    finish = Store.finish

    def full(self, *args):
        self._base.execute(f"PRAGMA max_page_count = {1}")
        large = {"reports": {"x": "y" * 1_000_000}, "seconds": 0.0}
        return finish(self, *args[:-1], large)

    monkeypatch.setattr(Store, "finish", full)
    with pytest.raises(ArtifactError, match=r"full\. Make room"):
        grid_driver.run(grid(1, 2), root)
    monkeypatch.undo()
    os.chdir(root.parent)
    os.environ["GRID_STUB"] = str(root.parent)
    before = len(starts("fit"))
    assert grid_driver.run(grid(1, 2), root) == {"done": 6}
    del os.environ["GRID_STUB"]
    assert len(starts("fit")) <= before + 1  # what had ended was taken over


def test_a_store_that_is_lost_is_made_again_from_the_folders(grid, root):
    grid_driver.run(grid(1, 2), root)
    before = figures(root)
    for path in root.glob("grid.sqlite*"):
        path.unlink()
    (root / "grid.sqlite").write_text("no store at all" * 100)
    with pytest.raises(ArtifactError, match=r"move the file away\. Finished jobs are taken over"):
        Store(root)
    (root / "grid.sqlite").unlink()
    assert grid_driver.run(grid(1, 2), root) == {"done": 6}
    assert len(starts()) == 6
    assert figures(root) == before


@warns
@pytest.mark.parametrize("damage", ["result", "weights", "none"])
def test_what_does_not_agree_with_its_digest_is_made_again(grid, root, damage):
    grid_driver.run(grid(1), root)
    before = figures(root)
    (fit,) = root.glob("jobs/fit-*")
    if damage == "result":
        (root / "grid.sqlite").unlink()
        sealed = json.loads((fit / RESULT).read_text())
        sealed["result"]["reports"]["metrics.jsonl"][0]["public"] = 0.99
        (fit / RESULT).write_text(json.dumps(sealed))
    elif damage == "weights":
        (root / "grid.sqlite").unlink()
        (fit / "run" / "best.safetensors").write_text("flipped bits")
    assert grid_driver.run(grid(1), root) == {"done": 3}
    assert len(starts("fit")) == (1 if damage == "none" else 2)
    assert figures(root) == before


@warns
def test_weights_that_were_lost_are_made_again_for_who_needs_them(grid, root, caplog):
    """The fit is done, its weights are gone, and the grid grows by a job that reads them."""
    path = grid(1)
    grid_driver.run(path, root)
    before = figures(root)
    (fit,) = root.glob("jobs/fit-*")
    (fit / "run" / "best.safetensors").unlink()
    path.write_text(path.read_text().replace("[2, 4]", "[2, 4, 8]"))
    assert grid_driver.run(path, root) == {"done": 4}
    assert "missing or changed; that job is run again" in caplog.text
    assert (len(starts("fit")), len(starts("robustness"))) == (2, 3)
    assert before.items() < figures(root).items()


@pytest.mark.slow
def test_two_grids_at_once_run_no_job_twice(grid, root, tmp_path):
    first, second = grid(*range(8)), grid(*range(4, 12), name="other")
    for seed in range(12):
        Path(f"fit-{seed}").write_text("sleep 0.2")
    drivers = [_driver(path, root) for path in (first, second, first)]
    for driver in drivers:
        said, _ = driver.communicate(timeout=120)
        assert json.loads(said) == {"done": 24}
    ran = Counter(line.rsplit(maxsplit=1)[0] for line in starts())
    assert len(ran) == 36
    assert set(ran.values()) == {1}
    assert len(figures(root)) == 36


@pytest.mark.slow
def test_a_grid_that_is_killed_takes_its_jobs_with_it_and_another_takes_over(grid, root):
    """SIGKILL of the process that drives: the leash ends its jobs, its lease runs out."""
    path = grid(1, 2)
    Path("fit-1").write_text("sleep 600")
    driver = _driver(path, root, "2")
    wait_for(lambda: starts("fit vgg19 1"))
    pid = int(starts("fit vgg19 1")[0].split()[-1])
    wait_for(lambda: not Path("fit-1").exists())
    assert alive(pid)
    driver.kill()
    driver.communicate()
    wait_for(lambda: not alive(pid))
    with Store(root) as store:
        assert "running" in {one.state for one in store.counts("grid")}
    assert grid_driver.run(path, root) == {"done": 6}
    assert len(starts("fit vgg19 1")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_jobs_and_gives_them_back(grid, root, number):
    path = grid(1, 2, 3)
    for seed in (2, 3):
        Path(f"fit-{seed}").write_text("sleep 600")
    driver = _driver(path, root)
    wait_for(lambda: {line.split()[2] for line in starts("fit")} == {"1", "2", "3"})
    wait_for(lambda: not Path("fit-2").exists() and not Path("fit-3").exists())
    pids = [int(line.split()[-1]) for line in starts("fit")]
    began_s = time.monotonic()
    driver.send_signal(number)
    driver.communicate(timeout=30)
    assert time.monotonic() - began_s < 15
    assert driver.returncode == 130
    assert not any(alive(pid) for pid in pids)
    with Store(root) as store:
        states = Counter(store.states(grid_driver.jobs_of(path, root)).values())
        assert states["running"] == states["failed"] == 0
        rows = store._base.execute("SELECT attempts, owner FROM jobs WHERE state = 'waiting'")
        assert set(rows.fetchall()) == {(0, None)}
    ran = len(starts())
    assert grid_driver.run(path, root) == {"done": 9}
    assert len(starts()) == ran + 9 - states["done"]


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


def test_nothing_is_done_without_a_result(grid, root):
    jobs = grid_driver.jobs_of(grid(1), root)
    with Store(root) as store:
        store.register("grid", jobs.values())
        with pytest.raises(sqlite3.IntegrityError):
            store._base.execute("UPDATE jobs SET state = 'done'")
        with pytest.raises(sqlite3.IntegrityError):
            store._base.execute("UPDATE jobs SET state = 'perhaps'")


def test_a_store_of_another_version_is_refused(root):
    with Store(root) as store:
        store._base.execute("PRAGMA user_version = 9")
    with pytest.raises(ArtifactError, match="has format 9; this version reads 1"):
        Store(root)


@warns
def test_code_that_changed_meanwhile_makes_no_result(grid, root, monkeypatch):
    """An edit between the start of a grid and that of a job would give it a wrong identity."""
    versions = iter(["1", "1"])
    monkeypatch.setattr(grid_driver, "code_version", lambda: next(versions))
    assert grid_driver.run(grid(1), root) == {"failed": 1, "waiting": 2}
    assert not starts()
    with Store(root) as store:
        assert "not the version that the grid was started with" in told(store, "grid")


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


def _driver(*arguments):
    return subprocess.Popen(
        [sys.executable, grid_driver.__file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
