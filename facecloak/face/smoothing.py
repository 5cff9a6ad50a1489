"""The One-Euro filter: steady when the face rests, quick when it moves.

Casiez, Roussel, Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. Time is in seconds, not frames, because frames drop; speed is in
face widths a second, so that a near and a distant face are smoothed alike.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecloak.core import geometry
from facecloak.core.types import Affine

_Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingConfig:
    """How steady, how quick."""

    min_cutoff_hz: float = 1.5
    """Cut-off for a face at rest; lower is steadier and slower."""
    beta: float = 4.0
    """By how many Hz the cut-off rises for each face width a second."""
    speed_cutoff_hz: float = 2.0
    """Cut-off for the speed itself."""

    def __post_init__(self) -> None:
        if not (self.min_cutoff_hz > 0 and self.beta >= 0 and self.speed_cutoff_hz > 0):
            msg = f"smoothing needs positive cut-offs and beta >= 0, got {self}"
            raise ValueError(msg)


class OneEuro:
    """The filter for a vector; each element has a speed and a cut-off of its own."""

    def __init__(self, config: SmoothingConfig) -> None:
        self._config = config
        self._value: _Values | None = None
        self._speed: _Values | None = None
        self._at_s = -math.inf

    def filter(self, value: _Values, at_s: float, unit: float) -> _Values:
        """Take the value at a moment and return the smoothed one.

        Args:
            value: ``float64[N]``, the same N each time.
            at_s: its time in seconds; the same moment repeats the last answer, and an
                earlier one starts anew.
            unit: what counts as a length of one, in the unit of ``value``.
        """
        if self._value is None or self._speed is None or at_s < self._at_s:
            self._value, self._speed, self._at_s = value.copy(), np.zeros_like(value), at_s
            return value.copy()
        passed_s = at_s - self._at_s
        if passed_s > 0:
            config = self._config
            speed = (value - self._value) / (unit * passed_s)
            self._speed = self._speed + _gain(config.speed_cutoff_hz, passed_s) * (
                speed - self._speed
            )
            cutoff_hz = config.min_cutoff_hz + config.beta * np.abs(self._speed)
            self._value = self._value + _gain(cutoff_hz, passed_s) * (value - self._value)
            self._at_s = at_s
        return self._value.copy()


class PlaceFilter:
    """Smooths the place of one face: its middle and its half axis, as one vector of pixels."""

    def __init__(self, config: SmoothingConfig) -> None:
        self._filter = OneEuro(config)

    def filter(self, face_from_frame: Affine, at_s: float) -> Affine:
        """Return the smoothed ``face_from_frame`` of the moment ``at_s``."""
        frame_from_face = geometry.invert(face_from_frame)
        axis = 0.5 * frame_from_face[:, 0]
        middle = frame_from_face @ (0.5, 0.5, 1.0)
        unit = 2.0 * float(np.hypot(*axis))
        x, y, half_cos, half_sin = self._filter.filter(np.hstack([middle, axis]), at_s, unit)
        linear = 2.0 * np.array([[half_cos, -half_sin], [half_sin, half_cos]])
        corner = (x, y) - linear @ (0.5, 0.5)
        return geometry.invert(np.hstack([linear, corner[:, None]]))


def _gain(cutoff_hz: _Values | float, passed_s: float) -> _Values | float:
    """The share of a step that a first-order low-pass takes in ``passed_s``."""
    r = 2.0 * math.pi * passed_s * cutoff_hz
    return r / (r + 1.0)
