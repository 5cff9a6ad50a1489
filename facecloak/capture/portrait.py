"""A photograph that moves like a person in front of a webcam.

The photograph is NASA's portrait of Eileen Collins, in the public domain, which lies inside
scikit-image's wheel, so nothing is downloaded. Each picture is two warps of it: smooth displacement
fields move the head and the face (sway, brows, smile, jaw, a blink), and a hand-held camera pans,
zooms and tilts. Both are functions of time alone and repeat every ``PERIOD_S``.
"""

import math

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from facecloak.core.types import Affine, Image

WIDTH, HEIGHT = 1280, 720
PERIOD_S = 8.0

_PLATE_SCALE = 3
"""The photograph is enlarged once, by about as much as the camera shows it."""
_HEAD = (slice(0, 240), slice(84, 372))
"""Rows and columns of the photograph that may move."""
_NECK = (222.0, 195.0)
"""What the head sways about. This and the points below are photograph pixels, x then y: found once
with MediaPipe's face mesh, the lids then corrected by eye."""
_MOUTH_CORNERS = ((203.0, 139.5), (245.0, 141.5))
_BROWS = ((200.0, 89.0), (251.0, 91.5))
_CHIN = (221.5, 169.0)
_EYES = ((202.5, 10.5, 100.5, 102.8, 5.4, 2.6), (247.5, 11.5, 104.3, 104.0, 6.4, 2.0))
"""Each eye: middle x, half width, y of its two corners from left to right, and how far the lashes
lie above and the lower lid below the line between the corners."""
_BLINKS_S = (1.3, 4.1, 6.6)
_BLINK_S = 0.26

_Field = NDArray[np.float32]
_NO_MAP: _Field = np.empty(0, np.float32)
"""``remap`` takes the coordinates in one map of two channels, and none as the second."""


class Portrait:
    """The photograph and the fields that move it."""

    def __init__(self) -> None:
        photograph: Image = skimage.data.astronaut()  # type: ignore[no-untyped-call]
        photograph = np.ascontiguousarray(photograph[:, :, ::-1])
        self._plate: Image = cv2.resize(
            photograph, None, fx=_PLATE_SCALE, fy=_PLATE_SCALE, interpolation=cv2.INTER_LANCZOS4
        ).astype(np.uint8)
        rows, columns = (slice(a.start * _PLATE_SCALE, a.stop * _PLATE_SCALE) for a in _HEAD)
        self._head = (rows, columns)
        self._still = self._plate[rows, columns].copy()
        y, x = np.mgrid[: rows.stop - rows.start, : columns.stop - columns.start]
        self._here: _Field = np.dstack([x, y]).astype(np.float32)
        self._fields = _fields()

    def picture(self, time_s: float) -> Image:
        """Return ``uint8[720, 1280, 3]``, the portrait at ``time_s``."""
        weights = _weights(time_s % PERIOD_S)
        shift = np.tensordot(weights, self._fields, 1) * np.float32(_PLATE_SCALE)
        height, width = self._still.shape[:2]
        source = self._here - cv2.resize(shift, (width, height), interpolation=cv2.INTER_LINEAR)
        self._plate[self._head] = cv2.remap(
            self._still, source, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        canvas: Image = cv2.warpAffine(
            self._plate,
            _view(time_s % PERIOD_S),
            (WIDTH, HEIGHT),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        ).astype(np.uint8)
        return canvas


def _turn(time_s: float, times: int, phase: float = 0.0) -> float:
    """A sine that runs ``times`` periods in a loop; ``phase`` in turns."""
    return math.sin(2 * math.pi * (times * time_s / PERIOD_S + phase))


def _view(time_s: float) -> Affine:
    """``canvas_from_plate``: ``float64[2, 3]``, what the hand-held camera does at ``time_s``."""
    zoom = 3.12 + 0.34 * _turn(time_s, 1, -0.2) + 0.02 * _turn(time_s, 3)
    tilt_deg = 1.9 * _turn(time_s, 1, 0.1) + 0.7 * _turn(time_s, 2)
    centre_x = 246 + 9 * _turn(time_s, 1, 0.35) + 4 * _turn(time_s, 2, 0.1)
    centre_y = 149 + 3 * _turn(time_s, 2, 0.3) + 1.5 * _turn(time_s, 3)
    centre = (centre_x * _PLATE_SCALE, centre_y * _PLATE_SCALE)
    canvas_from_plate: Affine = cv2.getRotationMatrix2D(
        centre, tilt_deg, zoom / _PLATE_SCALE
    ).astype(np.float64)
    canvas_from_plate[:, 2] += (WIDTH / 2 - centre[0], HEIGHT / 2 - centre[1])
    return canvas_from_plate


def _weights(time_s: float) -> _Field:
    """How far each of ``_fields()`` is on at ``time_s``: ``float32[5]``."""
    sway = 0.8 * _turn(time_s, 1, 0.6) + 0.35 * _turn(time_s, 3, 0.2)
    brows = max(0.0, _turn(time_s, 2, -0.1)) ** 2
    smile = -0.45 + 0.55 * _turn(time_s, 1, 0.3)
    jaw = max(0.0, _turn(time_s, 1, 0.55)) * (0.5 + 0.3 * _turn(time_s, 8))
    nearest_s = min(abs(time_s - blink_s) for blink_s in _BLINKS_S)
    blink = math.cos(math.pi * min(nearest_s / _BLINK_S, 0.5)) ** 2
    return np.array([sway, brows, smile, jaw, blink], np.float32)


def _fields() -> _Field:
    """Where the head's pixels go at weight 1: sway, brows, smile, jaw, blink.

    Returns:
        ``float32[5, 240, 288, 2]``, photograph pixels, x then y; zero at the border of ``_HEAD``.
    """
    y, x = np.mgrid[_HEAD].astype(np.float32)
    head = _bump(x, y, (224, 110), (62, 62))
    turn = math.radians(2.0) * head
    right_brow, left_brow = (_bump(x, y, at, (15, 6)) for at in _BROWS)
    right_corner, left_corner = (_bump(x, y, at, (9, 8)) for at in _MOUTH_CORNERS)
    right_lid, left_lid = (_lid(x, y, eye) for eye in _EYES)
    still = np.zeros_like(x)
    fields = np.stack(
        [
            np.dstack([turn * (_NECK[1] - y), turn * (x - _NECK[0])]),
            np.dstack([still, -2.8 * (right_brow + left_brow)]),
            np.dstack([2.2 * (left_corner - right_corner), -2.2 * (left_corner + right_corner)]),
            np.dstack([still, 4.5 * _bump(x, y, _CHIN, (24, 14))]),
            np.dstack([still, right_lid + left_lid]),
        ]
    )
    edge = np.minimum.reduce([x - x[0, 0], x[0, -1] - x, y - y[0, 0], y[-1, 0] - y])
    inside = np.clip(edge / 24, 0, 1)
    return np.asarray(fields * (inside**2 * (3 - 2 * inside))[..., None], np.float32)


def _bump(x: _Field, y: _Field, at: tuple[float, float], sigma: tuple[float, float]) -> _Field:
    """A Gaussian of height 1 at ``at``."""
    squared = ((x - at[0]) / sigma[0]) ** 2 + ((y - at[1]) / sigma[1]) ** 2
    return np.asarray(np.exp(-squared / 2), np.float32)


def _lid(x: _Field, y: _Field, eye: tuple[float, ...]) -> _Field:
    """How far down each pixel of a closed eye has come: ``float32[240, 288]``, photograph pixels.

    Skin from above the lashes stretches over the eye, the lashes come to lie on the lower lid, and
    the eye itself is squeezed into the two pixels below them.
    """
    centre_x, half_width, right_y, left_y, lashes_up, lid_down = eye
    along = (x - centre_x) / half_width
    arch = np.clip(1 - np.abs(along) ** 3, 0, 1)
    corners = (right_y + left_y) / 2 + along * (left_y - right_y) / 2
    lashes, lower = corners - lashes_up * arch, corners + lid_down * arch
    shown = (lashes - 4, lower - 1.4, lower + 0.6, lower + 2.2)
    taken = (lashes - 4, lashes - 0.9, lashes + 1.6, lower + 2.2)
    source = y
    for i in range(3):
        slope = (taken[i + 1] - taken[i]) / (shown[i + 1] - shown[i])
        within = (y >= shown[i]) & (y < shown[i + 1])
        source = np.where(within, taken[i] + slope * (y - shown[i]), source)
    return np.asarray((y - source) * np.clip(3 * arch, 0, 1), np.float32)
