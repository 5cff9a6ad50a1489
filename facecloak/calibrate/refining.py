"""Ascent on many pictures of one face: what is fitted live, given time and a face that stays.

The steps are those of :mod:`facecloak.tailor.ascent`, on two pictures drawn anew each time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facecloak.calibrate.crops import FACE_FROM_CROP, Crop, Crops
from facecloak.core.perturbation import Perturbation
from facecloak.tailor.ascent import Ascent
from facecloak.tailor.canvas import FINE_PX, Canvas
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.suit import Moment, Suit
from facecloak.verify.crop import face_crop

_SIDES: Final = (0.0, 1.0)
"""A crop does not tell how far a head is turned: the pattern may lie on all of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What refining came to.

    Attributes:
        perturbation: the refined one; the one from before where no step was taken.
        steps: how many were taken.
    """

    perturbation: Perturbation
    steps: int = 0


def refine(  # noqa: PLR0913 - one place where it is put together
    start: Perturbation,
    crops: Crops,
    models: Sequence[GradientModel],
    *,
    strength: float,
    spent: Callable[[], float],
    seed: int = 0,
    tell: Callable[[Found], None] = lambda _: None,
) -> Found:
    """Fit a perturbation to one face until the time is over.

    Args:
        start: where to begin; its budgets hold for what is returned.
        crops: of one person, at least one.
        models: the gradients to follow; all of the same classes.
        strength: the factor at which it will be given.
        spent: the share of the time that is over, asked before each step; it ends at 1.
        seed: of the random choices.
        tell: called after each step.

    Raises:
        DeviceError: ONNX Runtime failed.
    """
    rng = np.random.default_rng(seed)
    ascent = Ascent(models, seed)
    ascent.strength = strength
    suit, first = Suit.of(start), Suit.of(start)
    read: dict[int, Moment] = {}
    found = Found(start)
    while spent() < 1.0:
        drawn = int(rng.integers(len(crops)))
        if drawn not in read:
            read[drawn] = _moment(ascent, first, crops[drawn])
            suit.order = first.order
        suit.moments.append(read[drawn])
        ascent.step(suit)
        found = Found(suit.finished(start) or start, found.steps + 1)
        tell(found)
    return found


def _moment(ascent: Ascent, first: Suit, crop: Crop) -> Moment:
    """A picture and what every network reads in it; ``first`` notes what classes to lead it to."""
    face = face_crop(np.repeat(crop[..., None], 3, axis=2), FACE_FROM_CROP, FINE_PX)
    first.logits = None
    reading = ascent.read(first, Canvas(face, _SIDES))
    if not len(first.order):
        first.order = reading.likely
    return Moment(face, reading.labels, _SIDES)
