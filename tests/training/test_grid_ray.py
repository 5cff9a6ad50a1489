"""The same grid on a cluster of several nodes, one of which dies in the middle."""

import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from facecloak_train.grid.local_engine import LocalEngine
from facecloak_train.grid.ray_engine import ClusterError, RayEngine
from facecloak_train.grid.store import Store

from facecloak.core.errors import ConfigError
from tests.training import grid_driver
from tests.training.grid_driver import alive, wait_for

CLUSTER = Path(__file__).with_name("grid_cluster.py")
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: extra [scale]"
)

GRID = """
[[stage]]
name = "fit"
command = "fit"
options = { data = "data.npz" }
axes = { seed = [1, 2, 3, 4, 5, 6] }

[[stage]]
name = "robustness"
command = "robustness"
options = { data = "data.npz", weights = "{fit.out}/best.safetensors", seed = "{fit.seed}" }
"""
CREW = """
[[stage]]
name = "together"
command = "fit"
options = { data = "data.npz", seed = 7 }
nodes = 2
"""


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"not installed\. pip install 'facecloak\[scale\]'"):
        RayEngine()


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cluster_that_loses_a_node_makes_the_same_table(tmp_path, monkeypatch):
    """Three raylets; the one that runs a job is killed. Compared with this machine's own engine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRID_STUB", str(tmp_path))
    Path("data.npz").write_text("faces")
    grid = tmp_path / "grid.toml"
    grid.write_text(GRID + CREW)
    local, cluster = tmp_path / "local", tmp_path / "cluster"
    assert grid_driver.run(grid, local, LocalEngine(2)) == {"done": 13}
    ran_local = Path("starts.txt").read_text().count("\n")
    for seed in range(1, 7):
        Path(f"fit-{seed}").write_text("sleep 3")

    done = subprocess.run(
        [sys.executable, CLUSTER, grid, cluster],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["nodes"] == [3, 2]
    assert told["counts"] == {"done": 13}
    assert told["running"]  # the node had jobs when it died
    assert told["before"] < 13
    ran = Path("starts.txt").read_text().count("\n") - ran_local
    # What the node ran began again, and nothing else; or it was done before its worker knew that
    # the node is gone, and then its result counts.
    assert 14 <= ran <= 14 + told["running"] + 1

    def table(root):
        with Store(root) as store:
            return [(one.id, one.labels, one.reports) for one in store.results("grid")]

    # The job's own place is not part of its identity, so that both tables have the same names.
    assert table(cluster) == table(local)
    assert len(table(local)) == 13
    crew = [json.loads(line) for line in Path("places.txt").read_text().splitlines()][ran_local:]
    crew = [one for one in crew if one["WORLD_SIZE"] == "2"]
    assert {one["GROUP_RANK"] for one in crew} == {"0", "1"}
    assert len({one["RAY_RAYLET_PID"] for one in crew[-2:]}) == 2  # each on a node of its own


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ctrl_c_stops_the_tasks_and_gives_them_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRID_STUB", str(tmp_path))
    Path("data.npz").write_text("faces")
    Path("grid.toml").write_text(GRID)
    starts = Path("starts.txt")
    starts.touch()
    for seed in range(1, 7):
        Path(f"fit-{seed}").write_text("sleep 600")
    driver = subprocess.Popen(
        [
            sys.executable,
            grid_driver.__file__,
            tmp_path / "grid.toml",
            tmp_path / "out",
            "60",
            "ray",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: [*tmp_path.glob("fit-*.*")], 150)  # one took what it shall do
        driver.send_signal(signal.SIGINT)
        assert driver.wait(60) == 130
    finally:
        driver.kill()
        driver.wait()
    pids = [int(line.split()[-1]) for line in starts.read_text().splitlines()]
    wait_for(lambda: not any(alive(pid) for pid in pids))
    with Store(tmp_path / "out") as store:
        assert {(one.stage, one.state, one.jobs) for one in store.counts("grid")} == {
            ("fit", "waiting", 6),
            ("robustness", "waiting", 6),
        }


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_crew_that_no_cluster_here_can_hold_is_told_and_a_gpu_is_handed_out(tmp_path):
    script = """
import json, sys
from unittest.mock import Mock
import ray
from ray.cluster_utils import Cluster
from facecloak_train.grid.ray_engine import RayEngine
node = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node)
cluster.add_node(num_cpus=4, num_gpus=1, object_store_memory=80_000_000)
cluster.wait_for_nodes()
engine = RayEngine(cluster.address)
def room(nodes, cores, gpus):
    return engine._room(Mock(nodes=nodes, cores=cores, gpus=gpus))
told = [room(1, 8, 1), room(2, 1, 0), room(2, 4, 0), room(6, 1, 0), engine.gpus()]
engine.start(Mock(job=Mock(id="x", nodes=6, cores=1, gpus=0)))
print(json.dumps([*told, engine.next(5.0).error]))
engine.stop()
cluster.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    *rooms, gpus, refused = json.loads(done.stdout.splitlines()[-1])
    assert rooms == [[4, 1], [1, 0], [2, 0], None]
    assert gpus == 1
    assert "no room for 6 machines of 1 cores" in refused


def test_an_address_without_a_cluster_is_one_sentence():
    with pytest.raises(ClusterError, match=r"no Ray cluster at 127\.0\.0\.1:1: .* `ray start"):
        RayEngine("127.0.0.1:1")
    assert ClusterError.exit_code == 3
