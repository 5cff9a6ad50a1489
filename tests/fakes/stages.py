"""Fakes of every port, with the faults a real one has. Raw pictures carry a mark that leaks show.

Every raw pixel is ``RAW``; the cloak turns it into ``CLOAKED``, the shield is ``SLATE``.
"""

import threading
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from facecloak.core.ports import EndOfSource
from facecloak.core.types import Face, Faces, Fitted, Frame, Image, Reading, Verdict

RAW, CLOAKED, SLATE = 200, 100, 7
SIZE = (8, 6)


def raw_frame(index: int = 0, at_s: float = 0.0, size: tuple[int, int] = SIZE) -> Frame:
    width, height = size
    return Frame(np.full((height, width, 3), RAW, np.uint8), at_s, index)


def face(track: int = 0) -> Face:
    return Face(track, np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0]]))


def faces(count: int, missing: int = 0) -> Faces:
    return Faces(tuple(face(track) for track in range(count)), missing)


def verdict(track: int = 0, *, fooled: bool = True, at_s: float = 0.0, classifier: str = "net"):
    after = "happy" if fooled else "sad"
    return Verdict(classifier, track, at_s, Reading("sad", 0.9), Reading(after, 0.6), fooled)


class ManualClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class ScriptedSource:
    """Plays a script: a frame, None (nothing in time), an exception, or anything else (garbage).

    After the last step it ends, as a file does; with ``then_silent`` it stays silent.
    """

    def __init__(
        self, script: Iterable[object], *, live: bool = True, pace_s: float = 0.002,
        then_silent: bool = False,
    ) -> None:  # fmt: skip
        self.live = live
        self.size = SIZE
        self.fps = 200.0
        self.opened = self.closed = False
        self._steps = iter(script)
        self._pace_s = pace_s if live else 0.0
        self._then_silent = then_silent
        self._pause = threading.Event()

    def read(self, timeout_s: float):
        assert self.opened
        assert not self.closed
        self._pause.wait(min(self._pace_s, timeout_s))
        try:
            step = next(self._steps)
        except StopIteration:
            if self._then_silent:
                return None
            raise EndOfSource from None
        if isinstance(step, Exception):
            raise step
        return step

    def __enter__(self):
        self.opened = True
        return self

    def __exit__(self, *_exc: object) -> None:
        self.closed = True


class FakeFinder:
    """Sees what ``sees(frame)`` says; may raise."""

    def __init__(self, sees: Callable[[Frame], Faces] = lambda _frame: faces(1)) -> None:
        self._sees = sees
        self.closed = False

    def find(self, frame: Frame) -> Faces:
        return self._sees(frame)

    def close(self) -> None:
        self.closed = True


class FakeCloak:
    """Turns every pixel to ``CLOAKED``, or returns ``instead(frame)`` where that is not None."""

    def __init__(self, instead: Callable[[Frame], Frame | None] = lambda _frame: None) -> None:
        self._instead = instead
        self.heard: list[Verdict] = []
        self.worn: list[Fitted] = []
        self.followed: FakeCloak | None = None

    def apply(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        assert faces
        return self._instead(frame) or frame.with_image(np.full_like(frame.image, CLOAKED))

    def hear(self, verdicts: Sequence[Verdict]) -> None:
        assert verdicts
        self.heard.extend(verdicts)

    def wear(self, fitted: Sequence[Fitted]) -> None:
        assert fitted
        self.worn.extend(fitted)

    def follow(self, former: "FakeCloak") -> None:
        self.followed = former


class FakeJudge:
    """Is fooled; raises or hangs on request."""

    watches = True

    def __init__(
        self, *, raises: Exception | None = None, hangs: threading.Event | None = None,
        fooled: bool = True,
    ) -> None:  # fmt: skip
        self.judged: list[int] = []
        self.watched: list[int] = []
        self.raises = raises
        self._hangs = hangs
        self._fooled = fooled

    def watch(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> None:
        self.watched.append(clean.index)

    def judge(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> tuple[Verdict, ...]:
        assert (clean.image == RAW).all()
        assert (cloaked.image == CLOAKED).all()
        if self._hangs is not None:
            self._hangs.wait()
        if self.raises is not None:
            raise self.raises
        self.judged.append(clean.index)
        return tuple(verdict(f.track, fooled=self._fooled, at_s=clean.captured_s) for f in faces)


class FakeTailor:
    """Fits something to every face; raises or waits on request."""

    def __init__(
        self, *, raises: Exception | None = None, waits: threading.Event | None = None
    ) -> None:
        self.asked = self.again = 0
        self._raises = raises
        self._waits = waits

    def fit(
        self, clean: Frame, faces: Sequence[Face], verdicts: Sequence[Verdict]
    ) -> tuple[Fitted, ...]:
        assert {one.at_s for one in verdicts} <= {clean.captured_s}
        assert (clean.image == RAW).all()
        self.asked += 1
        if self._waits is not None:
            self._waits.wait()
        if self._raises is not None:
            raise self._raises
        return tuple(Fitted(face.track, f"fitted in {clean.index}") for face in faces)

    def hand_out_again(self) -> None:
        self.again += 1


class FakeShield:
    """A plain slate."""

    def slate(self, width: int, height: int) -> Image:
        return np.full((height, width, 3), SLATE, np.uint8)


class FakeSink:
    """Keeps the mark of every frame; ``fails_with`` comes after ``fails_after`` frames."""

    def __init__(self, *, fails_with: Exception | None = None, fails_after: int = 0) -> None:
        self.frames: list[Frame] = []
        self.opened_with: tuple[tuple[int, int], float] | None = None
        self.closed = False
        self.left_by: type[BaseException] | None = None
        self._fails_with = fails_with
        self._fails_after = fails_after

    def open(self, size: tuple[int, int], fps: float) -> "FakeSink":
        """What the runner is given to make the sink with."""
        self.opened_with = (size, fps)
        return self

    @property
    def marks(self) -> list[int]:
        return [mark(frame) for frame in self.frames]

    def write(self, frame: Frame) -> None:
        assert self.opened_with
        assert not self.closed
        if self._fails_with is not None and len(self.frames) >= self._fails_after:
            raise self._fails_with
        self.frames.append(frame)

    def __enter__(self):
        return self

    def __exit__(self, kind, _exc, _tb) -> None:
        self.closed, self.left_by = True, kind


def mark(frame: Frame) -> int:
    """The one colour of a frame; fails where there are several, as in a half cloaked picture."""
    (colour,) = np.unique(frame.image)
    return int(colour)
