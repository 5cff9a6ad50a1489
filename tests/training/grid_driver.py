"""A process that drives a grid of stubs: GRID.toml FOLDER [LEASE_S [ray]]."""

import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from facecloak_train.commands import COMMANDS
from facecloak_train.grid import drive
from facecloak_train.grid.expand import expand
from facecloak_train.grid.identity import code_version
from facecloak_train.grid.local_engine import LocalEngine
from facecloak_train.grid.ray_engine import RayEngine
from facecloak_train.grid.reading import read
from facecloak_train.grid.run_grid import ends_as_interrupt
from facecloak_train.grid.store import Store

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

KINDS = {name: kind for name, (kind, _) in COMMANDS.items()}
STUB = (sys.executable, str(Path(__file__).with_name("grid_stub.py")))


def jobs_of(grid, root):
    return expand(read(grid, KINDS), root, code_version())


def run(grid, root, engine=None, attempts=3, progress=lambda _: None):
    """Drive a grid of stubs to its end; how many jobs are in which state."""
    jobs = jobs_of(grid, root)
    terms = drive.Terms(root=root, base=root, code=code_version(), program=STUB, attempts=attempts)
    with Store(root) as store:
        return drive.drive(store, grid.stem, jobs, engine or LocalEngine(2), terms, progress)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def wait_for(found, seconds=30.0):
    """What ``found`` returns once it is true."""
    deadline_s = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.02)  # noqa: TID251 - for another process
    return value


def starts(command=""):
    """What the stubs were started with."""
    return [line for line in Path("starts.txt").read_text().splitlines() if command in line]


def figures(root):
    """The finished table: what each job yielded, by where it stands."""
    with Store(root) as store:
        return {
            (one.stage, *sorted(map(str, one.labels.items()))): one.reports
            for one in store.results()
        }


def started(*arguments):
    """This module as a process of its own."""
    return subprocess.Popen(
        [sys.executable, __file__, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    if len(sys.argv) > 3:
        drive.LEASE_S = float(sys.argv[3])
    chosen = RayEngine(cores=2) if "ray" in sys.argv else LocalEngine(2)
    try:
        with ends_as_interrupt():
            sys.stdout.write(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), chosen)))
    except KeyboardInterrupt:
        sys.exit(130)
