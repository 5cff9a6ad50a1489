"""The demo: a portrait that moves, for machines without a camera.

Each frame is a function of its index alone, and the motion repeats every eight seconds, so every
run shows the same frames and an endless one has no seam.
"""

import math
import threading
from types import TracebackType
from typing import Self

from facecloak.capture.portrait import HEIGHT, PERIOD_S, WIDTH, Portrait
from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import ConfigError
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Frame

FPS = 30


class DemoSource:
    """The animated portrait, 1280x720 at 30 frames a second.

    Args:
        seconds: how long it lasts; None never ends.
        paced: behave like a webcam: frames come in real time, and a reader that is late finds the
            newest one and a gap in ``index``. Otherwise like a file: every frame, at once.
        clock: what ``paced`` goes by, in seconds.

    Raises:
        ConfigError: ``seconds`` is not a positive number.
    """

    def __init__(
        self, seconds: float | None = PERIOD_S, *, paced: bool = False, clock: Clock = monotonic
    ) -> None:
        if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
            msg = f"The demo lasts a positive number of seconds, got {seconds}."
            raise ConfigError(msg)
        self.live = paced
        self.size = (WIDTH, HEIGHT)
        self.fps = float(FPS)
        self.frame_count = None if seconds is None else max(1, round(seconds * FPS))
        self._clock = clock
        self._closed = threading.Event()
        self._portrait: Portrait | None = None
        self._start_s = 0.0
        self._next = 0

    def __enter__(self) -> Self:
        self._closed.clear()
        self._portrait = Portrait()
        self._start_s = self._clock() if self.live else 0.0
        self._next = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closed.set()
        self._portrait = None

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; None when a paced one is not due in time.

        Raises:
            EndOfSource: ``seconds`` are over.
        """
        if self._portrait is None:
            msg = "read() needs an open source"
            raise RuntimeError(msg)
        if self.live and not self._wait(timeout_s):
            return None
        index = self._next
        if self.frame_count is not None and index >= self.frame_count:
            raise EndOfSource
        self._next = index + 1
        return Frame(self._portrait.picture(index / FPS), self._start_s + index / FPS, index)

    def _wait(self, timeout_s: float) -> bool:
        """Wait until a frame is due, skip those that are past; False when none came in time."""
        give_up_s = self._clock() + timeout_s
        due_s = self._start_s + self._next / FPS
        while (now_s := self._clock()) < due_s:
            if now_s >= give_up_s or self._closed.wait(min(due_s, give_up_s) - now_s):
                return False
        # 1e-6: k / FPS seconds after the start, frame k is due whatever the rounding of floats.
        self._next = max(self._next, math.floor((now_s - self._start_s) * FPS + 1e-6))
        return True
