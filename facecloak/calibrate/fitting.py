"""Fit one perturbation to one face, and tell honestly by how much that helps.

The crops are split in time. The first part refines; the last part, which no step sees, says how
many looks each judge misreads before and after. Where that part does not gain, the perturbation
stays as it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from facecloak.calibrate import looks
from facecloak.calibrate.crops import Crops
from facecloak.calibrate.exam import Classifier, Exam, MakeCloak
from facecloak.calibrate.refining import Found
from facecloak.core.perturbation import Perturbation

REFINED_SHARE: Final = 0.6
HELD_OUT_FROM: Final = 0.65
"""The crops between these two shares are neither: neighbours in time are nearly equal."""
_HELD_OUT_LOOKS: Final = 2
"""Looks at each crop of the part that is held out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one judge makes of the part that is held out.

    Attributes:
        judge: its name.
        rate: the share of the looks that it misreads.
        lead: by how many logits the best other class leads on average.
    """

    judge: str
    rate: float
    lead: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What a calibration came to.

    Attributes:
        perturbation: the refined one where that helps, else the one from before.
        helped: whether it is the refined one.
        before: on the crops that were held out, with the perturbation from before.
        after: likewise, with the refined one, also where it did not help.
        refined_on: how many crops refined.
        held_out: how many crops tell the outcomes.
        found: what refining came to.
    """

    perturbation: Perturbation
    helped: bool
    before: tuple[Outcome, ...]
    after: tuple[Outcome, ...]
    refined_on: int
    held_out: int
    found: Found


def fit(
    perturbation: Perturbation,
    crops: Crops,
    classifiers: Sequence[Classifier],
    cloak: MakeCloak,
    refine: Callable[[Perturbation, Crops], Found],
    *,
    seed: int = 0,
) -> Fit:
    """Refine one perturbation for the face in these crops.

    Args:
        perturbation: where to begin; its budgets hold for what is returned.
        crops: of one person, in the order of time, at least 16.
        classifiers: of still faces, who tell what they misread.
        cloak: makes the compositor for a perturbation.
        refine: fits a perturbation to crops, as ``refining.refine`` does.
        seed: of the looks at what is held out.

    Raises:
        DeviceError: ONNX Runtime failed.
    """
    refining, held_out = split(crops)
    period_s = perturbation.header.period_s
    repeated = np.repeat(held_out, _HELD_OUT_LOOKS, axis=0)
    fixed = looks.draw(repeated, np.random.default_rng(seed), period_s=period_s)
    exams = [Exam(classifier, fixed, cloak) for classifier in classifiers]
    before = _outcomes(classifiers, exams, perturbation)
    found = refine(perturbation, refining)
    after = _outcomes(classifiers, exams, found.perturbation)
    helped = gains(before, after)
    return Fit(
        perturbation=found.perturbation if helped else perturbation,
        helped=helped,
        before=before,
        after=after,
        refined_on=len(refining),
        held_out=len(held_out),
        found=found,
    )


def split(crops: Crops) -> tuple[Crops, Crops]:
    """The part that refines, and the later part that is held out."""
    count = len(crops)
    return crops[: int(REFINED_SHARE * count)], crops[int(HELD_OUT_FROM * count) :]


def gains(before: Sequence[Outcome], after: Sequence[Outcome]) -> bool:
    """Whether more is misread over all judges; with as much misread, whether the leads grew."""
    (rate, lead), (rate_after, lead_after) = (
        (sum(one.rate for one in part), sum(one.lead for one in part)) for part in (before, after)
    )
    return rate_after > rate or (rate_after == rate and lead_after > lead)


def _outcomes(
    classifiers: Sequence[Classifier], exams: Sequence[Exam], perturbation: Perturbation
) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(classifier.card.name, *exam.outcome(perturbation))
        for classifier, exam in zip(classifiers, exams, strict=True)
    )
