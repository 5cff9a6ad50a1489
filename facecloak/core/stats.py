"""How long the stages take: the newest seconds of each, and their percentiles in milliseconds."""

import itertools
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from facecloak.core.clock import Clock

KEPT = 20_000
"""Newest durations of each stage that the percentiles are taken over: 11 minutes at 30 fps."""


class StageTimes:
    """Gathers durations by stage; any thread may add, in constant time and bounded memory.

    Stages in use: ``find``, ``cloak``, ``judge`` and ``sink``; ``added`` is what a frame is delayed
    by, from its hand-over by the source until the sink has taken it.

    Args:
        clock: what durations are measured with, in seconds.
        kept: how many durations of each stage are remembered.
    """

    def __init__(self, clock: Clock = time.perf_counter, *, kept: int = KEPT) -> None:
        if kept < 1:
            msg = f"stage times keep at least one duration, got {kept}"
            raise ValueError(msg)
        self._clock = clock
        self._kept = kept
        self._lock = threading.Lock()
        self._seconds: dict[str, deque[float]] = {}
        self._counts: dict[str, int] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure what happens inside, also when it raises."""
        began_s = self._clock()
        try:
            yield
        finally:
            self.add(name, self._clock() - began_s)

    def add(self, name: str, seconds: float) -> None:
        """Take one duration in seconds."""
        with self._lock:
            self._seconds.setdefault(name, deque(maxlen=self._kept)).append(seconds)
            self._counts[name] = self._counts.get(name, 0) + 1

    def recent(self, name: str, count: int) -> list[float]:
        """The newest durations of one stage, at most so many, in seconds; newest first."""
        with self._lock:
            return list(itertools.islice(reversed(self._seconds.get(name, ())), count))

    def summary(self) -> dict[str, dict[str, float]]:
        """Each stage's ``p50_ms``, ``p95_ms``, ``p99_ms`` and ``count``, in order of first use.

        Percentiles are of the durations kept, ``count`` is of all there ever were.
        """
        with self._lock:
            kept = {name: list(seconds) for name, seconds in self._seconds.items()}
            counts = dict(self._counts)
        return {name: _describe(seconds, counts[name]) for name, seconds in kept.items()}


def _describe(seconds: list[float], count: int) -> dict[str, float]:
    p50, p95, p99 = (1000 * float(p) for p in np.percentile(seconds, (50, 95, 99)))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "count": count}
