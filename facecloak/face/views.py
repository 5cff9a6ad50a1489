"""What the models get to see of a frame: smaller copies of it, and square views cut out of it.

Beyond the border of the frame its mirror image goes on: that completes a face which the border
cuts in half, and the models find it (with a constant or replicated border they do not).
"""

import math
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from facecloak.core import geometry
from facecloak.core.types import Affine, Image
from facecloak.face.flow import Grey

VIEW_PX: Final = 192
"""Side of a view; what the detectors' own input measures."""
_SMALL_PX: Final = 640
_TINY_PX: Final = 320
_TILE: Final = 1 / 2
"""Side of a tile, in short sides of the frame."""
_OVERLAP: Final = 1 / 4
_MARGIN: Final = 1 / 3
"""How far tiles reach over the border, in tiles."""
_WIDE: Final = 1.25
"""Side of the widest view, in long sides of the frame."""


class Picture:
    """One frame in the forms that the models want, each made once and only when asked for.

    Args:
        frame: ``uint8[H, W, 3]``, BGR.
    """

    def __init__(self, frame: Image) -> None:
        self._frame = frame
        self.size = (frame.shape[1], frame.shape[0])

    @cached_property
    def small(self) -> Image:
        """``uint8[h, w, 3]``, RGB, at most 640 pixels long."""
        return cv2.cvtColor(_shrunk(self._frame, _SMALL_PX), cv2.COLOR_BGR2RGB).astype(
            np.uint8, copy=False
        )

    @cached_property
    def small_from_frame(self) -> Affine:
        """``float64[2, 3]``, pixels of the frame to pixels of ``small``."""
        return self._copy_from_frame(self.small)

    @cached_property
    def grey(self) -> Grey:
        """``uint8[h, w]``, like ``small``."""
        return cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)

    def view(self, view_from_frame: Affine) -> Image:
        """A square view, ``uint8[192, 192, 3]``, RGB.

        It is cut out of the smallest copy that is no coarser: that is fast, and does not alias.
        """
        frame_px = 1.0 / geometry.face_width_px(view_from_frame)
        if frame_px < max(self.size) / _SMALL_PX:
            return cv2.cvtColor(_cut(self._frame, view_from_frame), cv2.COLOR_BGR2RGB).astype(
                np.uint8, copy=False
            )
        copy = self.small if frame_px < max(self.size) / _TINY_PX else self._tiny
        frame_from_copy = geometry.invert(self._copy_from_frame(copy))
        return _cut(copy, geometry.compose(view_from_frame, frame_from_copy))

    @cached_property
    def _tiny(self) -> Image:
        return _shrunk(self.small, _TINY_PX)

    def _copy_from_frame(self, copy: Image) -> Affine:
        x, y = copy.shape[1] / self.size[0], copy.shape[0] / self.size[1]
        return np.array([[x, 0.0, 0.5 * (x - 1.0)], [0.0, y, 0.5 * (y - 1.0)]])


def wide(width: int, height: int) -> Affine:
    """``view_from_frame`` of the square that holds the frame and something around it."""
    side = _WIDE * max(width, height)
    return _square(0.5 * (width - side), 0.5 * (height - side), side)


def tiles(width: int, height: int) -> list[Affine]:
    """Overlapping squares that cover a frame and its border, each as ``view_from_frame``.

    The far detector finds faces down to 1/12 of the side of its picture, so tiles of half the
    short side find 30 pixels at 720p.
    """
    side = _TILE * min(width, height)
    return [_square(x, y, side) for y in _starts(height, side) for x in _starts(width, side)]


def around(face_from_frame: Affine, enlarged: float) -> Affine:
    """``view_from_frame`` of the upright square of ``enlarged`` face widths about a face."""
    shrink = 1.0 / enlarged
    middle = 0.5 * (1.0 - shrink)
    view_from_face = np.array([[shrink, 0.0, middle], [0.0, shrink, middle]])
    return geometry.compose(
        geometry.crop_from_face(VIEW_PX), geometry.compose(view_from_face, face_from_frame)
    )


def _square(x: float, y: float, side: float) -> Affine:
    scale = VIEW_PX / side
    return np.array([[scale, 0.0, -scale * x], [0.0, scale, -scale * y]])


def _starts(length: int, side: float) -> list[float]:
    margin = _MARGIN * side
    room = length + 2.0 * margin - side
    steps = math.ceil(room / (side * (1.0 - _OVERLAP)))
    return [room * step / max(steps, 1) - margin for step in range(steps + 1)]


def _shrunk(picture: Image, longest_px: int) -> Image:
    shrink = min(1.0, longest_px / max(picture.shape[:2]))
    width, height = (max(1, round(shrink * side)) for side in picture.shape[1::-1])
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _cut(picture: Image, view_from_picture: Affine) -> Image:
    size = (VIEW_PX, VIEW_PX)
    view = cv2.warpAffine(picture, view_from_picture, size, borderMode=cv2.BORDER_REFLECT)
    return view.astype(np.uint8, copy=False)
