"""A face as it is kept while one calibrates: a small grey crop with a margin, always in one place.

The compositor and the judges' crop work on it as on a frame of the camera, so what is refined is
what goes out: interpolation, 8-bit rounding and all.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core import geometry
from facecloak.core.types import Affine, Face, Frame
from facecloak.verify.crop import face_crop

FACE_PX: Final = 144
"""Side of the aligned face in a crop: three times what the judges look at, so that the finest
pattern is hardly blurred before they do."""
_MARGIN_PX: Final = 18
"""What is kept around it, for judges whose own crop differs a little from ours."""
CROP_PX: Final = FACE_PX + 2 * _MARGIN_PX

Crop = NDArray[np.uint8]
"""``uint8[CROP_PX, CROP_PX]``, grey."""
Crops = NDArray[np.uint8]
"""``uint8[N, CROP_PX, CROP_PX]``, grey, in the order of time."""


def _fixed(rows: list[list[float]]) -> Affine:
    matrix = np.array(rows)
    matrix.flags.writeable = False
    return matrix


FACE_FROM_CROP: Final = geometry.invert(
    _fixed([[FACE_PX, 0.0, _MARGIN_PX - 0.5], [0.0, FACE_PX, _MARGIN_PX - 0.5]])
)
"""``float64[2, 3]``: from the pixels of a crop to face coordinates."""
_SQUARE_FROM_FACE: Final = _fixed(
    [[FACE_PX / CROP_PX, 0.0, _MARGIN_PX / CROP_PX], [0.0, FACE_PX / CROP_PX, _MARGIN_PX / CROP_PX]]
)
"""From face coordinates to those in which the crop fills the unit square."""


def cut(frame: Frame, face: Face) -> Crop:
    """The face with its margin.

    Raises:
        FaceCloakError: OpenCV cannot warp the frame.
    """
    square_from_frame = geometry.compose(_SQUARE_FROM_FACE, face.face_from_frame)
    return face_crop(frame.image, square_from_frame, CROP_PX)


def as_frame(crop: Crop, at_s: float) -> tuple[Frame, Face]:
    """A crop as a frame of that time, and where the face is in it."""
    return Frame(np.repeat(crop[..., None], 3, axis=2), at_s, 0), Face(0, FACE_FROM_CROP)
