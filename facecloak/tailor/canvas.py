"""A face as a perturbation changes it, and the way back: the adjoint of what the compositor does.

    pattern, displacement --paint--> the face as sent --classifiers--> gradient --pull--> of both

The numbers are those of ``core.perturbation`` and ``core.displacement``, on a small crop.
"""

import functools
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core import displacement
from facecloak.core.displacement import Field
from facecloak.core.interpolation import Plane, cubic_matrix, enlarge, flanks, oval

FACE_PX: Final = 48
"""Side of the face that is painted, as classifiers see it."""
_FINE: Final = 2
FINE_PX: Final = FACE_PX * _FINE
"""Side of the crop in which the face is moved: moving blurs, and less so where there is more."""
_NEIGHBOURHOOD_PX: Final = 5
_SMOOTH: Final = 3.0
_BUSY: Final = 12.0
"""Standard deviations in a neighbourhood, in levels: up to the one skin is smooth, and from the
other on texture hides a pattern."""


class Canvas:
    """One face at one moment.

    Args:
        crop: ``uint8[FINE_PX, FINE_PX]``, grey, aligned.
        sides: where the face ends, as of ``core.types.Face``; the pattern does there, too.
    """

    def __init__(self, crop: NDArray[np.uint8], sides: tuple[float, float] = (0.0, 1.0)) -> None:
        grey = crop.astype(np.float32)
        down, right = np.gradient(grey)
        self._moving = np.dstack([grey, right, down])
        self.clean = _shrunk(grey)
        self._slopes = np.zeros((FINE_PX, FINE_PX, 2), np.float32)
        taken = flanks(FINE_PX, sides)
        self._takes = oval(FINE_PX) if taken is None else oval(FINE_PX) * taken

    def paint(self, pattern: Plane, field: Field) -> Plane:
        """The face moved and painted: ``float32[FACE_PX, FACE_PX]``, whole levels.

        Args:
            pattern: ``float32[G, G]``, levels.
            field: ``float32[2, D, D]``, face widths.
        """
        at = _places() + FINE_PX * displacement.render(field, FINE_PX)
        moved = cv2.remap(
            self._moving,
            np.ascontiguousarray(at[..., 0]),
            np.ascontiguousarray(at[..., 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.float32, copy=False)
        self._slopes = moved[..., 1:]
        painted = moved[..., 0] + enlarge(pattern, FINE_PX) * self._takes
        whole: Plane = np.rint(np.clip(_shrunk(painted), 0.0, 255.0))
        return whole

    def pull(self, gradient: Plane, cells: int, field_cells: int) -> tuple[Plane, Field]:
        """What a gradient of the face last painted means for the pattern and the displacement.

        Args:
            gradient: ``float32[FACE_PX, FACE_PX]``, of any score by the face's pixels.
            cells: side of the pattern.
            field_cells: side of the displacement.

        Returns:
            ``float32[cells, cells]`` and ``float32[2, field_cells, field_cells]``.
        """
        fine = np.repeat(np.repeat(gradient, _FINE, 0), _FINE, 1) / np.float32(_FINE**2)
        of_pattern = _gathered(fine * self._takes, cells)
        shifts = FINE_PX * fine * displacement.window(FINE_PX)
        of_field = [_gathered(shifts * self._slopes[..., axis], field_cells) for axis in (0, 1)]
        return of_pattern, np.stack(of_field)

    def shows(self, cells: int) -> NDArray[np.bool_]:
        """Which cells of a pattern are painted at all: ``bool[cells, cells]``."""
        shown: NDArray[np.bool_] = _gathered(self._takes, cells) != 0.0
        return shown

    def hides(self, cells: int) -> Plane:
        """How well each cell of a pattern is hidden by what is there: ``float32[cells, cells]``.

        Texture hides texture (contrast masking; Legge and Foley, "Contrast masking in human
        vision", 1980). From 0 on smooth skin to 1, by the standard deviation in a neighbourhood.
        """
        side = (_NEIGHBOURHOOD_PX, _NEIGHBOURHOOD_PX)
        border = cv2.BORDER_REPLICATE
        mean = cv2.blur(self.clean, side, borderType=border)
        square = cv2.blur(self.clean * self.clean, side, borderType=border)
        contrast = np.sqrt(np.maximum(square - mean * mean, 0.0))
        share = np.clip((contrast - _SMOOTH) / (_BUSY - _SMOOTH), 0.0, 1.0)
        size = (cells, cells)
        shrunk = cv2.resize(share, size, interpolation=cv2.INTER_AREA)
        hidden: Plane = np.asarray(shrunk, np.float32)
        return hidden


def _shrunk(fine: Plane) -> Plane:
    halves = fine.reshape(FACE_PX, _FINE, FACE_PX, _FINE)
    shrunk: Plane = halves.mean(axis=(1, 3))
    return shrunk


def _gathered(fine: Plane, cells: int) -> Plane:
    """The adjoint of ``enlarge``."""
    matrix = cubic_matrix(FINE_PX, cells)
    gathered: Plane = matrix.T @ fine @ matrix
    return gathered


@functools.lru_cache(maxsize=1)
def _places() -> Field:
    """Where each pixel is: ``float32[FINE_PX, FINE_PX, 2]``, x then y."""
    along = np.arange(FINE_PX, dtype=np.float32)
    return np.stack(np.meshgrid(along, along, indexing="xy"), axis=-1)
