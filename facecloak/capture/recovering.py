"""A camera that may go and come back: unplugged, suspended, taken by another program."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from facecloak.capture.fit import fit
from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import SourceLost, SourceUnavailable
from facecloak.core.ports import Source
from facecloak.core.types import Frame

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LAST_RETRY_S: Final = 4.0
"""Waits between two tries to open it: the first one, doubled each time, up to the last one."""


class RecoveringSource:
    """A camera that is opened again, with growing pauses, whenever it is lost.

    Size and rate stay those of the first time, because a virtual camera has one of each; pictures
    of another size get black bars. The first opening fails as any other.

    Args:
        make: makes the source anew, not yet open.
        name: of the camera, for the log.
        clock: times the pauses, in seconds.
        sleep: waits for so many seconds.
    """

    live = True

    def __init__(
        self,
        make: Callable[[], Source],
        *,
        name: str,
        clock: Clock = monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.size, self.fps = (0, 0), 0.0
        self._make = make
        self._name = name
        self._clock = clock
        self._sleep = sleep or threading.Event().wait
        self._source: Source | None = None
        self._lost_s = self._retry_at_s = 0.0
        self._pause_s = FIRST_RETRY_S
        self._next_index = self._index_offset = 0

    def __enter__(self) -> Self:
        source = self._open()
        self.size, self.fps = source.size, source.fps
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._close()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest frame that was not read yet; None when none came in time.

        While the camera is lost it returns None; a try to open it may take longer than
        ``timeout_s``.
        """
        source = self._source or self._reopened(timeout_s)
        if source is None:
            return None
        try:
            frame = source.read(timeout_s)
        except SourceLost as exc:
            self._lose(exc)
            return None
        if frame is None:
            return None
        self._pause_s = FIRST_RETRY_S
        index = frame.index + self._index_offset
        self._next_index = index + 1
        return Frame(fit(frame.image, self.size), frame.captured_s, index)

    def _lose(self, reason: SourceLost) -> None:
        self._close()
        self._lost_s = self._clock()
        self._wait_longer()
        logger.warning("%s is lost and looked for: %s", self._name, reason.what)

    def _reopened(self, timeout_s: float) -> Source | None:
        """Wait for the time of the next try, at most so long, and then try to open it."""
        early_s = self._retry_at_s - self._clock()
        if early_s > 0:
            self._sleep(min(early_s, timeout_s))
            return None
        try:
            source = self._open()
        except SourceUnavailable:
            self._wait_longer()
            return None
        logger.info("%s is back after %.1f s", self._name, self._clock() - self._lost_s)
        return source

    def _wait_longer(self) -> None:
        self._retry_at_s = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LAST_RETRY_S)

    def _open(self) -> Source:
        source = self._make()
        source.__enter__()
        self._source = source
        self._index_offset = self._next_index
        return source

    def _close(self) -> None:
        if self._source is not None:
            source, self._source = self._source, None
            source.__exit__(None, None, None)
