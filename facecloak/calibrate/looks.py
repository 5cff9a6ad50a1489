"""How a classifier at the far end may look at a face: never quite as we do.

The amounts are those of training (``facecloak_train.settings.attacks``).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecloak.calibrate.crops import FACE_FROM_CROP, Crops, as_frame
from facecloak.core import geometry
from facecloak.core.ports import Cloak
from facecloak.core.types import Affine, Face, Frame
from facecloak.verify.crop import face_crop


@dataclass(frozen=True, slots=True, kw_only=True)
class Misalignment:
    """The most by which a look differs, drawn evenly either way."""

    rotation_deg: float = 3.0
    """In degrees."""
    shift: float = 0.02
    """In face widths, along each axis."""
    scale: float = 0.03
    """As a share of the size."""
    contrast: float = 0.15
    """As a share."""
    brightness: float = 0.08
    """As a share of white."""


EXACT = Misalignment(rotation_deg=0.0, shift=0.0, scale=0.0, contrast=0.0, brightness=0.0)
"""As our own judges look."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One look at one crop.

    Attributes:
        frame: the crop as a frame, at some time of the perturbation's period.
        face: where the face is in it.
        face_from_frame: where the classifier takes it to be.
        contrast: factor on its crop.
        brightness: what is then added, in levels.
    """

    frame: Frame
    face: Face
    face_from_frame: Affine
    contrast: float
    brightness: float

    def plane(self, cloak: Cloak | None, size_px: int) -> NDArray[np.uint8]:
        """What the classifier sees: ``uint8[size_px, size_px]``, grey; without a cloak the face."""
        frame = self.frame if cloak is None else cloak.apply(self.frame, (self.face,))
        seen = face_crop(frame.image, self.face_from_frame, size_px)
        lit = np.rint(seen * self.contrast + self.brightness)
        plane: NDArray[np.uint8] = np.clip(lit, 0, 255).astype(np.uint8)
        return plane


def draw(
    crops: Crops,
    rng: np.random.Generator,
    *,
    misalignment: Misalignment = Misalignment(),
    period_s: float = 1.0,
) -> tuple[Look, ...]:
    """One look at each crop."""
    looks = []
    for crop in crops:
        frame, face = as_frame(crop, rng.uniform(0.0, period_s))
        looks.append(
            Look(
                frame=frame,
                face=face,
                face_from_frame=geometry.compose(_misaligned(misalignment, rng), FACE_FROM_CROP),
                contrast=1.0 + misalignment.contrast * rng.uniform(-1.0, 1.0),
                brightness=255.0 * misalignment.brightness * rng.uniform(-1.0, 1.0),
            )
        )
    return tuple(looks)


def planes(looks: Sequence[Look], cloak: Cloak | None, size_px: int) -> NDArray[np.uint8]:
    """What a classifier sees in each look: ``uint8[N, size_px, size_px]``."""
    return np.stack([look.plane(cloak, size_px) for look in looks])


def _misaligned(most: Misalignment, rng: np.random.Generator) -> Affine:
    """A small similarity about the middle of the face, in face coordinates: ``float64[2, 3]``."""
    angle = math.radians(most.rotation_deg * rng.uniform(-1.0, 1.0))
    scale = 1.0 + most.scale * rng.uniform(-1.0, 1.0)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]])
    middle = np.array([0.5, 0.5])
    shift = most.shift * rng.uniform(-1.0, 1.0, 2)
    return np.hstack([linear, (middle + shift - linear @ middle)[:, None]])
