"""A process with a Ray cluster of three nodes that loses one: GRID.toml FOLDER. Prints JSON.

A process of its own, so that Ray's threads and warnings end with it.
"""

import json
import signal
import sys
import threading
import time
from pathlib import Path

import ray
from facecloak_train.grid.ray_engine import RayEngine
from ray.cluster_utils import Cluster

from tests.training import grid_driver

MEMORY = 80_000_000


def jobs_below(pid):
    """The processes of stubs that descend from a process."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            parents[int(path.name)] = int(fields[1]), (path / "cmdline").read_bytes()
        except OSError:
            continue
    found = []
    for one, (parent, line) in parents.items():
        above = parent
        while above in parents and above != pid:
            above = parents[above][0]
        if above == pid and b"grid_stub.py" in line:
            found.append(one)
    return found


def main():
    grid, root = Path(sys.argv[1]), Path(sys.argv[2])
    node = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    noticed = {"health_check_period_ms": 500, "health_check_failure_threshold": 5}
    head = node | {"_system_config": noticed | {"health_check_initial_delay_ms": 0}}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    others = [cluster.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    cluster.wait_for_nodes()
    told = {"nodes": [], "running": 0, "before": 0}
    counts = {}
    over = threading.Event()

    def alive():
        return sum(one["Alive"] for one in ray.nodes())

    def lose_a_node():
        victim = others[0]
        pid = victim.all_processes["raylet"][0].process.pid
        deadline_s = time.monotonic() + 100
        while not (running := jobs_below(pid)) and time.monotonic() < deadline_s:
            over.wait(0.05)
        told["nodes"].append(alive())
        told["running"], told["before"] = len(running), counts.get("done", 0)
        cluster.remove_node(victim, allow_graceful=False)
        while (left := alive()) > 2 and time.monotonic() < deadline_s:
            over.wait(0.1)
        told["nodes"].append(left)

    engine = RayEngine(cluster.address)
    killer = threading.Thread(target=lose_a_node)
    killer.start()
    told["counts"] = grid_driver.run(grid, root, engine, progress=counts.update)
    killer.join()
    cluster.shutdown()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    signal.alarm(270)
    main()
