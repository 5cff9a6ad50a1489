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
        self._limit = start.still_eps if start.moves else displacement.ROOM * header.eps
        paints = len(start.static) >= LAST_CELLS and self._limit >= 1.0
        bends = header.shift > 0 and header.strain > 0
        if not (paints or bends):
            what = "all of it changes with time" if start.moves else "its budgets are too small"
            msg = f"This perturbation leaves nothing to refine: {what}."
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
        bounded = displacement.within(field, most_shift=header.shift, most_strain=header.strain)
        return dataclasses.replace(around, displacement=bounded)
