"""Takes a grid from where it stands to its end: claims jobs, hands them out, keeps what they yield.

Several of these may drive one folder at once, with one grid or with grids that have jobs in common.
A job that another has is waited for: it may be finished there, given back or abandoned.
"""

import logging
import os
import socket
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facecloak_train.grid.engine import Engine
from facecloak_train.grid.expand import Job
from facecloak_train.grid.store import Store
from facecloak_train.grid.work import Outcome, Work

logger = logging.getLogger(__name__)

LEASE_S: Final = 60.0
"""How long a job stays claimed by a process that no longer says that it is there."""
_RENEW_S: Final = LEASE_S / 4
_LOOK_S: Final = 1.0
"""How often to look what others have done."""

Progress = Callable[[Mapping[str, int]], None]
"""Told how many jobs are in which state, whenever that changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How to run jobs.

    Attributes:
        root: the grid's folder; absolute.
        base: the folder that it was started in; absolute.
        program: what takes a job's arguments; ``facecloak_train`` if empty.
        code: the version of the code.
        attempts: how often to try a job before it has failed.
    """

    root: Path
    base: Path
    code: str
    attempts: int = 3
    program: tuple[str, ...] = ()


def drive(
    store: Store,
    grid: str,
    jobs: Mapping[str, Job],
    engine: Engine,
    terms: Terms,
    progress: Progress = lambda _: None,
) -> Counter[str]:
    """Run all jobs that are not done; returns how many are in which state in the end.

    A job of an earlier stage that failed leaves those that need it waiting. Whatever ends this,
    jobs that still run are stopped and given back; the engine is stopped in any case.

    Raises:
        ArtifactError: the store cannot be used.
    """
    driver = _Driver(store, jobs, engine, terms)
    try:
        store.register(grid, jobs.values())
        driver.look()
        while driver.step():
            progress(driver.counts())
        progress(driver.counts())
    finally:
        try:
            engine.stop()
        finally:
            store.release(driver.owner)
    return driver.counts()


class _Driver:
    def __init__(self, store: Store, jobs: Mapping[str, Job], engine: Engine, terms: Terms) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._store = store
        self._jobs = jobs
        self._engine = engine
        self._terms = terms
        self._state = dict.fromkeys(jobs, "waiting")
        self._needed_by: dict[str, list[str]] = {job: [] for job in jobs}
        for job in jobs.values():
            for need in {need.job for need in job.needs}:
                self._needed_by[need].append(job.id)
        self._ready: deque[str] = deque()
        self._running: dict[str, int] = {}
        """The attempt that each of our jobs is at."""
        self._elsewhere: set[str] = set()
        self._looked_s = self._renewed_s = time.monotonic()

    def counts(self) -> Counter[str]:
        """How many jobs are in which state."""
        return Counter(self._state.values())

    def look(self) -> None:
        """Take over from the store what others have done, or have given up."""
        self._looked_s = time.monotonic()
        for job, state in self._store.states(self._jobs).items():
            if job not in self._running:
                self._state[job] = state
        self._elsewhere = {
            job
            for job, state in self._state.items()
            if state == "running" and job not in self._running
        }
        self._ready = deque(job for job in self._jobs if self._can_start(job))

    def step(self) -> bool:
        """Start what there is room for and wait for what ends; False when nothing is left."""
        self._keep_leases()
        self._start()
        if not self._running and not self._elsewhere:
            return False
        if self._running:
            outcome = self._engine.next(_LOOK_S)
            while outcome is not None:
                self._end(outcome)
                outcome = self._engine.next(0) if self._running else None
        else:
            time.sleep(_LOOK_S)  # noqa: TID251 - a signal ends it
        if self._elsewhere and time.monotonic() - self._looked_s >= _LOOK_S:
            self.look()
        return True

    def _keep_leases(self) -> None:
        if self._running and time.monotonic() - self._renewed_s > _RENEW_S:
            self._renewed_s = time.monotonic()
            self._store.renew(self.owner, LEASE_S)

    def _can_start(self, job: str) -> bool:
        return self._state[job] == "waiting" and all(
            self._state[need.job] == "done" for need in self._jobs[job].needs
        )

    def _start(self) -> None:
        left: deque[str] = deque()
        most = self._engine.cores(), self._engine.gpus()
        running = [_wanted(self._jobs[one], most) for one in self._running]
        cores = most[0] - sum(one for one, _ in running)
        gpus = most[1] - sum(one for _, one in running)
        while self._ready:
            job = self._jobs[self._ready.popleft()]
            if not self._can_start(job.id):
                continue
            want_cores, want_gpus = _wanted(job, most)
            if self._running and want_cores > cores:
                left.append(job.id)  # all that follow want cores, too
                break
            if self._running and want_gpus > gpus:
                left.append(job.id)
                gpus = 0  # those that follow wait behind it, but for those that want none
                continue
            attempt = self._store.claim(job.id, self.owner, LEASE_S)
            self._state[job.id] = "running"
            if not attempt:
                self._elsewhere.add(job.id)
                continue
            cores, gpus = cores - want_cores, gpus - want_gpus
            self._running[job.id] = attempt
            terms = self._terms
            self._engine.start(
                Work(
                    job=job,
                    root=terms.root,
                    base=terms.base,
                    program=terms.program,
                    code=terms.code,
                    fresh=attempt > 1 and attempt >= terms.attempts,
                    attempt=uuid.uuid4().hex,
                )
            )

        self._ready.extendleft(reversed(left))

    def _end(self, outcome: Outcome) -> None:
        job, attempt = outcome.job, self._running.pop(outcome.job)
        if outcome.result is not None:
            result = {key: outcome.result[key] for key in ("reports", "seconds")}
            if self._store.finish(job, self.owner, outcome.host, result):
                self._state[job] = "done"
                self._ready += [one for one in self._needed_by[job] if self._can_start(one)]
            else:
                self._elsewhere.add(job)
            return
        again = attempt < self._terms.attempts
        self._store.fail(job, self.owner, outcome.host, outcome.error, again=again)
        self._state[job] = "waiting" if again else "failed"
        what = "will be tried again" if again else "has failed"
        logger.warning("%s %s: %s", self._jobs[job].folder, what, outcome.error)
        for earlier in outcome.broken:
            if self._state[earlier] == "done":
                self._store.reopen(earlier)
                self._state[earlier] = "waiting"
                self._ready.append(earlier)
        if self._can_start(job):
            self._ready.append(job)


def _wanted(job: Job, most: tuple[int, int]) -> tuple[int, int]:
    """The cores and GPUs of a job on all its machines, as far as there are so many at all."""
    return min(job.cores * job.nodes, most[0]), min(job.gpus * job.nodes, most[1])
