"""From landmarks to the face's place, and how two places compare. NumPy only."""

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from facecloak.core import geometry
from facecloak.core.errors import DegenerateFace
from facecloak.core.types import Affine, Points, Sighting

MIN_WIDTH_PX: Final = 16.0
"""A smaller face square is noise: neither a person nor a classifier reads 16 pixels."""
MAX_WIDTH_SHARE: Final = 3.0
"""A face square larger than this share of the frame's long side is nonsense."""

_MIDDLE: Final = np.array([[0.5, 0.5]])


@dataclass(frozen=True, eq=False)  # without slots: what it is asked for often is kept
class Place:
    """Where a face is.

    Attributes:
        face_from_frame: ``float64[2, 3]``, a similarity.
        sighting: how that is known.
        score: how sure the model is, in ``[0, 1]``.
        sides: as of ``core.types.Face``.
    """

    face_from_frame: Affine
    sighting: Sighting
    score: float = 1.0
    sides: tuple[float, float] = (0.0, 1.0)

    @functools.cached_property
    def width_px(self) -> float:
        """Side of the face square in pixels."""
        return geometry.face_width_px(self.face_from_frame)

    @functools.cached_property
    def centre(self) -> Points:
        """``float64[2]``, the middle of the face square in pixels."""
        middle: Points = geometry.apply(geometry.invert(self.face_from_frame), _MIDDLE)[0]
        return middle

    def within(self, width: int, height: int) -> bool:
        """Whether a quarter of the face lies in a frame of that size.

        A face mirrored at the border of a view is then either outside or overlaps the real one.
        """
        x, y = self.centre
        over = 0.25 * self.width_px
        return bool(-over <= x < width + over and -over <= y < height + over)

    def is_plausible(self, width: int, height: int) -> bool:
        """Whether a face in a frame of that size can be here."""
        try:
            side = self.width_px
        except DegenerateFace:
            return False
        largest = MAX_WIDTH_SHARE * max(width, height)
        return MIN_WIDTH_PX <= side <= largest and self.within(width, height)


def from_mesh(landmarks: Points) -> Place:
    """Align by the rigid landmarks of the mesh, ``float64[13, 2]``. Raises DegenerateFace."""
    matrix = geometry.similarity(landmarks, geometry.TEMPLATE_POINTS)
    across = geometry.apply(matrix, landmarks)[:, 0]
    return Place(matrix, Sighting.MESH, sides=(float(across.min()), float(across.max())))


def from_keypoints(detection: tuple[Points, float]) -> Place:
    """Align by the detector's ``float64[6, 2]`` points and score. Raises DegenerateFace."""
    points, score = detection
    matrix = geometry.similarity(points, geometry.KEYPOINT_POINTS)
    return Place(matrix, Sighting.KEYPOINTS, score)


def overlap(one: Place, other: Place) -> bool:
    """Whether two places are one face: heads keep half a face apart."""
    apart = float(np.hypot(*(one.centre - other.centre)))
    return apart < 0.5 * max(one.width_px, other.width_px)


def distance(one: Place, other: Place) -> float:
    """How far apart two places are, in face widths; a doubled size counts like one width."""
    mean = math.sqrt(one.width_px * other.width_px)
    shift = float(np.hypot(*(one.centre - other.centre))) / mean
    return shift + abs(math.log2(one.width_px / other.width_px))
