"""Frames kept as a webcam sends them: a measurement pays for decoding, not for drawing."""

import math
import threading
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core.clock import Clock, monotonic
from facecloak.core.ports import EndOfSource, Source
from facecloak.core.types import Frame

QUALITY = 90


class RehearsedSource:
    """Plays a short source over and over, forth and back, from motion JPEG in memory.

    A frame is decoded when it is due, as a camera's is when it comes.

    Args:
        source: every frame of it is drawn once, when this opens.
        seconds: how long it plays.
        size: width and height of the frames, in pixels; those of the source if not given.
        clock: what goes for the time, in seconds.
    """

    live = True

    def __init__(
        self,
        source: Source,
        seconds: float,
        *,
        size: tuple[int, int] | None = None,
        clock: Clock = monotonic,
    ) -> None:
        self._source = source
        self._size = size
        self._seconds = seconds
        self._clock = clock
        self._closed = threading.Event()
        self._start_s = 0.0
        self._pictures: list[NDArray[np.uint8]] = []
        self._next = 0

    @property
    def size(self) -> tuple[int, int]:
        """As asked for, or of the source."""
        return self._size or self._source.size

    @property
    def fps(self) -> float:
        """Of the source."""
        return self._source.fps

    def __enter__(self) -> Self:
        self._pictures, self._next = [], 0
        self._closed.clear()
        with self._source:
            while True:
                try:
                    frame = self._source.read(math.inf)
                except EndOfSource:
                    break
                if frame is not None:
                    options = (cv2.IMWRITE_JPEG_QUALITY, QUALITY)
                    image = cv2.resize(frame.image, self.size, interpolation=cv2.INTER_CUBIC)
                    self._pictures.append(cv2.imencode(".jpg", image, options)[1])
        self._pictures += self._pictures[-2:0:-1]
        self._start_s = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closed.set()
        self._pictures = []

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None when it is not due in time. Raises EndOfSource."""
        index = self._next
        if index >= round(self._seconds * self.fps):
            raise EndOfSource
        due_s = self._start_s + index / self.fps
        give_up_s = self._clock() + timeout_s
        while (now_s := self._clock()) < due_s:
            if now_s >= give_up_s or self._closed.wait(min(due_s, give_up_s) - now_s):
                return None
        self._next = index + 1
        picture = cv2.imdecode(self._pictures[index % len(self._pictures)], cv2.IMREAD_COLOR)
        return Frame(picture.astype(np.uint8, copy=False), due_s, index)
