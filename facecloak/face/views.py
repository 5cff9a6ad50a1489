"""What the models get to see of a frame: a smaller copy of it, and square views cut out of it."""

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
"""Long side of the smaller copy."""
_TILE_SHARE: Final = 1 / 2
_OVERLAP: Final = 1 / 4


class Picture:
    """One frame in the forms that the models want, each made once and only when asked for.

    Args:
        frame: ``uint8[H, W, 3]``, BGR.
    """

    def __init__(self, frame: Image) -> None:
        self._frame = frame
        self.size = (frame.shape[1], frame.shape[0])
        width, height = (max(1, round(side * self._shrink)) for side in self.size)
        x, y = width / self.size[0], height / self.size[1]
        self._small_size = (width, height)
        self.small_from_frame: Affine = np.array(
            [[x, 0.0, 0.5 * (x - 1.0)], [0.0, y, 0.5 * (y - 1.0)]]
        )

    @cached_property
    def small(self) -> Image:
        """``uint8[h, w, 3]``, RGB, at most 640 pixels long."""
        small = cv2.resize(self._frame, self._small_size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)

    @cached_property
    def grey(self) -> Grey:
        """``uint8[h, w]`` of the smaller copy."""
        return cv2.cvtColor(self.small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)

    def view(self, view_from_frame: Affine | None) -> tuple[Image, Affine]:
        """A view in RGB and its ``view_from_frame``; None is the smaller copy.

        Beyond the frame its border goes on. Where the view is coarser than the copy, it is cut
        out of the copy: that is faster, and the copy is free of aliasing.
        """
        if view_from_frame is None:
            return self.small, self.small_from_frame
        size = (VIEW_PX, VIEW_PX)
        if 1.0 / geometry.face_width_px(view_from_frame) <= self._shrink:
            matrix = geometry.compose(view_from_frame, geometry.invert(self.small_from_frame))
            view = cv2.warpAffine(self.small, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        else:
            view = cv2.warpAffine(
                self._frame, view_from_frame, size, borderMode=cv2.BORDER_REPLICATE
            )
            view = cv2.cvtColor(view, cv2.COLOR_BGR2RGB)
        return view.astype(np.uint8, copy=False), view_from_frame

    @property
    def _shrink(self) -> float:
        return min(1.0, _SMALL_PX / max(self.size))


def tiles(width: int, height: int) -> list[Affine]:
    """Overlapping squares that cover a frame, each as ``view_from_frame``.

    The far detector finds faces down to 1/12 of the side of its picture, so tiles of half the
    short side find 30 pixels at 720p: pasted at 12 random places, two portraits of that size were
    found every time, with tiles of 2/3 in half the cases.
    """
    side = _TILE_SHARE * min(width, height)
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
    steps = math.ceil((length - side) / (side * (1.0 - _OVERLAP)))
    return [(length - side) * step / max(steps, 1) for step in range(steps + 1)]
