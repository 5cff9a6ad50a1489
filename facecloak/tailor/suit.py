"""What one face has while it shows one expression, and how far that may go from where it began."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.displacement import Field
from facecloak.core.interpolation import Plane

MOMENTS: Final = 24
"""How many moments of a face are kept."""
NEAREST: Final = 0.2
"""What each cell may always differ by from what it began as, as a share of the budget."""
ANYWHERE: Final = 2.0
"""From one end of the budget to the other."""
_TRUSTED: Final = 1.0
"""The widest radius of all that bind: what still holds there may go anywhere."""
_WIDER: Final = 1.4
_NARROWER: Final = 0.6


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
        most: the largest that each cell of the pattern may be.
        eps: the largest that any of them may be.
        smooth: which share of that is for smooth skin.
        reach: likewise of the shifts, along each axis.
        radius: by how much a cell may differ from what it began as, or from what is allowed of
            that, as a share of ``eps``.
        began: the pattern and the shifts that it began as.
        moments: the last ones.
        order: the classes that it may be led to, those first that come first: the likeliest as it
            was first sent, so that the fit goes on where what it began with leads; empty before.
        drift: what was gathered of both gradients.
        steps: that were taken.
        looks: how often the networks were asked what they read.
        logits: ``float32[networks, 2, C]``, of the face as captured and as sent, when each of them
            was last asked; None where all are to be asked.
        given, again: whether it was ever handed out, and whether it is to be, changed or not.
        looked_s, rest_s: when it was last looked at, and for how long that is enough.
    """

    pattern: Plane
    shifts: Field
    most: Plane
    eps: float
    smooth: float
    reach: float
    radius: float = ANYWHERE
    began: tuple[Plane, Field] = field(init=False)
    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=MOMENTS))
    order: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    drift: tuple[Plane, Field] | None = None
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

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to look at it again; also after time ran backwards."""
        return not 0 <= now_s - self.looked_s < self.rest_s

    def trust(self, gain: float) -> None:
        """Widen the region where what was fitted held on a new moment, narrow it where not.

        A trust region (Conn, Gould and Toint, "Trust-Region Methods", 2000, algorithm 6.1.1), about
        what is good for every face.

        Args:
            gain: by how much the face as sent leads farther astray than with what it began as.
        """
        if gain < 0.0:
            self.radius = max(NEAREST, _NARROWER * min(self.radius, _TRUSTED))
        else:
            wider = _WIDER * self.radius
            self.radius = wider if wider < _TRUSTED else ANYWHERE

    def alter(self, pattern: Plane, shifts: Field) -> None:
        """Take these over, as near as it may have them."""
        away = np.float32(self.radius * self.eps)
        middle = np.clip(self.began[0], -self.most, self.most)
        near = np.clip(pattern, middle - away, middle + away)
        self.pattern = np.clip(near, -self.most, self.most).astype(np.float32)
        self.shifts = np.clip(shifts, -self.reach, self.reach).astype(np.float32)
