"""A file that somebody may end early."""

import threading

from facecloak.capture.passing import Passing
from facecloak.core.ports import EndOfSource, Source
from facecloak.core.types import Frame


class UntilSource(Passing):
    """The frames of a file, every one in order, until told to stop or for some seconds of it.

    Args:
        source: the file; entering and leaving opens and closes it.
        stop: ends it when set.
        seconds: how much of it is read; None for all.
    """

    def __init__(
        self, source: Source, stop: threading.Event, *, seconds: float | None = None
    ) -> None:
        super().__init__(source)
        self._stop = stop
        self._seconds = seconds

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame.

        Raises:
            EndOfSource: that was the last one, it was told to stop, or the seconds are over.
            SourceLost: the file is damaged.
        """
        if self._stop.is_set():
            raise EndOfSource
        frame = self._source.read(timeout_s)
        if frame is not None and self._seconds is not None and frame.captured_s >= self._seconds:
            raise EndOfSource
        return frame
