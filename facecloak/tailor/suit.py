"""What one face has while it shows one expression, and how far that may go from where it began."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core import displacement
from facecloak.core.displacement import Field
from facecloak.core.interpolation import Plane
from facecloak.core.perturbation import LEAST_REACH, Perturbation

CELLS: Final = 48
"""Side of a pattern where the perturbation to begin with has none."""
FIELD_CELLS: Final = 6
"""Side of a displacement, likewise."""
MOMENTS: Final = 24
"""How many moments of a face are kept."""
SMOOTH_LEAST: Final = 0.4
"""What a pattern keeps of its budget on smooth skin, where it is seen first, at the least. It
begins with all of it, has less by and by while every network is led astray far enough, and more
again while half of them hardly are."""
DENSE: Final = 0.5
"""Which share of the cells that the face shows is painted, once it is known which matter."""
DENSE_LEAST: Final = 0.2
"""What that comes down to, likewise; where what was fitted does not hold, all are painted."""
_SMOOTH_STEP: Final = 0.1
_DENSE_STEP: Final = 0.05
NEAREST: Final = 0.1
"""What each cell may always differ by from what it began as, as a share of the budget."""
ANYWHERE: Final = 2.0
"""From one end of the budget to the other."""
_TRUSTED: Final = 1.0
"""The widest radius of all that bind: what still holds there may go anywhere."""
_WIDER: Final = 1.4
_NARROWER: Final = 0.6
CERTAIN: Final = 4
"""After how many steps it is known which cells matter."""
_REMEMBERED: Final = 0.8
_OVERSHOOT: Final = 2.0**0.5
"""How much longer a shift may be than what its grid says along one axis."""
_BESIDE_CELLS: Final = 0.8
"""How far a cell makes those beside it matter, too, so that what is painted hangs together."""


@dataclass(slots=True)
class Moment:
    """A face at one moment, ``uint8[FINE_PX, FINE_PX]``, and what each network reads in it.

    ``sides`` are those of ``core.types.Face``.
    """

    crop: NDArray[np.uint8]
    labels: tuple[int, ...]
    sides: tuple[float, float]


@dataclass(slots=True)
class Suit:
    """What a face has so far while it shows one expression, and what is known of it then.

    Attributes:
        pattern: ``float32[G, G]``, levels.
        shifts: ``float32[2, D, D]``, face widths.
        eps: the largest that any cell of the pattern may be.
        reach: likewise of the shifts, along each axis.
        radius: by how much a cell may differ from what it began as, or from what is allowed of
            that, as a share of ``eps``.
        began: the pattern and the shifts that it began as.
        most: the largest that each cell of the pattern may be.
        smooth: which share of ``eps`` is for smooth skin.
        dense: which share of the cells may be painted, once it is known which of them matter.
        moments: the last ones.
        order: the classes that it may be led to, those first that come first: the likeliest as it
            was first sent, so that the fit goes on where what it began with leads; empty before.
        drift: what was gathered of both gradients.
        weight: how much each cell matters, ``float32[G, G]``: how long and how strongly the
            networks pulled it one way; zero where the face was not seen yet.
        weighed: how often that was told.
        steps: that were taken.
        looks: how often the networks were asked what they read.
        logits: ``float32[networks, 2, C]``, of the face as captured and as sent, when each of them
            was last asked; None where all are to be asked.
        given, again: whether it was ever handed out, and whether it is to be, changed or not.
        looked_s, rest_s: when it was last looked at, and for how long that is enough.
    """

    pattern: Plane
    shifts: Field
    eps: float
    reach: float
    radius: float = ANYWHERE
    began: tuple[Plane, Field] = field(init=False)
    most: Plane = field(init=False)
    smooth: float = 1.0
    dense: float = DENSE
    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=MOMENTS))
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    drift: tuple[Plane, Field] | None = None
    weight: Plane = field(init=False)
    weighed: int = 0
    steps: int = 0
    looks: int = 0
    logits: NDArray[np.float32] | None = None
    given: bool = False
    again: bool = False
    looked_s: float = float("-inf")
    rest_s: float = 0.0

    def __post_init__(self) -> None:
        """Remember what it began as."""
        self.began = self.pattern.copy(), self.shifts.copy()
        self.most = np.full_like(self.pattern, self.eps)
        self.weight = np.zeros_like(self.pattern)

    @classmethod
    def of(cls, start: Perturbation, *, near: float = ANYWHERE, from_scratch: bool = False) -> Self:
        """One that begins as a perturbation, or within its budgets as nothing.

        Args:
            start: what changes of it with time stays apart from the suit.
            near: its radius at first.
            from_scratch: whether to begin as nothing.
        """
        pattern = np.zeros((CELLS, CELLS), np.float32)
        shifts = np.zeros((2, FIELD_CELLS, FIELD_CELLS), np.float32)
        if start.static.any() and not from_scratch:
            pattern = start.static.copy()
        if start.displaces and not from_scratch:
            shifts = start.displacement.copy()
        return cls(pattern, shifts, start.still_eps, start.header.shift / _OVERSHOOT, near)

    def finished(self, start: Perturbation) -> Perturbation | None:
        """What it is now, within both budgets of the displacement; None if it is nothing.

        Args:
            start: as which it began; what changes of that with time goes on.
        """
        header = start.header
        if header.shift:
            self.shifts = displacement.within(
                self.shifts, most_shift=header.shift, most_strain=header.strain
            )
        most = float(np.abs(self.pattern).max() + np.abs(start.circle).max())
        if not self.shifts.any() and most < LEAST_REACH:
            return None  # a tiny budget, and less of it on smooth skin
        return Perturbation(header, self.pattern, start.circle, self.shifts.copy())

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to look at it again; also after time ran backwards."""
        return not 0 <= now_s - self.looked_s < self.rest_s

    def save(self) -> None:
        """Have less on smooth skin, and fewer cells."""
        self.smooth = max(SMOOTH_LEAST, self.smooth - _SMOOTH_STEP)
        self.dense = max(DENSE_LEAST, self.dense - _DENSE_STEP)

    def spend(self) -> None:
        """Have more of both."""
        self.smooth = min(1.0, self.smooth + _SMOOTH_STEP)
        self.dense = min(1.0, self.dense + _DENSE_STEP)

    def hide(self, hidden: Plane) -> None:
        """Take the face at hand into account.

        Args:
            hidden: how well it hides each cell, ``float32[G, G]`` in ``[0, 1]``.
        """
        most = (self.eps * (self.smooth + (1.0 - self.smooth) * hidden)).astype(np.float32)
        self.most = most if self.steps == 0 else 0.5 * (self.most + most)

    def trust(self, gain: float) -> None:
        """Widen the region where what was fitted held on a new moment.

        Where it did not, narrow it and have all cells, so that it is at once as near as that to
        what it began as; these go again as it holds.

        A trust region (Conn, Gould and Toint, "Trust-Region Methods", 2000, algorithm 6.1.1), about
        what is good for every face.

        Args:
            gain: by how much the face as sent leads farther astray than with what it began as.
        """
        if gain < 0.0:
            self.radius = max(NEAREST, _NARROWER * min(self.radius, _TRUSTED))
            self.dense = 1.0
        else:
            wider = _WIDER * self.radius
            self.radius = wider if wider < _TRUSTED else ANYWHERE
            self.dense = max(min(DENSE, self.dense), self.dense - 2.0 * _DENSE_STEP)

    def weigh(self, pull: Plane) -> None:
        """Note how strongly each cell of the pattern is pulled now, whichever way.

        Args:
            pull: ``float32[G, G]``, of any scale; where it is zero the face is not seen now, and
                what was known stays.
        """
        seen = pull != 0.0
        blurred = cv2.GaussianBlur(np.abs(pull), (0, 0), _BESIDE_CELLS)
        pulled: Plane = np.asarray(seen * blurred / max(float(blurred.mean()), 1e-12), np.float32)
        before = self.weight if self.weighed else pulled
        mixed = _REMEMBERED * before + (1.0 - _REMEMBERED) * pulled
        self.weight = np.where(seen, mixed, before)
        self.weighed += 1

    def alter(self, pattern: Plane, shifts: Field) -> None:
        """Take these over, as near as it may have them, and what matters alone."""
        most = np.where(self._matters(), self.most, 0.0)
        away = np.float32(self.radius * self.eps)
        middle = np.clip(self.began[0], -most, most)
        near = np.clip(pattern, middle - away, middle + away)
        self.pattern = np.clip(near, -most, most).astype(np.float32)
        self.shifts = np.clip(shifts, -self.reach, self.reach).astype(np.float32)

    def _matters(self) -> NDArray[np.bool_]:
        """Which cells may be painted; all while little is known.

        A picture is the less changed the fewer cells are, and few of them lead a network astray
        (Papernot et al., "The Limitations of Deep Learning in Adversarial Settings",
        arXiv 1511.07528).
        """
        seen = self.weight > 0.0
        if self.weighed < CERTAIN or not seen.any():
            return np.ones_like(seen)
        least = np.quantile(self.weight[seen], 1.0 - self.dense)
        matters: NDArray[np.bool_] = ~seen | (self.weight >= least)
        return matters
