"""Finds the face of one picture after the other, none of which has to do with the one before."""

from types import TracebackType
from typing import Final, Self

import numpy as np

from facecloak.core.types import Face, Frame, Image
from facecloak.face.mediapipe_finder import MediaPipeFinder

_APART_S: Final = 10.0
"""Seconds between two pictures: the finder forgets the one before."""


class Finding:
    """The shipped finder for pictures that stand alone. A context manager.

    Raises:
        ArtifactError: a model file of MediaPipe is missing.
    """

    def __init__(self) -> None:
        self._finder = MediaPipeFinder()
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._finder.close()

    def face(self, image: Image) -> Face | None:
        """The first face of ``uint8[H, W, 3]``, BGR; None where it sees none."""
        # An empty frame long before makes the finder forget the face before.
        self._finder.find(self._frame(np.zeros_like(image)))
        found = self._finder.find(self._frame(image)).found
        return found[0] if found else None

    def _frame(self, image: Image) -> Frame:
        self._count += 1
        return Frame(image, _APART_S * self._count, self._count)
