"""A file shown as a camera would: each frame at its time."""

import math
import threading
from types import TracebackType
from typing import Self

from facecloak.core.clock import Clock, monotonic
from facecloak.core.ports import EndOfSource, Source
from facecloak.core.types import Frame

REPEAT_S = 0.1
"""A frame that lasts longer is handed over again so often: a camera is never silent."""


class PacedSource:
    """Hands over the frames of a file when they are due, stamped with the time they are.

    Args:
        source: the file; entering and leaving opens and closes it.
        stays: show the last frame without end, as befits a picture.
        clock: what goes for the time, in seconds.
    """

    live = True

    def __init__(self, source: Source, *, stays: bool = False, clock: Clock = monotonic) -> None:
        self._source = source
        self._stays = stays
        self._clock = clock
        self._closed = threading.Event()
        self._start_s: float | None = None
        self._next: Frame | None = None
        self._shown: Frame | None = None
        self._due_s = self._again_s = math.inf
        self._over = False

    @property
    def size(self) -> tuple[int, int]:
        """Of the file."""
        return self._source.size

    @property
    def fps(self) -> float:
        """Of the file, or of the repetition where that is faster."""
        return max(self._source.fps, 1 / REPEAT_S)

    def __enter__(self) -> Self:
        self._source.__enter__()
        self._closed.clear()
        self._start_s = self._next = self._shown = None
        self._due_s = self._again_s = math.inf
        self._over = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closed.set()
        self._source.__exit__(kind, exc, tb)

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or the last one again; None when neither is due in time.

        Raises:
            EndOfSource: the last frame has had its time.
            SourceLost: the file is damaged.
        """
        give_up_s = self._clock() + timeout_s
        if self._next is None and not self._over:
            self._look_ahead(timeout_s)
        now_s = self._wait_until(min(self._due_s, self._again_s, give_up_s))
        if now_s >= self._due_s:
            if self._over:
                raise EndOfSource
            self._shown, self._next = self._next, None
        elif now_s < self._again_s:
            return None
        if self._shown is None:
            return None
        self._again_s = now_s + REPEAT_S
        return Frame(self._shown.image, now_s, self._shown.index)

    def _look_ahead(self, timeout_s: float) -> None:
        """Fetch the next frame and when it is due; after the last one, when the end is."""
        try:
            self._next = self._source.read(timeout_s)
        except EndOfSource:
            self._over = True
            self._due_s = math.inf if self._stays else self._due_s + 1 / self._source.fps
            return
        if self._next is None:
            self._due_s = math.inf
            return
        if self._start_s is None:
            self._start_s = self._clock() - self._next.captured_s
        self._due_s = self._start_s + self._next.captured_s

    def _wait_until(self, moment_s: float) -> float:
        """Wait for the moment, or less where the source is closed, and return the time."""
        while (now_s := self._clock()) < moment_s:
            if self._closed.wait(moment_s - now_s):
                break
        return now_s
