"""A camera that may go and come back: unplugged, suspended, taken by others, or not wanted now."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from facecloak.capture.fit import fit
from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import FaceCloakError, SourceLost, SourceUnavailable
from facecloak.core.ports import Source
from facecloak.core.types import Frame

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LAST_RETRY_S: Final = 4.0
"""Waits between two tries to open it: the first one, doubled each time, up to the last one."""


class Device(Source, Protocol):
    """A source that can settle its size and rate before it is opened."""

    def agree(self) -> None:
        """Settle ``size`` and ``fps``. Raises SourceUnavailable."""
        ...


class RecoveringSource:
    """A camera that is on while it is wanted, and opened again, with growing pauses, when lost.

    Size and rate stay those that were agreed on first, because a virtual camera has one of each;
    pictures of another size get black bars. It may be left while another thread is in ``read``: a
    camera that is only then open is closed at once.

    Args:
        make: makes the source anew, not yet open; may raise SourceUnavailable as well.
        name: of the camera, for the log.
        wanted: whether the camera shall be on now; always, if not given.
        patient: size and rate to go on with where the camera is not there at first, and is looked
            for; without, that is an error.
        clock: times the pauses, in seconds.
        sleep: waits for so many seconds.
    """

    live = True

    def __init__(
        self,
        make: Callable[[], Device],
        *,
        name: str,
        wanted: Callable[[], bool] | None = None,
        patient: tuple[tuple[int, int], float] | None = None,
        clock: Clock = monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.size, self.fps = (0, 0), 0.0
        self._make = make
        self._name = name
        self._wanted = wanted or _always
        self._patient = patient
        self._clock = clock
        self._sleep = sleep or threading.Event().wait
        self._lock = threading.Lock()
        self._closed = False
        self._source: Source | None = None
        self._lost_s: float | None = None
        self._retry_at_s = float("-inf")
        self._pause_s = FIRST_RETRY_S
        self._next_index = self._index_offset = 0
        self.problem: FaceCloakError | None = None
        """What keeps pictures from coming; None while they do and while none is wanted."""

    def __enter__(self) -> Self:
        self._closed = False
        try:
            source = self._make()
            source.agree()
        except SourceUnavailable as exc:
            if self._patient is None:
                raise
            self.size, self.fps = self._patient
            self._lose(exc)
            return self
        self.size, self.fps = source.size, source.fps
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
        self._close()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest frame that was not read yet; None when none came in time.

        While the camera is lost or not wanted, and once this is closed, it returns None; a try to
        open it may take longer than ``timeout_s``.
        """
        if self._closed:
            return None
        if not self._wanted():
            self._rest(timeout_s)
            return None
        source = self._source or self._opened(timeout_s)
        if source is None:
            return None
        try:
            frame = source.read(timeout_s)
        except SourceLost as exc:
            self._lose(exc)
            return None
        if frame is None:
            return None
        if self._lost_s is not None:
            logger.info("%s is back after %.1f s", self._name, self._clock() - self._lost_s)
        self._lost_s, self._pause_s, self.problem = None, FIRST_RETRY_S, None
        index = frame.index + self._index_offset
        self._next_index = index + 1
        return Frame(fit(frame.image, self.size), frame.captured_s, index)

    def _rest(self, timeout_s: float) -> None:
        """Be off, and forget what was lost: the next opening comes at once."""
        if self._source is not None:
            self._close()
            logger.info("%s is off: nobody watches", self._name)
        self._lost_s, self._retry_at_s, self._pause_s = None, float("-inf"), FIRST_RETRY_S
        self.problem = None
        self._sleep(timeout_s)

    def _lose(self, reason: FaceCloakError) -> None:
        self._close()
        if self._closed:
            return
        if self._lost_s is None:
            self._lost_s = self._clock()
            logger.warning("%s is lost and looked for: %s", self._name, reason.what)
        self.problem = reason
        self._retry_at_s = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LAST_RETRY_S)

    def _opened(self, timeout_s: float) -> Source | None:
        """Wait for the time of the next try, at most so long, and then try to open it."""
        early_s = self._retry_at_s - self._clock()
        if early_s > 0:
            self._sleep(min(early_s, timeout_s))
            return None
        try:
            source = self._make()
            source.__enter__()
        except SourceUnavailable as exc:
            self._lose(exc)
            return None
        with self._lock:
            late = self._closed
            self._source = None if late else source
        if late:
            source.__exit__(None, None, None)
            return None
        if self._lost_s is None:
            logger.info("%s is on", self._name)
        self._index_offset = self._next_index
        return source

    def _close(self) -> None:
        with self._lock:
            source, self._source = self._source, None
        if source is not None:
            source.__exit__(None, None, None)


def _always() -> bool:
    return True
