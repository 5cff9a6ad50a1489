"""Grids under faults: none makes a half result count, or loses a finished one."""

import errno
import json
import os
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from facecloak_train.grid import files
from facecloak_train.grid.progress import told
from facecloak_train.grid.store import Store
from facecloak_train.grid.work import RESULT

from facecloak.core.errors import ArtifactError
from tests.training import grid_driver
from tests.training.grid_driver import alive, figures, started, starts, wait_for

warns = pytest.mark.warns_in_log  # each retry


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


def test_what_is_taken_over_from_a_folder_stands_in_the_order_in_which_it_was_told(grid, root):
    grid_driver.run(grid(1), root)
    before = {where: json.dumps(told) for where, told in figures(root).items()}
    for path in root.glob("grid.sqlite*"):
        path.unlink()
    assert grid_driver.run(grid(1), root) == {"done": 3}
    assert len(starts()) == 3
    assert {where: json.dumps(told) for where, told in figures(root).items()} == before


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
def test_a_grid_that_is_killed_takes_its_jobs_with_it_and_another_takes_over(grid, root):
    """SIGKILL of the process that drives: the leash ends its jobs, its lease runs out."""
    path = grid(1, 2)
    Path("fit-1").write_text("sleep 600")
    driver = started(path, root, "2")
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
    driver = started(path, root)
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
