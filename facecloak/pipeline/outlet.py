"""The sink, with its time taken and its frames counted, for the run and who watches over it."""

import threading
import time

from facecloak.core.clock import Clock
from facecloak.core.ports import Sink
from facecloak.core.stats import StageTimes
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.report import Tally

run_clock: Clock = time.perf_counter
"""The clock of every run; ``time.monotonic`` moves in steps of 16 ms on Windows."""


class Outlet:
    """Writes frames to an open sink: those of the run, and the slate where the run hangs.

    Args:
        sink: is open.
        times: takes the durations of ``sink`` and ``added``.

    Attributes:
        tally: what the sink took so far.
        written_s: when the run last wrote, on ``run_clock``; None before the first time.
    """

    def __init__(self, sink: Sink, times: StageTimes) -> None:
        self.tally = Tally()
        self.written_s: float | None = None
        self._sink = sink
        self._times = times
        self._writing = threading.Lock()
        self._turn = 0

    @property
    def turn(self) -> int:
        """What the run notes before it begins a frame, and hands back with it."""
        return self._turn

    def write(
        self, protected: Protected, *, handed_over_s: float | None = None, turn: int | None = None
    ) -> bool:
        """Hand one frame to the sink, unless ``take_over`` came since it was begun.

        Args:
            protected: what goes out.
            handed_over_s: when its picture came from the source, on ``run_clock``; None where no
                picture came, so that none was delayed.
            turn: of the time when it was begun; None writes it in any case.

        Returns:
            Whether it was handed over; a late frame is dropped.
        """
        with self._writing:
            late = turn is not None and turn != self._turn
            if not late:
                with self._times.stage("sink"):
                    self._sink.write(protected.frame)
                self.tally.add(protected)
            self.written_s = written_s = run_clock()
        if handed_over_s is not None and not late:
            self._times.add("added", written_s - handed_over_s)
        return not late

    def take_over(self, protected: Protected, *, patience_s: float) -> bool:
        """Hand over a frame from another thread; what the run has begun is dropped when it comes.

        Args:
            protected: what goes out.
            patience_s: how long to wait for a write under way.

        Returns:
            Whether it was handed over; not where the sink itself hangs.
        """
        if not self._writing.acquire(timeout=patience_s):
            return False
        try:
            self._turn += 1
            self._sink.write(protected.frame)
            self.tally.add(protected)
        finally:
            self._writing.release()
        return True
