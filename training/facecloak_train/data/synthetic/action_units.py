"""How the skin moves when a muscle of the face contracts, as fields on MediaPipe's mesh.

Source of the units and of what each does: Ekman and Friesen, "Facial Action Coding System" (1978).
Directions, reaches and relative sizes are this project's own, set by eye on rendered sheets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.types import Points

Field = NDArray[np.float32]
"""Displacements in pixels, ``float32[H, W, 2]``, x then y."""

RIGHT, LEFT = 33, 263
"""The outer corners of the eyes, whose distance is the measure of every length here."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Some points that go one way.

    Attributes:
        right: vertices of the person's right half, on the left of the picture.
        left: those of the left half; their way is the mirror image.
        outwards: how far away from the middle of the face, relative to the unit's size.
        upwards: how far up.
        reach: the distance, in distances of the eyes' corners, at which 61 % of it are left.
    """

    right: tuple[int, ...]
    left: tuple[int, ...]
    outwards: float
    upwards: float
    reach: float


_INNER_BROW = ((107, 66, 55), (336, 296, 285))
_OUTER_BROW = ((70, 63, 46, 53), (300, 293, 276, 283))
_WHOLE_BROW = ((107, 66, 105, 55, 65), (336, 296, 334, 285, 295))
_UPPER_LID = ((160, 159, 158), (387, 386, 385))
_LOWER_LID = ((144, 145, 153), (373, 374, 380))
_CHEEK = ((50, 101, 118), (280, 330, 347))
_NOSE_WING = ((64, 98, 129), (294, 327, 358))
_UPPER_LIP = ((39, 37, 40), (269, 267, 270))
_LIP_CORNER = ((61, 76), (291, 306))
_LOWER_LIP = ((84, 181, 91), (314, 405, 321))
_CHIN = ((148, 171, 208), (377, 396, 428))

ACTION_UNITS: Final[Mapping[int, tuple[Pull, ...]]] = {
    1: (Pull(*_INNER_BROW, -0.1, 1.0, 0.13),),
    2: (Pull(*_OUTER_BROW, 0.0, 1.0, 0.13),),
    4: (Pull(*_WHOLE_BROW, -0.5, -0.9, 0.12),),
    5: (Pull(*_UPPER_LID, 0.0, 0.7, 0.05),),
    6: (Pull(*_CHEEK, 0.1, 0.8, 0.15), Pull(*_LOWER_LID, 0.0, 0.4, 0.05)),
    7: (Pull(*_LOWER_LID, 0.0, 0.5, 0.05), Pull(*_UPPER_LID, 0.0, -0.4, 0.05)),
    9: (Pull(*_NOSE_WING, 0.0, 0.9, 0.10), Pull(*_INNER_BROW, -0.2, -0.5, 0.10)),
    10: (Pull(*_UPPER_LIP, 0.0, 0.9, 0.08), Pull(*_NOSE_WING, 0.1, 0.4, 0.08)),
    12: (Pull(*_LIP_CORNER, 0.9, 0.8, 0.12),),
    14: (Pull(*_LIP_CORNER, 0.7, 0.1, 0.06),),
    15: (Pull(*_LIP_CORNER, 0.1, -1.0, 0.10),),
    17: (Pull(*_CHIN, 0.0, 0.9, 0.15), Pull(*_LOWER_LIP, 0.0, 0.6, 0.08)),
    20: (Pull(*_LIP_CORNER, 1.0, -0.2, 0.10),),
    23: (Pull(*_LIP_CORNER, -0.7, 0.0, 0.08), Pull(*_LOWER_LIP, 0.0, 0.4, 0.05)),
    25: (Pull(*_LOWER_LIP, 0.0, -0.8, 0.08), Pull(*_UPPER_LIP, 0.0, 0.2, 0.06)),
}
"""The units that the stand-in set uses, by their number."""

BLINK: Final = (Pull(*_UPPER_LID, 0.0, -1.0, 0.05),)
"""No expression: the upper lids go down."""


def displacement(
    pulls: tuple[Pull, ...], points: Points, size_px: int, sides: tuple[float, float] = (1.0, 1.0)
) -> Field:
    """Where the skin goes when it is pulled by one pixel.

    Around every vertex the pull falls off as a Gaussian; where vertices are close together it is
    their mean, not their sum.

    Args:
        pulls: of one action unit.
        points: ``float64[468, 2]``, the mesh in pixels of the picture.
        size_px: side of the picture.
        sides: how strongly the person's right and left half move.

    Returns:
        ``float32[size_px, size_px, 2]``.
    """
    across = points[LEFT] - points[RIGHT]
    distance = float(np.hypot(*across))
    outwards = across / distance
    upwards = np.array([outwards[1], -outwards[0]])
    rows, columns = np.mgrid[:size_px, :size_px].astype(np.float32)
    total = np.zeros((size_px, size_px, 2), np.float32)
    weight = np.zeros((size_px, size_px), np.float32)
    for pull in pulls:
        spread = 2.0 * (pull.reach * distance) ** 2
        for vertices, sign, strength in ((pull.right, -1.0, sides[0]), (pull.left, 1.0, sides[1])):
            way = strength * (sign * pull.outwards * outwards + pull.upwards * upwards)
            for x, y in points[list(vertices)]:
                near = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / spread)
                total += near[..., None] * way.astype(np.float32)
                weight += near
    field: Field = total / np.maximum(weight, 1.0)[..., None]
    return field
