"""Runs jobs on the cores of this machine; each is a process, and a thread here waits for it."""

import os
import queue
import threading

from facecloak_train.grid.work import STOPS_WITHIN_S, Outcome, Stop, Work, perform


def _all_cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalEngine:
    """Jobs as processes of this machine.

    Args:
        cores: how many to keep busy; 0 for all that this process may use.
    """

    def __init__(self, cores: int = 0) -> None:
        self._cores = cores or _all_cores()
        self._ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._running: dict[str, tuple[threading.Thread, Stop]] = {}

    def cores(self) -> int:
        """As it was told."""
        return self._cores

    def start(self, work: Work) -> None:
        """Run a job at once."""
        stop = Stop()

        def wait() -> None:
            self._ended.put(perform(work, stop))

        thread = threading.Thread(target=wait, name=f"job {work.job.id[:8]}")
        self._running[work.job.id] = thread, stop
        thread.start()

    def next(self, timeout_s: float) -> Outcome | None:
        """The next job that ended; None when the time is up."""
        try:
            outcome = self._ended.get(timeout=timeout_s)
        except queue.Empty:
            return None
        thread, _ = self._running.pop(outcome.job)
        thread.join()
        return outcome

    def stop(self) -> None:
        """Ask all jobs to stop, kill those that do not, and wait for them."""
        for _, stop in self._running.values():
            stop.ask()
        for thread, stop in self._running.values():
            thread.join(STOPS_WITHIN_S)
            if thread.is_alive():
                stop.force()
                thread.join()
        self._running.clear()
