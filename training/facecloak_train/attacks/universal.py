"""One perturbation for all faces, by ascent with momentum."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Objective = Callable[..., Tensor]
"""Takes a batch and a value of each part, returns ``float32[N]``; larger fools more."""


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor of a perturbation, and how it may change.

    Attributes:
        start: what it is at first.
        step: the length of a step, by which every entry changes.
        project: takes it back into its budget.
    """

    start: Tensor
    step: float
    project: Callable[[Tensor], Tensor]


def ascend(
    objectives: Sequence[Objective],
    batches: Iterable[Tensor],
    parts: Sequence[Part],
    *,
    decay: float = 0.9,
    enough: float | None = None,
) -> list[Tensor]:
    """Maximise the mean objectives together, each part within its budget.

    Source: stochastic projected gradient ascent of Shafahi et al., "Universal Adversarial Training"
    (AAAI 2020, algorithm 2), with the momentum of Dong et al., "Boosting Adversarial Attacks with
    Momentum" (CVPR 2018, equation 6): each gradient is divided by its L1 norm and accumulated. The
    gradient of each objective is divided before they are added, so that no victim outweighs
    another.

    Args:
        objectives: one for each victim.
        batches: what to maximise over, in order; each is used for one step.
        parts: what is found.
        decay: share of the accumulated gradient that a step keeps, in ``[0, 1)``.
        enough: the objective of a sample from which on it needs no more; a victim counts by the
            square of the share of the batch that is below, so that one that is fooled leaves the
            budget to the others. None: all victims count alike.

    Returns:
        The parts, in their order.

    Raises:
        ValueError: there is no batch.
    """
    values = [part.project(part.start.detach()) for part in parts]
    directions = [torch.zeros_like(value) for value in values]
    seen = False
    for batch in batches:
        seen = True
        pulls = _pull(objectives, batch, values, enough)
        directions = [
            decay * direction + pull for direction, pull in zip(directions, pulls, strict=True)
        ]
        values = [
            part.project(value.detach() + part.step * direction.sign())
            for part, value, direction in zip(parts, values, directions, strict=True)
        ]
    if not seen:
        msg = "ascend needs at least one batch"
        raise ValueError(msg)
    return values


def pull(
    objectives: Sequence[Objective], batches: Iterable[Tensor], values: Sequence[Tensor]
) -> list[Tensor]:
    """Which way the mean objectives rise from here, as ``ascend`` adds them, the mean over batches.

    Args:
        objectives: one for each victim.
        batches: what to look at.
        values: of each part.

    Returns:
        A gradient for each part, of any scale.

    Raises:
        ValueError: there is no batch.
    """
    pulls = [_pull(objectives, batch, values, None) for batch in batches]
    if not pulls:
        msg = "pull needs at least one batch"
        raise ValueError(msg)
    return [torch.stack(list(of_part)).mean(dim=0) for of_part in zip(*pulls, strict=True)]


def _pull(
    objectives: Sequence[Objective],
    batch: Tensor,
    values: Sequence[Tensor],
    enough: float | None,
) -> list[Tensor]:
    """The sum of what each victim adds to the directions."""
    values = [value.detach().requires_grad_() for value in values]
    total = [torch.zeros_like(value) for value in values]
    for objective in objectives:
        reached = objective(batch, *values)
        gradients = torch.autograd.grad(reached.mean(), values)
        weight = 1.0 if enough is None else float((reached < enough).float().mean()) ** 2
        total = [
            so_far + weight * gradient / gradient.abs().sum().clamp_min(1e-20)
            for so_far, gradient in zip(total, gradients, strict=True)
        ]
    return total


def margin_loss(logits: Tensor, labels: Tensor, confidence: float) -> Tensor:
    """How far the best other class leads the labelled one, counted up to ``confidence``.

    Source: Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks"
    (arXiv 1608.04644, f6), with the sign of an untargeted attack.

    Args:
        logits: ``float32[N, C]``.
        labels: ``int64[N]``, what the classifier says of the clean faces.
        confidence: a lead that is enough; faces beyond it no longer pull.

    Returns:
        ``float32[N]``, at most ``confidence``.
    """
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], float("-inf")).amax(dim=1)
    return (others - own).clamp(max=confidence)
