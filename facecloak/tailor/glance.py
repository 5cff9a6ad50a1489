"""How a classifier at the far end may look at a face: its own crop, in its own light."""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core.interpolation import Plane

_TURN: Final = math.radians(5.0)
_ZOOM: Final = math.log1p(0.09)
_SHIFT: Final = 0.03
_CONTRAST: Final = 0.15
_BRIGHTNESS: Final = 0.08
"""How much its crop may be turned, enlarged, shifted (in face widths) and relit, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """One way to look.

    Attributes:
        face_from_crop: ``float64[2, 3]``, takes pixels of the crop to pixels of the face.
        crop_px: side of the crop.
        gain: factor on the distance from medium grey.
        offset: added to that, as a share of white.
    """

    face_from_crop: NDArray[np.float64]
    crop_px: int
    gain: float = 1.0
    offset: float = 0.0

    def look(self, face: Plane) -> Plane:
        """What is seen of a face in levels: ``float32[crop_px, crop_px]`` in ``[0, 1]``."""
        crop = cv2.warpAffine(
            face,
            self.face_from_crop,
            (self.crop_px, self.crop_px),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        seen: Plane = np.clip((crop / 255.0 - 0.5) * self.gain + (0.5 + self.offset), 0.0, 1.0)
        return seen.astype(np.float32, copy=False)

    def pull(self, gradient: Plane, face_px: int) -> Plane:
        """What a gradient of the crop means for the face, nearly: ``float32[face_px, face_px]``."""
        spread: Plane = cv2.warpAffine(
            gradient, self.face_from_crop, (face_px, face_px), flags=cv2.INTER_LINEAR
        ).astype(np.float32, copy=False)
        return spread * np.float32(self.gain / 255.0)


def straight(face_px: int, crop_px: int) -> Glance:
    """The middle of the face, as it is."""
    margin = (face_px - crop_px) / 2
    return Glance(np.array([[1.0, 0.0, margin], [0.0, 1.0, margin]]), crop_px)


def draw(rng: np.random.Generator, face_px: int, crop_px: int) -> Glance:
    """A way to look at random, between the whole face and a little less than its middle."""
    turn, zoom, right, down, contrast, brightness = rng.uniform(-1.0, 1.0, 6)
    scale = math.sqrt(face_px / crop_px) * math.exp(zoom * _ZOOM)
    cos, sin = scale * math.cos(turn * _TURN), scale * math.sin(turn * _TURN)
    linear = np.array([[cos, -sin], [sin, cos]])
    centre = (face_px - 1) / 2 + _SHIFT * face_px * np.array([right, down])
    offset = centre - linear @ np.full(2, (crop_px - 1) / 2)
    return Glance(
        np.column_stack([linear, offset]),
        crop_px,
        1.0 + contrast * _CONTRAST,
        brightness * _BRIGHTNESS,
    )
