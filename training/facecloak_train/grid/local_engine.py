"""Runs jobs on the cores of this machine; each is a process, and a thread here waits for it.

A GPU that a job wants to itself is lent to it alone. A job of several machines has all of them
here, each with GPUs of its own as far as there are any.
"""

import dataclasses
import os
import queue
import shutil
import socket
import subprocess
import threading
import time
from typing import Final

from facecloak_train.grid.process import Stop
from facecloak_train.grid.work import STOPS_WITHIN_S, Outcome, Work, assist, perform

_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_ASKS_S: Final = 30.0


def _all_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _all_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA calls them; asked of the driver, not of torch."""
    if _VISIBLE in os.environ:
        return [name for name in os.environ[_VISIBLE].split(",") if name not in ("", "-1")]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    asked = [tool, "--query-gpu=uuid", "--format=csv,noheader"]
    try:
        told = subprocess.check_output(asked, text=True, timeout=_ASKS_S)  # noqa: S603 - fixed
    except (OSError, subprocess.SubprocessError):
        return []  # a tool without a driver, or one that hangs
    return told.split()


class LocalEngine:
    """Jobs as processes of this machine.

    Args:
        cores: how many to keep busy; 0 for all that this process may use.
    """

    def __init__(self, cores: int = 0) -> None:
        self._cores = cores or _all_cores()
        self._gpus = _all_gpus()
        self._free = list(self._gpus)
        self._lent: dict[str, list[str]] = {}
        self._ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._running: dict[str, tuple[threading.Thread, Stop]] = {}

    def cores(self) -> int:
        """As it was told."""
        return self._cores

    def gpus(self) -> int:
        """As many as the driver shows this process."""
        return len(self._gpus)

    def start(self, work: Work) -> None:
        """Run a job at once."""
        stop, job = Stop(), work.job
        wanted = job.gpus * job.nodes
        lent, self._free = self._free[:wanted], self._free[wanted:]
        self._lent[job.id] = lent
        parts = [
            dataclasses.replace(work, devices=tuple(lent[rank * job.gpus : (rank + 1) * job.gpus]))
            for rank in range(job.nodes)
        ]
        short = f"its machines want {wanted} GPUs, and there are {len(self._gpus)} here"
        outcome = Outcome(job=job.id, host=socket.gethostname(), error=short)

        def run() -> None:
            nonlocal outcome
            try:
                if job.nodes == 1 or len(lent) in (0, wanted):
                    outcome = _together(parts, stop)
            finally:
                self._ended.put(outcome)

        thread = threading.Thread(target=run, name=f"job {job.id[:8]}")
        self._running[job.id] = thread, stop
        thread.start()

    def next(self, timeout_s: float) -> Outcome | None:
        """The next job that ended; None when the time is up."""
        try:
            outcome = self._ended.get(timeout=timeout_s)
        except queue.Empty:
            return None
        thread, _ = self._running.pop(outcome.job)
        thread.join()
        self._free += self._lent.pop(outcome.job)
        return outcome

    def stop(self) -> None:
        """Ask all jobs to stop, kill those that do not, and wait for them."""
        for _, stop in self._running.values():
            stop.ask()
        until_s = time.monotonic() + STOPS_WITHIN_S
        for thread, stop in self._running.values():
            thread.join(max(0.0, until_s - time.monotonic()))
            if thread.is_alive():
                stop.force()
        for thread, _ in self._running.values():
            thread.join()
        self._running.clear()


def _together(parts: list[Work], stop: Stop) -> Outcome:
    """Run a job with all of its machines here; the first has the outcome, unless another fails."""
    first, *others = parts
    stops = [Stop() for _ in others]
    lost: list[str] = []
    over = threading.Event()

    def help_with(part: Work, rank: int, ends: Stop) -> None:
        why = assist(part, rank, ends)
        if why and not ends.asked:
            lost.append(f"machine {rank}: {why}")
            stop.ask()
            if not over.wait(STOPS_WITHIN_S):  # torchrun may wait for the one that is lost
                stop.force()

    helpers = [
        threading.Thread(target=help_with, args=(part, rank, ends), name=f"machine {rank}")
        for rank, (part, ends) in enumerate(zip(others, stops, strict=True), start=1)
    ]
    for helper in helpers:
        helper.start()
    try:
        outcome = perform(first, stop)
    finally:
        over.set()
        for ends in stops:
            ends.ask()
        for helper, ends in zip(helpers, stops, strict=True):
            helper.join(STOPS_WITHIN_S)
            ends.force()
            helper.join()
    if outcome.result is None and lost:
        return dataclasses.replace(outcome, error=f"{lost[0]}; here: {outcome.error}")
    return outcome
