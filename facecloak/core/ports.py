"""What the pipeline expects of the stages: small protocols, with their obligations in words.

Source --Frame--> FaceFinder --Faces--> Cloak --Frame--> guard --> Sink
                                          |--clean + cloaked--> Judge --Verdicts--> guard, cloak
                                          '--clean--> Tailor --Fitted--> cloak
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from facecloak.core.types import Face, Faces, Fitted, Frame, Image, Verdict


class Source(Protocol):
    """Where frames come from. A context manager: entering opens, leaving closes.

    Attributes:
        live: whether frames come at their own pace and the newest one matters (a camera), or every
            one of them matters (a file). Size and rate are known once it is open.
    """

    live: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        ...

    @property
    def fps(self) -> float:
        """Nominal frames per second."""
        ...

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None when none came in time.

        Raises:
            EndOfSource: a file has no more frames.
            SourceLost: the device stopped or handed over garbage.
        """
        ...

    def __enter__(self) -> Self:
        """Open. Raises SourceUnavailable."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...


class EndOfSource(Exception):
    """A finite source has handed over its last frame. Not an error."""


class FaceFinder(Protocol):
    """Finds, tracks and aligns faces. Keeps state from frame to frame; one thread uses it."""

    def find(self, frame: Frame) -> Faces:
        """Return the faces of this frame. Frames come in the order of their time."""
        ...

    def close(self) -> None:
        """Free what it holds. A second call does nothing."""
        ...


class Cloak(Protocol):
    """Applies the perturbation."""

    def apply(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with every one of ``faces`` cloaked.

        A face may be moved within itself. What is then added to a channel of a pixel is at most the
        budget, and nothing changes outside the faces at all.
        """
        ...

    def hear(self, verdicts: Sequence[Verdict]) -> None:
        """Take what the judges read since last time; later frames may be cloaked accordingly."""
        ...

    def wear(self, fitted: Sequence[Fitted]) -> None:
        """Take perturbations made to measure; their faces go over to them in later frames."""
        ...

    def follow(self, former: "Cloak") -> None:
        """Begin with what the cloak before knows of the faces; before the first frame, or never."""
        ...


class Judge(Protocol):
    """Reads faces before and after the cloak, with every classifier on the device."""

    @property
    def watches(self) -> bool:
        """Whether it wants to see frames that it is not to judge."""
        ...

    def watch(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> None:
        """See a frame, in the order of their time, whether it is to be judged or not."""
        ...

    def judge(self, clean: Frame, cloaked: Frame, faces: Sequence[Face]) -> tuple[Verdict, ...]:
        """Return verdicts on the frame last seen, of each face at least one."""
        ...


class Tailor(Protocol):
    """Makes perturbations to measure. Keeps state from frame to frame; one thread uses it."""

    def fit(
        self, clean: Frame, faces: Sequence[Face], verdicts: Sequence[Verdict]
    ) -> tuple[Fitted, ...]:
        """Look at a frame as captured; return what is better than before, for some of the faces.

        The verdicts are those on this frame.

        Raises DeviceError.
        """
        ...

    def hand_out_again(self) -> None:
        """Return what each face has at the next look at it, as what was returned may be lost."""
        ...


class Shield(Protocol):
    """Draws what is shown instead of an unprotected picture."""

    def slate(self, width: int, height: int) -> Image:
        """Return ``uint8[height, width, 3]`` that depends on nothing a camera saw."""
        ...


class Sink(Protocol):
    """Where protected frames go. A context manager: leaving it normally finishes the output.

    Leaving by an exception discards a half-written file: nothing stands under the final name.
    """

    def write(self, frame: Frame) -> None:
        """Take one frame. Raises SinkUnavailable when it can take no more."""
        ...

    def __enter__(self) -> Self:
        """Open. Raises SinkUnavailable."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...
