"""How much of a bank is given: its budgets at a strength, and its patterns in 8 bits."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.cloak.selector import Mix
from facecloak.core import displacement, geometry
from facecloak.core.bank import Bank
from facecloak.core.displacement import Field
from facecloak.core.errors import ConfigError
from facecloak.core.interpolation import flanks
from facecloak.core.perturbation import MAX_EPS, MAX_SHIFT, MAX_STRAIN, Perturbation
from facecloak.core.types import Face

MAX_STRENGTH: Final = 2.0
ZERO: Final = 128
"""The step that changes nothing."""
FIELD_PX: Final = 96
"""Side of a field of shifts: much finer than its cells, and little memory."""
_PATTERN_PX: Final = (64, 128, 256, 512)
_FINENESS: Final = 0.7
"""Pixels of the pattern for each of the face: its cells are larger, and little memory is fast."""

Steps = NDArray[np.uint8]
"""A pattern on the 8-bit scale that OpenCV warps fastest; ``ZERO`` and 127 either way."""


class Dose:
    """A bank at a strength. What was painted of a member is kept; a mix costs a sum.

    Args:
        bank: what to add.
        strength: factor on it, at most 2; its budgets scale with it.

    Attributes:
        budget: the most that is added to any channel of any pixel, in whole 8-bit levels.
        steps_per_level: the scale of the patterns.

    Raises:
        ConfigError: the strength is out of range, breaks a limit, or is so small that a member
            would change no pixel.
    """

    def __init__(self, bank: Bank, strength: float) -> None:
        if not 0.0 < strength <= MAX_STRENGTH:
            msg = f"A strength of {strength:g} is not possible."
            raise ConfigError(msg, f"Choose more than 0 and at most {MAX_STRENGTH:g}.")
        header = bank.header
        eps = header.eps * strength
        if eps > MAX_EPS:
            msg = f"A strength of {strength:g} would change pixels by more than {MAX_EPS:g} levels."
            raise ConfigError(msg, f"Choose at most {MAX_EPS / header.eps:g}.")
        for most, limit in ((header.shift, MAX_SHIFT), (header.strain, MAX_STRAIN)):
            if most * strength > limit * (1 + 1e-6):
                msg = f"A strength of {strength:g} would bend faces too far."
                raise ConfigError(msg, f"Choose at most {limit / most:g}.")
        self.budget = header.levels(strength)
        reach = min((one.reach for one in bank.members.values() if one.reach), default=None)
        if reach is not None and (self.budget < 1 or reach * strength < 1.0):
            msg = f"A strength of {strength:g} would change no pixel."
            raise ConfigError(msg, f"Choose at least {1.0 / min(header.eps, reach):.3f}.")
        self.steps_per_level = (255 - ZERO) / eps
        self._header = header
        self._strength = strength
        self._members = dict(bank.members)
        self._painted: dict[tuple[str, int], Steps] = {}
        self._shifts: dict[str, Field] = {}
        for label, member in bank.members.items():
            self._measure(label, member)

    def add(self, label: str, member: Perturbation) -> bool:
        """Take one more member, unless a budget of it is larger than that of the bank."""
        for name in ("eps", "shift", "strain"):
            if getattr(member.header, name) > getattr(self._header, name) * (1 + 1e-6):
                return False
        self._members[label] = member
        self._measure(label, member)
        return True

    def remove(self, label: str) -> None:
        """Forget a member that no face has. Nothing, where there is none."""
        self._members.pop(label, None)
        self._shifts.pop(label, None)
        for size_px in _PATTERN_PX:
            self._painted.pop((label, size_px), None)

    def member(self, label: str) -> Perturbation:
        """What is known by that label."""
        return self._members[label]

    def levels(self) -> NDArray[np.float64]:
        """What each of the 256 steps means, in whole levels within the budget: ``float64[256]``."""
        exact = np.rint((np.arange(256.0) - ZERO) / self.steps_per_level)
        whole: NDArray[np.float64] = np.clip(exact, -self.budget, self.budget)
        return whole

    def steps(self, mix: Mix, face: Face, t_s: float) -> Steps:
        """The pattern for a face, little coarser than it at most: ``uint8[S, S]``."""
        wanted_px = _FINENESS * geometry.face_width_px(face.face_from_frame)
        size_px = next((size for size in _PATTERN_PX if size >= wanted_px), _PATTERN_PX[-1])
        return _beside_nothing(self._mixed(mix, size_px, t_s), face)

    def _mixed(self, mix: Mix, size_px: int, t_s: float) -> Steps:
        if len(mix) == 1:
            (label,) = mix
            return self._member(label, size_px, t_s)
        mixed = np.full((size_px, size_px), 0.5, np.float32)  # what is cut off then is rounded
        for label, share in mix.items():
            mixed += np.float32(share) * self._member(label, size_px, t_s)
        return mixed.astype(np.uint8)

    def shift(self, mix: Mix) -> Field | None:
        """How far each point is moved: ``float32[FIELD_PX, FIELD_PX, 2]``, in face widths.

        None where nothing is.
        """
        if len(mix) == 1:
            (label,) = mix
            return self._shifts.get(label)
        moving = [label for label in mix if label in self._shifts]
        if not moving:
            return None
        mixed = np.zeros((FIELD_PX, FIELD_PX, 2), np.float32)
        for label in moving:
            mixed += np.float32(mix[label]) * self._shifts[label]
        return mixed

    def _member(self, label: str, size_px: int, t_s: float) -> Steps:
        if self._members[label].moves:
            return self._render(label, size_px, t_s)
        if (label, size_px) not in self._painted:
            self._painted[label, size_px] = self._render(label, size_px)
        return self._painted[label, size_px]

    def _measure(self, label: str, member: Perturbation) -> None:
        if member.displaces:
            rendered = displacement.render(member.displacement, FIELD_PX)
            self._shifts[label] = rendered * np.float32(self._strength)

    def _render(self, label: str, size_px: int, t_s: float = 0.0) -> Steps:
        painted = self._members[label].render(size_px, t_s)
        levels = painted * np.float32(self._strength)
        steps: Steps = np.rint(levels * self.steps_per_level + ZERO).astype(np.uint8)
        return steps


def _beside_nothing(steps: Steps, face: Face) -> Steps:
    """The pattern without what would lie beside a head that is turned."""
    taken = flanks(len(steps), face.sides)
    if taken is None:
        return steps
    kept = (steps - np.float32(ZERO)) * taken
    beside: Steps = np.rint(kept + np.float32(ZERO)).astype(np.uint8)
    return beside
