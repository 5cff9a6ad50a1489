"""Moves a face within itself, by at most a percent or so of its width."""

from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike as Mat

from facecloak.core import geometry
from facecloak.core.displacement import Field
from facecloak.core.types import Affine

_COARSER: Final = 4
"""The field is so smooth that every fourth pixel is enough; those between are interpolated."""


def move(
    picture: Mat,
    out: Mat,
    shift: Field,
    face_from_frame: Affine,
    box: tuple[int, int, int, int],
) -> None:
    """Show each pixel in the box of a face from a place beside it; what is not the face stays.

    Args:
        picture: ``uint8[H, W, 3]``.
        out: ``uint8[H, W, 3]``, another picture, whose box is written.
        shift: ``float32[S, S, 2]``, how far over the aligned face, in face widths.
        face_from_frame: ``float64[2, 3]``, where the face is.
        box: left, top, right, bottom (exclusive), in pixels, all within the picture.
    """
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return
    # One coarse pixel more on each side, so that those at the border have two to lie between.
    first = 0.5 * (_COARSER - 1) - _COARSER
    frame_from_coarse = np.array([[_COARSER, 0.0, left + first], [0.0, _COARSER, top + first]])
    field_from_frame = geometry.compose(geometry.crop_from_face(len(shift)), face_from_frame)
    columns, rows = -(-width // _COARSER) + 2, -(-height // _COARSER) + 2
    coarse = cv2.warpAffine(
        shift,
        geometry.compose(field_from_frame, frame_from_coarse),
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    pixels_per_width = geometry.invert(face_from_frame)[:, :2]
    shown = cv2.transform(coarse, pixels_per_width).astype(np.float32, copy=False)
    shown[..., 0] += _COARSER * np.arange(columns, dtype=np.float32) + (left + first)
    shown[..., 1] += (_COARSER * np.arange(rows, dtype=np.float32) + (top + first))[:, None]
    fine = cv2.resize(shown, (_COARSER * columns, _COARSER * rows))
    inner = fine[_COARSER : _COARSER + height, _COARSER : _COARSER + width]
    cv2.remap(
        picture,
        inner,
        np.empty(0),
        cv2.INTER_LINEAR,
        dst=out[top:bottom, left:right],
        borderMode=cv2.BORDER_REPLICATE,
    )
