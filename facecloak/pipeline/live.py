"""The calling thread's half of a live run: shows the newest picture, stands in when none comes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from facecloak.core.errors import SourceLost
from facecloak.core.types import Faces, Frame, Output
from facecloak.pipeline.capture_thread import Arrival, CaptureThread
from facecloak.pipeline.outlet import Outlet, run_clock
from facecloak.pipeline.protector import Protected, Protector

FAILED_S: Final = 2.0
"""How long stand-ins go out at most once the source has failed and cannot come back, in seconds."""

REST_AFTER_S: Final = 3.0
"""After how many seconds of stand-ins a sink that shows its last frame gets few of them."""
REST_S: Final = 0.2
"""How long each of these stands, in seconds. A picture that comes goes out at once."""

Observe = Callable[[Frame | None, Protected], None]
"""Sees each picture as captured, None for a stand-in, and what went out. Where the former goes is
its own duty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a live run ends by itself, and how long it waits for pictures, in seconds."""

    frames: int | None = None
    """Frames to write, stand-ins included; None for no end."""
    seconds: float | None = None
    """How long to run; None for no end."""
    stall_s: float = 0.5
    """How long no picture may come before stand-ins go out."""
    lost_after_s: float = 2.0
    """How long stand-ins go out before a silent source is given up; without end for one that
    recovers by itself. One that failed is given up after two seconds at most."""
    start_s: float = 10.0
    """How long stand-ins go out while the first picture is awaited."""
    hang_s: float | None = None
    """How long nothing may come out before a stage counts as hanging and the slate is shown; None
    for sinks in which no frame stands until the next one comes, such as files. Where one stands, a
    slate that goes on for long is written seldom: a camera that nobody watches costs little."""

    def __post_init__(self) -> None:
        for name in ("frames", "seconds", "stall_s", "lost_after_s", "start_s", "hang_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                msg = f"limits.{name} must be greater than 0, got {value}"
                raise ValueError(msg)

    def reached(self, frames: int, seconds: float) -> bool:
        """Whether a run that wrote ``frames`` and lasted ``seconds`` is over."""
        return (self.frames is not None and frames >= self.frames) or (
            self.seconds is not None and seconds >= self.seconds
        )


HANG_S: Final = 1.5
"""``hang_s`` of a virtual camera."""


class LiveRun:
    """Takes the newest picture, protects it, writes it; once.

    Args:
        capture: where pictures come from.
        protector: what happens to each.
        outlet: where they go.
        limits: when it ends by itself.
        size: width and height of stand-ins before the first picture.
        fps: how many stand-ins go out each second.
    """

    def __init__(
        self,
        capture: CaptureThread,
        protector: Protector,
        outlet: Outlet,
        limits: Limits,
        *,
        size: tuple[int, int],
        fps: float,
    ) -> None:
        self._capture = capture
        self._protector = protector
        self._outlet = outlet
        self._limits = limits
        self._size = size
        self._frame_s = 1 / fps if 1 <= fps <= 240 else 1 / 30
        self._began_s = self._heard_s = run_clock()
        self._last_s, self._last_index = self._began_s, 0
        self._started = False
        self._alone_since_s: float | None = None

    def follow(self, stop: threading.Event, observe: Observe | None) -> None:
        """Go on until told to stop, a limit or the end of the source. Raises SourceLost."""
        wait_s = self._limits.stall_s
        while not (stop.is_set() or self._over()):
            arrival = self._capture.frames.take(wait_s)
            if arrival is not None:
                shown = self._show(arrival)
                wait_s = self._limits.stall_s
                if observe is not None and shown is not None:
                    observe(arrival.frame, shown)
            elif self._capture.ended and not self._capture.frames.unread:
                return
            else:
                shown = self._stand_in()
                if observe is not None and shown is not None:
                    observe(None, shown)
                wait_s = self._stands_s()
                if self._capture.frames.closed:
                    stop.wait(wait_s)

    def _over(self) -> bool:
        return self._limits.reached(self._outlet.tally.frames_out, run_clock() - self._began_s)

    def slate(self) -> Protected:
        """The slate of the present size. Any thread may ask."""
        width, height = self._size
        picture = Frame(self._protector.slate(width, height), self._last_s, self._last_index)
        return Protected(picture, Output.SHIELD, Faces(), ())

    def _show(self, arrival: Arrival) -> Protected | None:
        """Write a frame and return what went out; None where it came too late."""
        frame, turn = arrival.frame, self._outlet.turn
        self._started, self._heard_s, self._alone_since_s = True, run_clock(), None
        self._last_s, self._last_index = frame.captured_s, frame.index
        self._size = (frame.image.shape[1], frame.image.shape[0])
        protected = self._protector.protect(frame, now_s=self._heard_s)
        written = self._outlet.write(protected, handed_over_s=arrival.at_s, turn=turn)
        return protected if written else None

    def _stand_in(self) -> Protected | None:
        """The same without a picture. Raises SourceLost once that went on for too long."""
        turn = self._outlet.turn
        now_s = run_clock()
        silent_s = now_s - self._heard_s
        if self._alone_since_s is None:
            self._alone_since_s = now_s
        elif now_s - self._alone_since_s >= self._patience_s():
            raise self._lost(silent_s)
        protected = self._protector.stand_in(
            self._size, captured_s=self._last_s + silent_s, index=self._last_index, now_s=now_s
        )
        return protected if self._outlet.write(protected, turn=turn) else None

    def _stands_s(self) -> float:
        """How long a stand-in is to stand."""
        alone_s = 0.0 if self._alone_since_s is None else run_clock() - self._alone_since_s
        rests = self._limits.hang_s is not None and alone_s > REST_AFTER_S
        return max(self._frame_s, REST_S) if rests else self._frame_s

    def _patience_s(self) -> float:
        if self._capture.error is not None:
            return min(self._limits.lost_after_s, FAILED_S)
        return self._limits.lost_after_s if self._started else self._limits.start_s

    def _lost(self, silent_s: float) -> SourceLost:
        error = self._capture.error
        if isinstance(error, SourceLost):
            return error
        what = f"The camera has sent no picture for {silent_s:.1f} s."
        remedy = "Check its cable and whether another application uses it, then start again."
        lost = SourceLost(what, remedy)
        lost.__cause__ = error
        return lost
