"""From a coarse grid over the aligned face to its pixels."""

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

_EDGE: Final = 0.05
"""Width of the soft edge beside a head that is turned, in face widths."""
_AHEAD: Final = 0.16
"""Up to which side a head counts as looking ahead; the temples are at 0.12 then."""
_DEEPEST: Final = 0.45
"""However a head is turned, its middle gets the pattern."""
_SIDES: Final = 128
"""As how many parts of a face width its sides are told apart: what was asked for is kept."""
_LEAN: Final = 2.3
"""How much faster than the side the edge comes in at first."""


def enlarge(grid: Plane, size_px: int) -> Plane:
    """Interpolate a square grid, whose points are cell centres, onto a square of pixels.

    Args:
        grid: ``float32[G, G]``.
        size_px: side of the result.

    Returns:
        ``float32[size_px, size_px]``.
    """
    matrix = cubic_matrix(size_px, len(grid))
    enlarged: Plane = matrix @ grid @ matrix.T
    return enlarged


@functools.lru_cache(maxsize=32)
def cubic_matrix(size_px: int, cells: int) -> Plane:
    """The linear map from grid values to pixel values along one axis.

    Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -1/2.
    Training multiplies by the same matrix, so that torch and NumPy paint the same pattern.

    Returns:
        ``float32[size_px, cells]``; every row sums to one.
    """
    at = (np.arange(size_px) + 0.5) * cells / size_px - 0.5
    first = np.floor(at).astype(int)
    matrix = np.zeros((size_px, cells))
    for offset in (-1, 0, 1, 2):
        distance = np.abs(at - (first + offset))
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1.0
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
        weight = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
        np.add.at(matrix, (np.arange(size_px), np.clip(first + offset, 0, cells - 1)), weight)
    result = matrix.astype(np.float32)
    result.flags.writeable = False
    return result


@functools.lru_cache(maxsize=32)
def oval(size_px: int) -> Plane:
    """How much of the pattern a pixel of the aligned face takes: an ellipse with a soft edge.

    Returns:
        ``float32[size_px, size_px]`` in ``[0, 1]``; 1 on the face, exactly 0 in the corners.
    """
    edge = np.clip((1.0 - ellipse(size_px)) / 0.15, 0.0, 1.0)
    mask = (edge * edge * (3.0 - 2.0 * edge)).astype(np.float32)
    mask.flags.writeable = False
    return mask


def flanks(size_px: int, sides: tuple[float, float]) -> Plane | None:
    """How much of the pattern a column takes, so that little lies beside a head that is turned.

    Args:
        size_px: side of the aligned face.
        sides: where the face ends, as of ``core.types.Face``.

    Returns:
        ``float32[size_px]`` in ``[0, 1]``, with soft edges that end where the face begins; None
        where both temples lie as in a face that looks ahead, or nearly, and all is taken.
    """
    left, right = (
        round(_SIDES * min(max(side, 0.0), _DEEPEST)) / _SIDES
        for side in (sides[0], 1.0 - sides[1])
    )
    return _flanks(size_px, left, right)


@functools.lru_cache(maxsize=256)
def _flanks(size_px: int, left: float, right: float) -> Plane | None:
    starts = [min(side - _EDGE, _LEAN * (side - _AHEAD) - 2.0 * _EDGE) for side in (left, right)]
    if max(starts) <= -_EDGE:
        return None
    u = (np.arange(size_px) + 0.5) / size_px
    inward = [
        np.clip((at - start) / _EDGE, 0.0, 1.0)
        for at, start in zip((u, 1.0 - u), starts, strict=True)
    ]
    taken: Plane = np.prod([e * e * (3.0 - 2.0 * e) for e in inward], axis=0).astype(np.float32)
    taken.flags.writeable = False
    return taken


def ellipse(size_px: int) -> NDArray[np.float64]:
    """How far each pixel of the aligned face is from its middle.

    Returns:
        ``float64[size_px, size_px]``; 1 on the ellipse that fills the square from forehead to
        chin, with 3 % of its width free on either side.
    """
    u = (np.arange(size_px) + 0.5) / size_px
    distance: NDArray[np.float64] = np.hypot((u[None, :] - 0.5) / 0.47, (u[:, None] - 0.5) / 0.5)
    return distance
