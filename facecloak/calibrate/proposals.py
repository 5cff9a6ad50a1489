"""Changes of a perturbation to try: none of them leaves the budgets of its header.

A square of the pattern goes to its limit, up or down, and a control point of the displacement is
moved; what bends the face too much then is smoothed and scaled as in training.

Source of the squares: Andriushchenko et al., "Square Attack" (ECCV 2020, arXiv 1912.00049), there
for one picture. A correction on a much coarser grid (12 x 12) was tried first: it has hardly any
effect, even where the gradient is known (docs/decisions/0013-calibration.md).
"""

import dataclasses
from typing import Final

import numpy as np

from facecloak.core import displacement
from facecloak.core.displacement import Field
from facecloak.core.errors import ConfigError
from facecloak.core.perturbation import Perturbation

FIRST_SHARE: Final = 0.1
"""Side of the first squares, as a share of the pattern's."""
LAST_CELLS: Final = 2
"""Side of the last ones, in cells."""
BEND_SHARE: Final = 0.1
"""How many of the proposals change the displacement."""
_FIRST_MOVE, _LAST_MOVE = 0.7, 0.1
"""Standard deviation of a control point's move, as a share of the largest shift."""
_SMOOTHINGS: Final = 12
_ROOM: Final = 1 - 1e-5
"""What is used of a budget, so that rounding does not break it."""


class Proposals:
    """Proposes changes.

    Args:
        start: says which budgets hold, and which parts there are.
        rng: the random choices.

    Raises:
        ConfigError: neither part of the perturbation can be changed.
    """

    def __init__(self, start: Perturbation, rng: np.random.Generator) -> None:
        header = start.header
        self._rng = rng
        self._limit = _ROOM * header.eps - float(np.hypot(start.cosine, start.sine).max())
        paints = len(start.static) >= LAST_CELLS and self._limit >= 1.0
        bends = header.shift > 0 and header.strain > 0
        if not (paints or bends):
            msg = "This perturbation leaves nothing to refine: its moving part takes all of eps."
            raise ConfigError(msg, "Choose another --perturbation.")
        self._bend_share = (BEND_SHARE if paints else 1.0) if bends else 0.0

    def draw(self, around: Perturbation, spent: float) -> Perturbation:
        """A changed perturbation, within every budget.

        Args:
            around: what is changed.
            spent: share of the search that is over, in ``[0, 1]``; changes become smaller.
        """
        if self._rng.random() < self._bend_share:
            return self._bent(around, spent)
        return self._painted(around, spent)

    def _painted(self, around: Perturbation, spent: float) -> Perturbation:
        cells = len(around.static)
        first = max(LAST_CELLS, FIRST_SHARE * cells)
        side = round(first * (LAST_CELLS / first) ** spent)
        row, column = self._rng.integers(0, cells - side + 1, 2)
        static = around.static.copy()
        static[row : row + side, column : column + side] = self._limit * self._rng.choice((-1, 1))
        return dataclasses.replace(around, static=static)

    def _bent(self, around: Perturbation, spent: float) -> Perturbation:
        header, field = around.header, around.displacement.copy()
        row, column = self._rng.integers(0, field.shape[1], 2)
        deviation = header.shift * (_FIRST_MOVE + (_LAST_MOVE - _FIRST_MOVE) * spent)
        field[:, row, column] += self._rng.normal(0.0, deviation, 2)
        bounded = within(field, shift=header.shift, strain=header.strain)
        return dataclasses.replace(around, displacement=bounded)


def within(field: Field, *, shift: float, strain: float) -> Field:
    """Take a displacement back into both budgets, which the reader of the file measures alike.

    Shifts that are too long are shortened each by itself; a field that bends too much is smoothed
    until it does not. What cubic interpolation adds to that is scaled away.

    Args:
        field: ``float32[2, D, D]``, face widths.
        shift: the largest length, above zero.
        strain: the largest strain, above zero.
    """
    lengths = np.maximum(np.hypot(field[0], field[1]), 1e-12)
    bounded = field * np.minimum(1.0, shift / lengths).astype(np.float32)
    for _ in range(_SMOOTHINGS):
        if displacement.strain(bounded) <= strain:
            break
        bounded = (0.75 * bounded + 0.25 * _smoothed(bounded)).astype(np.float32)
    too_much = max(displacement.largest(bounded) / shift, displacement.strain(bounded) / strain)
    scaled: Field = (bounded * min(1.0, _ROOM / max(too_much, 1e-9))).astype(np.float32)
    return scaled


def _smoothed(field: Field) -> Field:
    """The mean with the neighbours, ``[1 2 1] / 4`` along each axis; the border is repeated."""
    padded = np.pad(field, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    smoothed: Field = 0.25 * rows[..., :-2] + 0.5 * rows[..., 1:-1] + 0.25 * rows[..., 2:]
    return smoothed
