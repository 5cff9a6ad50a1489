"""The shipped finder and its models on pictures that stand alone, FER2013's faces among them."""

from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core.types import Face, Frame, Image, Points
from facecloak.face.mediapipe_finder import MediaPipeFinder
from facecloak_train.data.fer2013 import FACE_PX

_MARGIN_PX: Final = 12
"""Border replicated around a 48x48 face: the detector likes some room around a face."""
_ZOOM: Final = 4
_APART_S: Final = 10.0
"""Seconds between two pictures: the finder forgets the one before."""


def enlarged(face: NDArray[np.uint8]) -> Image:
    """A face of FER2013, ``uint8[48, 48]``, as MediaPipe's models find it: ``uint8[H, W, 3]``."""
    border = (_MARGIN_PX,) * 4
    picture = cv2.copyMakeBorder(face, *border, cv2.BORDER_REPLICATE)
    picture = cv2.resize(picture, None, fx=_ZOOM, fy=_ZOOM, interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)


def share_of_face(points: Points) -> Points:
    """Pixels of an enlarged face, ``float64[..., 2]``, as shares of the face's side."""
    shares: Points = ((points + 0.5) / _ZOOM - _MARGIN_PX) / FACE_PX
    return shares


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
        found = self.faces(image)
        return found[0] if found else None

    def faces(self, image: Image) -> tuple[Face, ...]:
        """All faces of ``uint8[H, W, 3]``, BGR."""
        # Empty frames long before make the finder forget the faces before: it follows one known
        # face by another mesh than it looks for faces with, and so each has to see one.
        for _ in range(2):
            self._finder.find(self._frame(np.zeros_like(image)))
        self._finder.start_over()
        return self._finder.find(self._frame(image)).found

    def _frame(self, image: Image) -> Frame:
        self._count += 1
        return Frame(image, _APART_S * self._count, self._count)
