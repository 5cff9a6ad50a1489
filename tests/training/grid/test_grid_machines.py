"""Jobs that train on several machines and on GPUs of their own."""

import dataclasses
import itertools
import json
import os
import signal
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from facecloak_train import nets
from facecloak_train.grid import drive, local_engine, process
from facecloak_train.grid.identity import code_version
from facecloak_train.grid.local_engine import LocalEngine
from facecloak_train.grid.process import Stop
from facecloak_train.grid.store import Store
from facecloak_train.grid.work import Outcome, Work, assist

from tests.training import grid_driver, test_crew
from tests.training.grid_driver import jobs_of, wait_for

CREW = """
[[stage]]
name = "fit"
command = "fit"
options = { data = "data.npz", seed = 1 }
nodes = 2
processes = 2
"""

LENT = """
[[stage]]
name = "one"
command = "fit"
options = { data = "data.npz" }
axes = { seed = [1, 2, 3, 4] }
gpus = 1

[[stage]]
name = "two"
command = "fit"
options = { data = "data.npz", seed = 5 }
gpus = 2

[[stage]]
name = "any"
command = "fit"
options = { data = "data.npz", seed = 6 }
"""


def places():
    """What each start was told of its place."""
    return [json.loads(line) for line in Path("places.txt").read_text().splitlines()]


def written(text):
    path = Path("grid.toml")
    path.write_text(text)
    return path


@pytest.mark.slow
@pytest.mark.timeout(100)
def test_the_machines_of_a_job_are_one_crew_and_it_counts_once(root):
    assert grid_driver.run(written(CREW), root) == {"done": 1}
    told = places()
    assert {one["WORLD_SIZE"] for one in told} == {"4"}
    assert sorted(one["RANK"] for one in told) == ["0", "1", "2", "3"]
    assert sorted(one["GROUP_RANK"] for one in told) == ["0", "0", "1", "1"]
    assert not [*(root / "meetings").iterdir()]
    with Store(root) as store:
        (result,) = store.results()
    assert not any(name.startswith("log") for name in result.reports)


@pytest.mark.slow
@pytest.mark.timeout(100)
@pytest.mark.warns_in_log
def test_a_machine_that_is_lost_costs_an_attempt_and_nothing_else(root):
    Path("fit-1").write_text("sleep 600")

    def lose():
        def second():
            found = [
                int(path.parent.name)
                for path in Path("/proc").glob("[0-9]*/cmdline")
                if b"--node-rank\0001\0" in _read(path) and str(root).encode() in _read(path)
            ]
            return found if Path("places.txt").exists() and len(places()) == 4 else []

        os.kill(wait_for(second, 60)[0], signal.SIGKILL)

    killer = threading.Thread(target=lose)
    killer.start()
    assert grid_driver.run(written(CREW), root) == {"done": 1}
    killer.join()
    assert len(places()) == 8


def test_a_machine_that_will_not_stop_for_the_one_that_is_lost_is_killed(tmp_path, monkeypatch):
    """The first takes no notice of being asked to stop."""
    deaf = (
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "pathlib.Path('up').touch(); time.sleep(60)"
    )

    def perform(_work, stop):
        why = process.run([sys.executable, "-c", deaf], Path("log"), {}, stop)
        return Outcome(job="one", host="here", error=why)

    def assist(*_arguments):
        wait_for(Path("up").exists, 30)
        return "gone"

    monkeypatch.chdir(tmp_path)
    for name, value in (("perform", perform), ("assist", assist), ("STOPS_WITHIN_S", 0.2)):
        monkeypatch.setattr(local_engine, name, value)
    outcome = local_engine._together([None, None], Stop())
    assert outcome.error == "machine 1: gone; here: killed by SIGKILL"


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.slow
@pytest.mark.timeout(100)
@pytest.mark.warns_in_log
def test_why_a_crew_failed_is_told_by_the_command_and_not_by_torchrun(root):
    Path("fit-1").write_text("always error")
    assert grid_driver.run(written(CREW), root, attempts=1) == {"failed": 1}
    with Store(root) as store:
        ((_, why),) = store.failures("grid")
    assert "facecloak-train fit: the data is not what it should be" in why


@pytest.mark.slow
@pytest.mark.timeout(100)
def test_two_machines_learn_what_two_processes_learn(tiny_faces, tmp_path, monkeypatch):
    """The command itself, on real gradients: the same losses to the last bit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(nets.NETS, "tiny", nets.NETS["vgg19"])  # the script has the real one
    script = tmp_path / "fit.py"
    here = str(Path(test_crew.__file__).parent)
    script.write_text(textwrap.dedent(test_crew.SCRIPT.format(here=here)))
    losses = []
    for nodes, processes in ((1, 2), (2, 1)):
        grid = written(
            f"""
            [[stage]]
            name = "fit"
            command = "fit"
            options = {{ data = "{tiny_faces}", net = "tiny", epochs = 3, batch = 20 }}
            nodes = {nodes}
            processes = {processes}
            """
        )
        root = tmp_path / f"nodes{nodes}"
        terms = drive.Terms(
            root=root, base=tmp_path, code=code_version(), program=(sys.executable, str(script))
        )
        with Store(root) as store:
            counts = drive.drive(store, "grid", jobs_of(grid, root), LocalEngine(2), terms)
            assert counts == {"done": 1}
            (result,) = store.results()
        lines = (result.folder / "run" / "metrics.jsonl").read_text().splitlines()
        losses.append([json.loads(line).get("loss") for line in lines])
    assert len(losses[0]) == 4
    assert losses[0] == losses[1]


def test_a_gpu_is_lent_to_one_job_at_a_time(root, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "a,b")
    for seed in range(1, 6):
        Path(f"fit-{seed}").write_text("sleep 0.5")
    assert grid_driver.run(written(LENT), root, LocalEngine(8)) == {"done": 6}
    told = {one["seed"]: one for one in places()}
    seen = {seed: one["CUDA_VISIBLE_DEVICES"] for seed, one in told.items()}
    assert sorted(seen[seed] for seed in (1, 2, 3, 4)) == ["a", "a", "b", "b"]
    assert sorted(seen[5].split(",")) == ["a", "b"]
    assert seen[6] == "a,b"  # wants none to itself, and sees what the machine has
    holders = [sorted(told[s]["began"] for s in (1, 2, 3, 4, 5) if n in seen[s]) for n in "ab"]
    for times in holders:
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert len(gaps) == 2
        assert min(gaps) >= 0.5


def test_without_a_gpu_jobs_that_want_one_keep_all_cores_busy(root, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert LocalEngine().gpus() == 0
    for seed in range(1, 7):
        Path(f"fit-{seed}").write_text("sleep 1.5")
    peaks = []
    counts = grid_driver.run(
        written(LENT), root, LocalEngine(6), progress=lambda now: peaks.append(now["running"])
    )
    assert counts == {"done": 6}
    assert max(peaks) == 6


def test_jobs_that_want_no_gpu_pass_those_that_wait_for_one(root, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "a")
    grid = written(LENT.replace("[1, 2, 3, 4]", "[1, 2]").replace("gpus = 2", "gpus = 1"))
    for seed in (1, 2, 5):
        Path(f"fit-{seed}").write_text("sleep 1.5")
    assert grid_driver.run(grid, root, LocalEngine(8)) == {"done": 4}
    began = {one["seed"]: one["began"] for one in places()}
    assert began[6] < began[1] + 1.4  # beside the first that has the GPU
    assert began[2] >= began[1] + 1.5
    assert began[5] >= began[2] + 1.5


@pytest.mark.warns_in_log
def test_machines_that_would_share_a_gpu_are_refused(root, monkeypatch):
    """Two processes of one crew cannot have the same GPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "a")
    assert grid_driver.run(written(CREW + "gpus = 1\n"), root, attempts=1) == {"failed": 1}
    with Store(root) as store:
        ((_, why),) = store.failures("grid")
    assert "want 2 GPUs, and there are 1" in why
    assert not Path("places.txt").exists()


def test_a_machine_with_other_code_or_without_the_folder_does_not_take_part(root):
    (job,) = jobs_of(written(CREW), root).values()
    root.mkdir()
    work = Work(
        job=job, root=root, base=root, program=(), code="other", fresh=False, attempt="first"
    )
    assert "not the version that the grid was started with" in assist(work, 1)
    assert "does not see" in assist(dataclasses.replace(work, root=root / "gone"), 1)
