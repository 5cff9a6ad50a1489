"""How much of a perturbation is given: its budgets at a strength, and the pattern in 8 bits."""

import functools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.core.errors import ConfigError
from facecloak.core.perturbation import MAX_EPS, MAX_SHIFT, MAX_STRAIN, Perturbation

MAX_STRENGTH: Final = 2.0
ZERO: Final = 128
"""The step that changes nothing."""
_PATTERN_PX: Final = (64, 128, 256, 512)
_FINENESS: Final = 0.7
"""Pixels of the pattern for each of the face: its cells are larger, and little memory is fast."""

Steps = NDArray[np.uint8]
"""A pattern on the 8-bit scale that OpenCV warps fastest; ``ZERO`` and 127 either way."""


class Dose:
    """A perturbation at a strength.

    Args:
        perturbation: what to add.
        strength: factor on it, at most 2; its budgets scale with it.

    Attributes:
        perturbation, strength: as given.
        budget: the most that is added to any channel of any pixel, in whole 8-bit levels.
        steps_per_level: the scale of the pattern.

    Raises:
        ConfigError: the strength is out of range, breaks a limit, or is so small that no pixel
            would change.
    """

    def __init__(self, perturbation: Perturbation, strength: float) -> None:
        if not 0.0 < strength <= MAX_STRENGTH:
            msg = f"A strength of {strength:g} is not possible."
            raise ConfigError(msg, f"Choose more than 0 and at most {MAX_STRENGTH:g}.")
        header = perturbation.header
        eps = header.eps * strength
        if eps > MAX_EPS:
            msg = f"A strength of {strength:g} would change pixels by more than {MAX_EPS:g} levels."
            raise ConfigError(msg, f"Choose at most {MAX_EPS / header.eps:g}.")
        for most, limit in ((header.shift, MAX_SHIFT), (header.strain, MAX_STRAIN)):
            if most * strength > limit * (1 + 1e-6):
                msg = f"A strength of {strength:g} would bend faces too far."
                raise ConfigError(msg, f"Choose at most {limit / most:g}.")
        self.budget = math.floor(eps + 1e-6)
        if perturbation.reach and (self.budget < 1 or perturbation.reach * strength < 1.0):
            msg = f"A strength of {strength:g} would change no pixel."
            least = 1.0 / min(header.eps, perturbation.reach)
            raise ConfigError(msg, f"Choose at least {least:.3f}.")
        self.perturbation = perturbation
        self.strength = strength
        self.steps_per_level = (255 - ZERO) / eps
        self._still = functools.lru_cache(len(_PATTERN_PX))(self._render)

    def levels(self) -> NDArray[np.float64]:
        """What each of the 256 steps means, in whole levels within the budget: ``float64[256]``."""
        exact = np.rint((np.arange(256.0) - ZERO) / self.steps_per_level)
        whole: NDArray[np.float64] = np.clip(exact, -self.budget, self.budget)
        return whole

    def steps(self, face_px: float, t_s: float) -> Steps:
        """The pattern for a face of that width, little coarser than it at most: ``uint8[S, S]``."""
        wanted_px = _FINENESS * face_px
        size_px = next((size for size in _PATTERN_PX if size >= wanted_px), _PATTERN_PX[-1])
        if self.perturbation.moves:
            return self._render(size_px, t_s)
        return self._still(size_px)

    def _render(self, size_px: int, t_s: float = 0.0) -> Steps:
        levels = self.perturbation.render(size_px, t_s) * np.float32(self.strength)
        steps: Steps = np.rint(levels * self.steps_per_level + ZERO).astype(np.uint8)
        return steps
