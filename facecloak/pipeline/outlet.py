"""The sink, with its time taken and its frames counted."""

import time

from facecloak.core.clock import Clock
from facecloak.core.ports import Sink
from facecloak.core.stats import StageTimes
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.report import Tally

run_clock: Clock = time.perf_counter
"""The clock of every run; ``time.monotonic`` moves in steps of 16 ms on Windows."""


class Outlet:
    """Writes frames to an open sink.

    Args:
        sink: is open.
        times: takes the durations of ``sink`` and ``added``.

    Attributes:
        tally: what the sink took so far.
    """

    def __init__(self, sink: Sink, times: StageTimes) -> None:
        self.tally = Tally()
        self._sink = sink
        self._times = times

    def write(self, protected: Protected, *, handed_over_s: float | None = None) -> None:
        """Hand one frame to the sink.

        Args:
            protected: what goes out.
            handed_over_s: when its picture came from the source, on ``run_clock``; None where no
                picture came, so that none was delayed.
        """
        with self._times.stage("sink"):
            self._sink.write(protected.frame)
        if handed_over_s is not None:
            self._times.add("added", run_clock() - handed_over_s)
        self.tally.add(protected)
