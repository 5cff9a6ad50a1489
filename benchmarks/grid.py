"""What a grid costs beside its jobs: overhead per job, two workers against one, and a resume.

    python benchmarks/grid.py [--jobs 60] [--engines local ray] [--json grid.json]

- Overhead: empty jobs, one after another (``true`` in place of ``facecloak-train``): claim,
  process, digests, sealed result, store. Beside it what a real job's process needs to load torch.
- Throughput: jobs that compute for about half a second on one core, with one worker and with two;
  the kinds take turns, so that the noise of the machine falls on both. What two bare processes make
  of the same work, without any grid, is what the machine has to give.
- Resume: ``facecloak-train grid`` on 10,000 jobs that are done, the whole process; and what it
  takes to look at them with ``grid status``.

Needs two cores, 200 MB of disk below the working folder's temporary one, and three minutes.
"""

import argparse
import functools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facecloak_train.commands import COMMANDS
from facecloak_train.grid.drive import Terms, drive
from facecloak_train.grid.engine import Engine
from facecloak_train.grid.expand import Job, expand
from facecloak_train.grid.identity import code_version
from facecloak_train.grid.local_engine import LocalEngine
from facecloak_train.grid.ray_engine import RayEngine
from facecloak_train.grid.reading import read
from facecloak_train.grid.store import Store

KINDS = {name: kind for name, (kind, _) in COMMANDS.items()}
EMPTY = ("true",)
WORK = (sys.executable, "-S", "-c", "sum(i * i for i in range(COUNT))")
ROUNDS = 3
BUSY = 8
FINISHED = 10_000
MEMORY = 80_000_000


def jobs_of(folder: Path, count: int) -> dict[str, Job]:
    """Jobs of a command that leaves no report, told apart by their seeds."""
    (folder / "data.npz").write_text("faces")
    grid = folder / "grid.toml"
    grid.write_text(f"""
[[stage]]
name = "attack"
command = "attack"
options = {{ data = "{folder}/data.npz", victims = ["{folder}/data.npz"] }}
axes = {{ seed = {[*range(count)]} }}
""")
    return expand(read(grid, KINDS), folder, code_version())


def seconds_of(engine: Engine, count: int, program: tuple[str, ...]) -> float:
    """How long a grid of so many jobs takes on an engine that is warm."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = jobs_of(folder, count)
        with Store(folder) as store:
            began_s = time.perf_counter()
            terms = Terms(root=folder, base=folder, code=code_version(), program=program)
            counts = drive(store, "grid", jobs, _Kept(engine), terms)
            took_s = time.perf_counter() - began_s
        if counts != {"done": count}:
            sys.exit(f"the grid did not come to its end: {dict(counts)}")
        return took_s


class _Kept:
    """An engine that outlives a grid: to start one is no part of the overhead per job."""

    def __init__(self, engine: Engine) -> None:
        self.cores, self.gpus = engine.cores, engine.gpus
        self.start, self.next = engine.start, engine.next

    def stop(self) -> None:
        """Not yet."""


def bare_seconds(count: int, program: tuple[str, ...], workers: int) -> float:
    """The same work without a grid, as many processes at once as there are workers."""
    began_s = time.perf_counter()
    left = count
    running: list[subprocess.Popen[bytes]] = []
    while left or running:
        while left and len(running) < workers:
            # As jobs do: the kernel shares time between sessions.
            running.append(subprocess.Popen(program, start_new_session=True))  # noqa: S603 - ours
            left -= 1
        running.pop(0).wait()
    return time.perf_counter() - began_s


def calibrated() -> tuple[str, ...]:
    """Work that takes half a second here."""
    count = 500_000
    program = (*WORK[:-1], WORK[-1].replace("COUNT", str(count)))
    took_s = min(bare_seconds(1, program, 1) for _ in range(3))
    return (*WORK[:-1], WORK[-1].replace("COUNT", str(int(count * 0.5 / took_s))))


def in_turns(kinds: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median time of each kind over the rounds."""
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, kind in kinds.items():
            taken[name].append(kind())
    return {name: statistics.median(values) for name, values in taken.items()}


def process_seconds(arguments: list[str]) -> float:
    """How long a process of this Python takes, the median of three."""
    taken = []
    for _ in range(3):
        began_s = time.perf_counter()
        line = [sys.executable, *arguments]
        subprocess.run(line, check=True, capture_output=True)  # noqa: S603 - ours
        taken.append(time.perf_counter() - began_s)
    return statistics.median(taken)


def resumed() -> dict[str, float]:
    """Seconds of a finished grid of 10,000 jobs: to run it again, and to look at it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = jobs_of(folder, FINISHED)
        result = {"reports": {"score.json": {"rows": [{"accuracy": 0.7}] * 4}}, "seconds": 60.0}
        with Store(folder) as store:
            store.register("grid", jobs.values())
            began_s = time.perf_counter()
            for job in jobs:
                store.claim(job, "benchmark", 60)
                store.finish(job, "benchmark", "here", result)
            kept_s = time.perf_counter() - began_s
        run = ["-m", "facecloak_train", "grid", str(folder / "grid.toml"), "--out", str(folder)]
        status = ["-m", "facecloak_train", "grid", "status", str(folder)]
        size = (folder / "grid.sqlite").stat().st_size / 1e6
        return {
            "resume_s": process_seconds(run),
            "status_s": process_seconds(status),
            "store_mb": size,
            "kept_ms": 1000 * kept_s / len(jobs),
        }


def engine_of(kind: str, workers: int) -> Engine:
    """An engine with so many workers; Ray's, as a cluster of its own on this machine."""
    if kind == "local":
        return LocalEngine(workers)
    return RayEngine(cores=workers)


def with_workers(engine: Engine, workers: int, count: int, program: tuple[str, ...]) -> float:
    """How long a grid takes on some of an engine's workers."""
    limited = _Kept(engine)
    limited.cores = lambda: workers
    return seconds_of(limited, count, program)


def measured(engines: dict[str, Engine], jobs: int, work: tuple[str, ...]) -> dict[str, Any]:
    """Overhead and throughput of each engine, and of bare processes."""
    kinds: dict[str, Callable[[], float]] = {
        f"none {workers}": functools.partial(bare_seconds, BUSY, work, workers)
        for workers in (1, 2)
    }
    for name, engine in engines.items():
        with_workers(engine, 2, 4, EMPTY)  # warms
        kinds[f"{name} empty"] = functools.partial(with_workers, engine, 1, jobs, EMPTY)
        for workers in (1, 2):
            kinds[f"{name} {workers}"] = functools.partial(
                with_workers, engine, workers, BUSY, work
            )
    took = in_turns(kinds)
    return {
        name: {
            "overhead_ms": 1000 * took.get(f"{name} empty", 0.0) / jobs,
            "ratio": took[f"{name} 1"] / took[f"{name} 2"],
            "pace": took["none 2"] / took[f"{name} 2"],
        }
        for name in ("none", *engines)
    }


def main() -> None:
    """Print a table, and write it as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=60, help="empty ones, for the overhead")
    parser.add_argument("--engines", nargs="+", default=["local", "ray"], choices=["local", "ray"])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    told: dict[str, Any] = {
        "command": " ".join(["python", "benchmarks/grid.py", *sys.argv[1:]]),
        "torch_s": process_seconds(["-c", "import facecloak_train.training"]),
    } | resumed()
    engines = {kind: engine_of(kind, 2) for kind in asked.engines}
    try:
        told["engines"] = measured(engines, asked.jobs, calibrated())
    finally:
        for engine in engines.values():
            engine.stop()
    print("| engine | overhead per job | 2 workers against 1 | of two bare processes' pace |")
    print("|---|---|---|---|")
    for kind, row in told["engines"].items():
        ratios = f"{row['ratio']:.2f} | {row['pace']:.2f}"
        print(f"| {kind} | {row['overhead_ms']:.0f} ms | {ratios} |")
    print(f"\nA job's process loads torch in {told['torch_s']:.1f} s.")
    print(f"{FINISHED} finished jobs: resumed in {told['resume_s']:.1f} s, ", end="")
    print(f"told by `status` in {told['status_s']:.1f} s, store {told['store_mb']:.0f} MB.")
    print(f"To claim a job and keep its result takes the store {told['kept_ms']:.1f} ms.")
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
