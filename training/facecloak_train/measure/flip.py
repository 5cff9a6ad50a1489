"""FLIP: how much of a difference somebody sees who flips between two pictures.

Source: Andersson, Nilsson, Akenine-Moller, Oskarsson, Astrom and Fairchild, "FLIP: A Difference
Evaluator for Alternating Images" (HPG 2020), with its constants. Colours are first blurred as the
eye blurs them at that distance (its contrast sensitivity); a difference weighs more where edges or
points come, go or change.
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core.types import Image

PIXELS_PER_DEGREE: Final = 67.0
"""Of a screen of 3840 pixels that is as wide as it is far away."""

Plane = NDArray[np.float32]
Colours = NDArray[np.float32]
"""``float32[H, W, 3]``, in some space of colours."""

_XYZ_FROM_RGB: Final = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    np.float32,
)
"""IEC 61966-2-1, linear."""
_WHITE: Final = _XYZ_FROM_RGB.sum(axis=1)
_OPPONENT_FROM_XYZ: Final = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32)
"""YCxCz of XYZ in parts of white, before ``_DARK`` is taken away."""
_DARK: Final = np.array([16.0, 0.0, 0.0], np.float32)
_SENSITIVITY: Final = (
    ((1.0, 0.0047),),
    ((1.0, 0.0053),),
    ((34.1, 0.04), (13.5, 0.025)),
)
"""Of light and dark, red and green, blue and yellow: weights and widths of Gaussians."""
_COLOUR_POWER: Final = 0.7
_KNEE: Final = (0.4, 0.95)
"""This part of the largest difference is stretched to that part of the scale."""
_FEATURE_DEGREES: Final = 0.082
"""Width of the features that the eye sees best."""


def flip(reference: Image, test: Image, pixels_per_degree: float = PIXELS_PER_DEGREE) -> float:
    """The mean over all pixels, in ``[0, 1]``; 0 for equal pictures, 1 for green beside blue.

    Args:
        reference: ``uint8[H, W, 3]``, BGR, sRGB.
        test: likewise.
        pixels_per_degree: of the angle of view.
    """
    return float(flip_map(reference, test, pixels_per_degree).mean())


def flip_map(reference: Image, test: Image, pixels_per_degree: float = PIXELS_PER_DEGREE) -> Plane:
    """The difference that is seen at each pixel, ``float32[H, W]``; see :func:`flip`."""
    colours = [_opponent(picture) for picture in (reference, test)]
    first, second = (_perceived(one, pixels_per_degree) for one in colours)
    colour = _stretched(_apart(first, second) ** _COLOUR_POWER)
    lights = [(one[..., 0] + 16.0) / 116.0 for one in colours]
    edges, points = (
        np.abs(np.subtract(*(_strength(light, pixels_per_degree, order) for light in lights)))
        for order in (1, 2)
    )
    feature = np.sqrt(np.maximum(edges, points) / math.sqrt(2.0))
    seen: Plane = np.power(colour, 1.0 - feature).astype(np.float32)
    return seen


def _opponent(picture: Image) -> Colours:
    """YCxCz of a picture."""
    values = picture[..., ::-1].astype(np.float32) / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    colours: Colours = (linear @ _XYZ_FROM_RGB.T / _WHITE) @ _OPPONENT_FROM_XYZ.T
    return colours - _DARK


def _perceived(colours: Colours, pixels_per_degree: float) -> Colours:
    """CIELAB of what the eye resolves, with Hunt's weaker colours in the dark."""
    blurred = np.stack(
        [
            cv2.filter2D(
                np.ascontiguousarray(colours[..., channel]),
                -1,
                _blur(terms, pixels_per_degree),
                borderType=cv2.BORDER_REPLICATE,
            )
            for channel, terms in enumerate(_SENSITIVITY)
        ],
        axis=-1,
    )
    shares = (blurred + _DARK) @ np.linalg.inv(_OPPONENT_FROM_XYZ).T
    return _hunt(np.clip((shares * _WHITE) @ np.linalg.inv(_XYZ_FROM_RGB).T, 0.0, 1.0))


def _hunt(linear_rgb: NDArray[np.float64]) -> Colours:
    """CIELAB of linear colours, with weaker ones in the dark; see :func:`_perceived`."""
    shares = linear_rgb @ _XYZ_FROM_RGB.T / _WHITE
    bend = 6.0 / 29.0
    curve = np.where(shares > bend**3, np.cbrt(shares), shares / (3.0 * bend * bend) + 4.0 / 29.0)
    light = 116.0 * curve[..., 1] - 16.0
    reds, blues = (
        weight * (curve[..., one] - curve[..., other])
        for weight, one, other in ((500.0, 0, 1), (200.0, 1, 2))
    )
    hunted: Colours = np.stack([light, 0.01 * light * reds, 0.01 * light * blues], -1).astype(
        np.float32
    )
    return hunted


def _apart(one: Colours, other: Colours) -> Plane:
    """HyAB, the distance for large differences: city blocks between lightness and chroma."""
    light, reds, blues = np.moveaxis(one - other, -1, 0)
    distance: Plane = np.abs(light) + np.hypot(reds, blues)
    return distance


def _stretched(powers: Plane) -> Plane:
    green, blue = (_hunt(np.array(colour)) for colour in ([0.0, 1.0, 0.0], [0.0, 0.0, 1.0]))
    most = float(_apart(green, blue)) ** _COLOUR_POWER
    knee, share = _KNEE[0] * most, _KNEE[1]
    above = share + (powers - knee) / (most - knee) * (1.0 - share)
    stretched: Plane = np.where(powers < knee, powers * share / knee, above)
    return stretched


def _blur(terms: tuple[tuple[float, float], ...], pixels_per_degree: float) -> Plane:
    """A contrast sensitivity as a filter of pixels; it sums to one."""
    widest = max(width for terms in _SENSITIVITY for _, width in terms)
    radius = math.ceil(3.0 * math.sqrt(widest / (2.0 * math.pi**2)) * pixels_per_degree)
    degrees = np.arange(-radius, radius + 1) / pixels_per_degree
    square = degrees[:, None] ** 2 + degrees**2
    total = sum(
        weight * math.sqrt(math.pi / width) * np.exp(-(math.pi**2) * square / width)
        for weight, width in terms
    )
    kernel: Plane = (total / np.sum(total)).astype(np.float32)
    return kernel


def _strength(light: Plane, pixels_per_degree: float, order: int) -> Plane:
    """How much of an edge (1) or of a point (2) there is at each pixel, whatever its direction."""
    deviation = 0.5 * _FEATURE_DEGREES * pixels_per_degree
    radius = math.ceil(3.0 * deviation)
    at = np.arange(-radius, radius + 1)
    bell = np.exp(-(at**2) / (2.0 * deviation**2))
    along = -at if order == 1 else at**2 / deviation**2 - 1.0
    kernel = np.outer(bell, along * bell)
    for sign in (-1.0, 1.0):
        side = sign * kernel > 0
        kernel[side] /= np.abs(kernel[side].sum())
    across, down = (
        cv2.filter2D(light, cv2.CV_32F, one.astype(np.float32), borderType=cv2.BORDER_REPLICATE)
        for one in (kernel, kernel.T)
    )
    strength: Plane = np.hypot(across, down)
    return strength
