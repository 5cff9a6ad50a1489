"""A file that somebody may end early."""

import threading
from types import TracebackType
from typing import Self

from facecloak.core.ports import EndOfSource, Source
from facecloak.core.types import Frame


class UntilSource:
    """The frames of a file, every one in order, until told to stop or for some seconds of it.

    Args:
        source: the file; entering and leaving opens and closes it.
        stop: ends it when set.
        seconds: how much of it is read; None for all.
    """

    live = False

    def __init__(
        self, source: Source, stop: threading.Event, *, seconds: float | None = None
    ) -> None:
        self._source = source
        self._stop = stop
        self._seconds = seconds

    @property
    def size(self) -> tuple[int, int]:
        """Of the file."""
        return self._source.size

    @property
    def fps(self) -> float:
        """Of the file."""
        return self._source.fps

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, exc, tb)

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
