"""Reads a live source in a thread of its own and keeps only the newest picture."""

import threading
from dataclasses import dataclass

from facecloak.core.clock import Clock
from facecloak.core.ports import EndOfSource, Source
from facecloak.core.types import Frame
from facecloak.pipeline.mailbox import Mailbox
from facecloak.pipeline.worker import Worker

READ_S = 0.1
"""Longest wait for a picture, in seconds, and so for noticing that the run is over."""
PATIENCE_S = 2.0
"""Longest wait for a read under way when closing, in seconds."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame and when the source handed it over, in seconds on the run's clock."""

    frame: Frame
    at_s: float


class CaptureThread:
    """Hands over the newest picture of an open source until it ends, fails or is closed.

    Args:
        source: is open, and only the thread reads it from here on.
        clock: the run's clock.

    Attributes:
        frames: where the newest picture is; closed when no more can come.
        frames_in: pictures read so far.
        skipped: pictures that the source itself dropped so far, by the gaps in their indices.
        ended: whether the source came to its regular end.
    """

    def __init__(self, source: Source, clock: Clock) -> None:
        self.frames: Mailbox[Arrival] = Mailbox()
        self.frames_in = 0
        self.skipped = 0
        self.ended = False
        self._source = source
        self._clock = clock
        self._stop = threading.Event()
        self._worker = Worker("capture", self._read_on, self.frames.close)

    @property
    def dropped(self) -> int:
        """Pictures that never reached the stages: skipped by the source or overtaken here."""
        return self.skipped + self.frames.dropped

    @property
    def error(self) -> Exception | None:
        """What the source failed with; None while it works and when it ended well."""
        return self._worker.error

    def close(self) -> None:
        """Let the thread end, and wait for it as long as ``PATIENCE_S``."""
        self._stop.set()
        self._worker.join(PATIENCE_S)

    def _read_on(self) -> None:
        index = None
        while not self._stop.is_set():
            try:
                frame = self._source.read(READ_S)
            except EndOfSource:
                self.ended = True
                return
            if frame is None:
                continue
            if index is not None:
                self.skipped += max(0, frame.index - index - 1)
            index = frame.index
            self.frames_in += 1
            self.frames.put(Arrival(frame, self._clock()))
