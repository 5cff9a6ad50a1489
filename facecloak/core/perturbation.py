"""A perturbation and what it paints: one pattern for every face, a function of time.

    out(p, t) = in(p + d(p)) + delta(p, t)
    delta(t) = static + circle[round(len(circle) * t / period) mod len(circle)]

in 8-bit levels, on coarse square grids over the aligned face, enlarged by cubic interpolation, kept
within ``eps`` and faded out by an oval. It is added to blue, green and red alike, so it changes
luma only. ``core.displacement`` says what ``d`` is. ``core.bank`` holds several, as a file does.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core import displacement
from facecloak.core.displacement import Field
from facecloak.core.interpolation import Plane, enlarge, oval

FORMAT: Final = 4
BANK_FORMAT: Final = 5
"""The format of several, see ``core.bank``."""
ANY: Final = "any"
"""The member of a bank that is for every face."""
TEMPLATE: Final = "fer2013-mesh-1"
"""Name of the aligned-face geometry that a pattern is made for (``core.geometry``)."""
LEAST_REACH: Final = 0.5
"""Levels; a pattern that reaches less changes no pixel."""
MAX_EPS: Final = 16.0
MAX_SHIFT: Final = 0.02
"""The largest displacement that any perturbation may make, in face widths."""
MAX_STRAIN: Final = 0.4
"""The largest strain, likewise."""
MIN_PERIOD_S: Final = 0.01
MAX_PERIOD_S: Final = 60.0

Circle = NDArray[np.float32]
"""``float32[P, K, K]``: grids that are added one after the other, levels."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A classifier that a perturbation was made against.

    Attributes:
        name: as on its card.
        sha256: digest of the weights it was made against.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a perturbation says about itself.

    Attributes:
        eps: largest change of a channel, in 8-bit levels; an L-infinity budget.
        shift: largest displacement, in face widths; a budget.
        strain: largest strain of the displacement; a budget.
        period_s: how long it takes to go round the circle once, in seconds.
        template: the aligned-face geometry.
        method: how it was made.
        seed: seed of the random choices.
        datasets: what it was made from.
        victims: what it was made against.
        command: the command that makes it again.
        measured: figures by name, each measured on faces that the attack never saw.
        answers: what the members of a bank answer, beside the one for every face, in order.
        selector: name of the classifier whose labels those are; empty where there are none.
    """

    eps: float
    method: str
    seed: int
    datasets: tuple[str, ...]
    victims: tuple[Victim, ...]
    shift: float = 0.0
    strain: float = 0.0
    period_s: float = 1.0
    template: str = TEMPLATE
    command: str = ""
    measured: dict[str, float] = field(default_factory=dict)
    format: int = FORMAT
    norm: str = "linf"
    answers: tuple[str, ...] = ()
    selector: str = ""

    def __post_init__(self) -> None:
        if self.format not in {FORMAT, BANK_FORMAT}:
            msg = f"format {self.format!r} is not {FORMAT} or {BANK_FORMAT}"
            raise ValueError(msg)
        if self.norm != "linf":
            msg = f"norm {self.norm!r} is not linf"
            raise ValueError(msg)
        if self.template != TEMPLATE:
            msg = f"template {self.template!r} is not {TEMPLATE!r}, the geometry of this version"
            raise ValueError(msg)
        if not (math.isfinite(self.eps) and 0 < self.eps <= MAX_EPS):
            msg = f"eps {self.eps!r} is not within 0..{MAX_EPS:g} levels"
            raise ValueError(msg)
        for name, most in (("shift", MAX_SHIFT), ("strain", MAX_STRAIN)):
            if not 0 <= getattr(self, name) <= most:
                msg = f"{name} {getattr(self, name)!r} is not within 0..{most:g}"
                raise ValueError(msg)
        if not MIN_PERIOD_S <= self.period_s <= MAX_PERIOD_S:
            msg = f"period_s {self.period_s!r} is not within {MIN_PERIOD_S:g}..{MAX_PERIOD_S:g} s"
            raise ValueError(msg)
        self._check_answers()

    def levels(self, strength: float) -> int:
        """The most that is added to any channel of any pixel at a strength, in 8-bit levels."""
        return math.floor(self.eps * strength + 1e-6)

    def _check_answers(self) -> None:
        named = (*self.answers, self.selector)
        if self.format != BANK_FORMAT:
            wrong = named != ("",) and f"format {self.format} knows no answers and no selector"
        elif not self.answers or not all(isinstance(name, str) and name for name in named):
            wrong = f"format {self.format} needs the names of at least one answer and its selector"
        else:
            wrong = len({ANY, *self.answers}) <= len(self.answers) and (
                f"answers {self.answers!r} are not different labels other than {ANY!r}"
            )
        if wrong:
            raise ValueError(wrong)


@dataclass(frozen=True, slots=True, eq=False)
class Perturbation:
    """A pattern within its budget.

    Attributes:
        header: what it says about itself.
        static: ``float32[G, G]``, levels.
        circle: ``float32[P, K, K]``, levels; one grid after the other is added to the static one.
        displacement: ``float32[2, D, D]``, face widths; see ``core.displacement``.

    Raises:
        ValueError: a part leaves its own budget at a grid point, or has the wrong form.
    """

    header: Header
    static: Plane
    circle: Circle = field(default_factory=lambda: np.zeros((1, 1, 1), np.float32))
    displacement: Field = field(default_factory=lambda: np.zeros((2, 1, 1), np.float32))

    def __post_init__(self) -> None:
        check_grid("static", self.static, "float32[G, G]", ())
        check_grid("circle", self.circle, "float32[P, K, K]", (max(1, len(self.circle)),))
        check_grid("displacement", self.displacement, "float32[2, D, D]", (2,))
        if self.reach < LEAST_REACH and not self.displaces:
            msg = f"the pattern reaches {self.reach:.3f} levels and would change no pixel"
            raise ValueError(msg)
        for part in (self.static, self.circle):
            if (most := float(np.abs(part).max())) > self.header.eps * (1 + 1e-6):
                msg = f"the pattern reaches {most:.3f} levels, more than its eps {self.header.eps}"
                raise ValueError(msg)
        if not self.displaces:
            return
        for name, measure in (("shift", displacement.largest), ("strain", displacement.strain)):
            reached, most = measure(self.displacement), getattr(self.header, name)
            if reached > most * (1 + 1e-4):
                msg = f"the displacement has a {name} of {reached:.4f}, more than its {most:.4f}"
                raise ValueError(msg)

    @property
    def displaces(self) -> bool:
        """Whether the face is moved within itself."""
        return bool(self.displacement.any())

    @property
    def reach(self) -> float:
        """The most that a grid point can change a pixel at any time, in levels."""
        both = float(np.abs(self.static).max() + np.abs(self.circle).max())
        return min(both, self.header.eps)

    @property
    def still_eps(self) -> float:
        """What the still part may reach, in levels: beside a circle, what it does reach."""
        return float(np.abs(self.static).max()) if self.moves else self.header.eps

    @property
    def moves(self) -> bool:
        """Whether the pattern changes with time."""
        return bool(self.circle.any())

    def render(self, size_px: int, t_s: float = 0.0) -> Plane:
        """Paint the pattern on the aligned face.

        Args:
            size_px: side of the face square in pixels.
            t_s: the time, in seconds, on any clock that does not jump.

        Returns:
            ``float32[size_px, size_px]``, levels, at most ``header.eps`` everywhere and exactly
            zero outside the oval.
        """
        painted = enlarge(self.static, size_px)
        if self.moves:
            turn = round(len(self.circle) * t_s / self.header.period_s) % len(self.circle)
            painted = painted + enlarge(self.circle[turn], size_px)
        bounded: Plane = np.clip(painted, -self.header.eps, self.header.eps) * oval(size_px)
        return bounded


def check_grid(name: str, grid: NDArray[np.float32], form: str, before: tuple[int, ...]) -> None:
    """Make a square grid read-only. Raises ValueError where it has not this form."""
    side = grid.shape[-1] if grid.ndim else 0
    if grid.dtype != np.float32 or grid.shape != (*before, side, side):
        msg = f"{name} must be {form}, is {grid.dtype}{list(grid.shape)}"
        raise ValueError(msg)
    if grid.size == 0 or not np.isfinite(grid).all():
        msg = f"{name} holds no finite pattern"
        raise ValueError(msg)
    grid.flags.writeable = False
