"""What is laid on a face, and on whom it was made."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, FORMAT, Perturbation
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.tailor import GradientTailor, Pace
from facecloak_train.attacks.baselines import random_sign
from facecloak_train.measure.far_end import Laid
from facecloak_train.settings import EvaluateSettings

OURS: Final = "FaceCloak"
FOR_ALL: Final = "not fitted"
"""What the same perturbation does as it is for all faces, beside what is fitted to each."""
NOISE: Final = "random sign"
_NOISE_CELLS: Final = 48
"""Side of the noise beside a perturbation that has no pattern of its own."""


def laid(
    settings: EvaluateSettings, shipped: Bank, gradients: Sequence[GradientModel]
) -> tuple[dict[str, Bank], dict[str, Laid]]:
    """The perturbations by kind, and what is laid on faces, by kind and strength.

    Args:
        settings: of the measurement.
        shipped: the perturbation.
        gradients: with which it is fitted to each face; then it stands beside itself, not fitted,
            unless the fit begins from scratch and so has nothing of it.

    Raises:
        ValueError: it is to be fitted from scratch, without a gradient, or to be recorded.
    """
    if settings.from_scratch and not gradients:
        msg = "to fit from scratch takes gradients; name them by --tailor"
        raise ValueError(msg)
    if settings.from_scratch and settings.record:
        msg = "what is fitted from scratch says nothing of the perturbation; leave out --record"
        raise ValueError(msg)
    patterns = _patterns(shipped, parts=settings.parts)
    if gradients and not settings.from_scratch:
        patterns = {OURS: shipped, FOR_ALL: shipped} | patterns
    return patterns, {
        named(kind, strength): Laid(
            OpenCvCloak(pattern, strength),
            _tailor(settings, gradients, shipped, strength) if kind == OURS else None,
        )
        for strength in settings.strengths
        for kind, pattern in patterns.items()
    }


def named(kind: str, strength: float) -> str:
    """What is laid on a face is called so."""
    return f"{kind} x{strength:g}"


def attacked(
    settings: EvaluateSettings, shipped: Bank, gradients: Sequence[GradientModel]
) -> tuple[set[str], list[str]]:
    """What the classifiers that had a part in it are known by, and their names, each once."""
    cards = [model.card for model in gradients]
    known = {text for card in cards for text in (card.name, card.architecture)}
    names = [card.name for card in cards]
    if not settings.from_scratch:
        victims = shipped.header.victims
        known |= {text for one in victims for text in (one.name, one.sha256)}
        called = {text.casefold() for card in cards for text in (card.name, card.architecture)}
        names = [*(one.name for one in victims if one.name.casefold() not in called), *names]
    return known, names


def _patterns(shipped: Bank, *, parts: bool) -> dict[str, Bank]:
    """The perturbation, its parts if wanted, and noise of the same levels on the same grid."""
    header, members = shipped.header, shipped.members
    still = dataclasses.replace(header, shift=0.0, strain=0.0)
    patterns = {OURS: shipped}
    if parts and all(one.displaces and one.reach for one in members.values()):
        nothing = np.zeros((1, 1), np.float32)
        alone = {
            label: Perturbation(still, one.static, one.circle) for label, one in members.items()
        }
        moved = {
            label: dataclasses.replace(one, static=nothing, circle=nothing[None])
            for label, one in members.items()
        }
        patterns |= {"pattern alone": Bank(still, alone), "displacement alone": Bank(header, moved)}
    cells = max(len(members[ANY].static), members[ANY].circle.shape[-1])
    grid = random_sign(cells if cells > 1 else _NOISE_CELLS, header.eps, header.seed)
    single = dataclasses.replace(still, format=FORMAT, answers=(), selector="")
    return patterns | {NOISE: Bank.of(Perturbation(single, grid))}


def _tailor(
    settings: EvaluateSettings, gradients: Sequence[GradientModel], shipped: Bank, strength: float
) -> Callable[[], GradientTailor] | None:
    """What makes somebody who fits the perturbation to a face; None without gradients."""
    if not gradients:
        return None
    return functools.partial(
        GradientTailor,
        gradients,
        shipped,
        strength=strength,
        pace=Pace(first_steps=settings.tailor_steps),
        from_scratch=settings.from_scratch,
    )
