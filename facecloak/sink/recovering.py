"""An output that may disappear and come back: a virtual camera whose driver is loaded anew, say."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import SinkUnavailable
from facecloak.core.ports import Sink
from facecloak.core.types import Frame
from facecloak.sink.closed import SinkClosed

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LAST_RETRY_S: Final = 4.0
"""Waits between two tries to open it: the first one, doubled each time, up to the last one."""


class RecoveringSink:
    """Passes frames on, and opens its sink again, with growing pauses, when that takes no more.

    Frames in between go nowhere. One that says it was closed on purpose stays closed.

    Args:
        make: makes the sink anew, not yet open; may raise SinkUnavailable as well.
        name: of the sink, for the log.
        patient: whether one that is not there at first is looked for, too, and no error.
        clock: times the pauses, in seconds.
    """

    def __init__(
        self,
        make: Callable[[], Sink],
        *,
        name: str,
        patient: bool = False,
        clock: Clock = monotonic,
    ) -> None:
        self._make = make
        self._name = name
        self._patient = patient
        self._clock = clock
        self._sink: Sink | None = None
        self._lost_s = self._retry_at_s = float("-inf")
        self._pause_s = FIRST_RETRY_S
        self.problem: SinkUnavailable | None = None
        """What keeps frames from going out; None while they do."""

    def __enter__(self) -> Self:
        try:
            self._open()
        except SinkUnavailable as exc:
            if not self._patient:
                raise
            self._lose(exc)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._sink is not None:
            sink, self._sink = self._sink, None
            sink.__exit__(kind, exc, tb)

    def write(self, frame: Frame) -> None:
        """Pass the frame on, if there is a sink now. Raises SinkClosed."""
        try:
            if self._sink is None:
                if self._clock() < self._retry_at_s:
                    return
                self._open()
                self._found()
            if self._sink is not None:
                self._sink.write(frame)
        except SinkClosed:
            raise
        except SinkUnavailable as exc:
            self._lose(exc)

    def _open(self) -> None:
        sink = self._make()
        sink.__enter__()
        self._sink = sink

    def _found(self) -> None:
        logger.info("%s is back after %.1f s", self._name, self._clock() - self._lost_s)
        self.problem, self._pause_s = None, FIRST_RETRY_S

    def _lose(self, reason: SinkUnavailable) -> None:
        if self._sink is not None:
            sink, self._sink = self._sink, None
            sink.__exit__(type(reason), reason, None)
        if self.problem is None:
            self._lost_s = self._clock()
            logger.warning("%s is lost and looked for: %s", self._name, reason)
        self.problem = reason
        self._retry_at_s = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LAST_RETRY_S)
