"""How a face may stand a moment later: the head turns on, and the finder places it anew."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_TURN: Final = math.radians(2.0)
_SHIFT: Final = 0.012
_ALONG: Final = 0.06
_ACROSS: Final = 0.03
"""By how much it may be turned, shifted (in face widths), and widened or narrowed along each axis,
as natural logarithms: a head that turns to the side narrows most."""


def strayed(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The same face as it may stand in the square of the perturbation: ``uint8[S, S]``, grey."""
    turn, wide, high, right, down = rng.uniform(-1.0, 1.0, 5)
    side = len(crop)
    cos, sin = math.cos(turn * _TURN), math.sin(turn * _TURN)
    scale = np.diag([math.exp(wide * _ALONG), math.exp(high * _ACROSS)])
    linear = np.array([[cos, -sin], [sin, cos]]) @ scale
    middle = np.full(2, (side - 1) / 2)
    offset = middle + _SHIFT * side * np.array([right, down]) - linear @ middle
    moved = cv2.warpAffine(
        crop,
        np.column_stack([linear, offset]),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved.astype(np.uint8, copy=False)
