"""The geometric half of a perturbation: a smooth shift of the aligned face.

    out(p) = in(p + d(p))        d(p) = window(p) * field enlarged to p

in face widths, on a coarse square grid over the aligned face, enlarged by cubic interpolation. The
window takes it to zero, with its slope, at the edge of an ellipse, so slowly that the edge bends
less than the field itself.
"""

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.interpolation import Plane, ellipse, enlarge

Field = NDArray[np.float32]
"""``float32[2, K, K]``: shifts to the right and down at the cell centres, in face widths."""

MEASURED_PX: Final = 128
"""Side of the square of pixels on which a field's size and strain are measured."""
ROOM: Final = 1 - 1e-5
"""What is used of a budget, so that rounding does not break it."""
_SMOOTHINGS: Final = 12
"""How often a field is smoothed at most."""
EDGE: Final = 0.45
"""Over which part of the way from the edge to the middle a field comes to its full size."""


def render(field: Field, size_px: int) -> Field:
    """The shift of each pixel of the aligned face: ``float32[size_px, size_px, 2]``, face widths.

    It is exactly zero outside of the ellipse.
    """
    mask = window(size_px)
    shift: Field = np.stack([enlarge(plane, size_px) * mask for plane in field], axis=-1)
    return shift


@functools.lru_cache(maxsize=8)
def window(size_px: int) -> Plane:
    """How much of the field a pixel takes: 1 in the middle, 0 from the edge of the ellipse on.

    Between them lies a cubic step; ``float32[size_px, size_px]``.
    """
    inward = np.clip((1.0 - ellipse(size_px)) / EDGE, 0.0, 1.0)
    mask = (inward * inward * (3.0 - 2.0 * inward)).astype(np.float32)
    mask.flags.writeable = False
    return mask


def largest(field: Field) -> float:
    """The longest shift that a field makes, in face widths."""
    shift = render(field, MEASURED_PX)
    return float(np.hypot(shift[..., 0], shift[..., 1]).max())


def strain(field: Field) -> float:
    """How much a field stretches or bends at most: the largest singular value of its gradient.

    It has no unit; a straight line turns by at most so many radians, and from 1 on a face could
    fold.
    """
    shift = render(field, MEASURED_PX).astype(np.float64)
    rows, columns = np.gradient(shift, 1.0 / MEASURED_PX, axis=(0, 1))
    (a, c), (b, d) = np.moveaxis(columns, -1, 0), np.moveaxis(rows, -1, 0)
    # The larger singular value of [[a, b], [c, d]], in closed form.
    total = a * a + b * b + c * c + d * d
    apart = np.hypot(a * a + b * b - c * c - d * d, 2.0 * (a * c + b * d))
    return float(np.sqrt(0.5 * (total + apart)).max())


def within(field: Field, *, most_shift: float, most_strain: float) -> Field:
    """Take a displacement back into both budgets, which the reader of the file measures alike.

    Shifts that are too long are shortened each by itself; a field that bends too much is smoothed
    until it does not. What cubic interpolation adds to that is scaled away.

    Args:
        field: ``float32[2, D, D]``, face widths.
        most_shift: the largest length, above zero.
        most_strain: the largest strain, above zero.
    """
    lengths = np.maximum(np.hypot(field[0], field[1]), 1e-12)
    bounded = field * np.minimum(1.0, most_shift / lengths).astype(np.float32)
    for _ in range(_SMOOTHINGS):
        if strain(bounded) <= most_strain:
            break
        bounded = (0.75 * bounded + 0.25 * _smoothed(bounded)).astype(np.float32)
    too_much = max(largest(bounded) / most_shift, strain(bounded) / most_strain)
    scaled: Field = (bounded * min(1.0, ROOM / max(too_much, 1e-9))).astype(np.float32)
    return scaled


def _smoothed(field: Field) -> Field:
    """The mean with the neighbours, ``[1 2 1] / 4`` along each axis; the border is repeated."""
    padded = np.pad(field, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    smoothed: Field = 0.25 * rows[..., :-2] + 0.5 * rows[..., 1:-1] + 0.25 * rows[..., 2:]
    return smoothed
