"""The file that a video is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Self

from facecloak.core.ports import Source


def _read_whole() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Original:
    """A file, as far as a video that is made of it takes after it.

    Attributes:
        path: its first sound track is copied.
        pixel_aspect: width of a pixel by its height.
        ended: whether it was read to its own end, asked after the last frame; where it was not, the
            sound ends with the frames.
    """

    path: Path
    pixel_aspect: Fraction = Fraction(1)
    ended: Callable[[], bool] = _read_whole

    @classmethod
    def of(cls, source: Source) -> Self | None:
        """The file that an open source reads; None where it reads none."""
        path = getattr(source, "path", None)
        if path is None:
            return None
        aspect = getattr(source, "pixel_aspect", Fraction(1))
        return cls(path, aspect, lambda: getattr(source, "ended", True))
