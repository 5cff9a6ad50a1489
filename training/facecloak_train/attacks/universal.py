"""One perturbation for all faces, by signed ascent with momentum."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def universal_linf(
    objective: Callable[[Tensor, Tensor], Tensor],
    batches: Iterable[Tensor],
    *,
    start: Tensor,
    eps: float,
    step: float,
    decay: float = 0.9,
) -> Tensor:
    """Maximise the mean objective within an L-infinity ball.

    Source: stochastic projected gradient ascent of Shafahi et al., "Universal Adversarial Training"
    (AAAI 2020, algorithm 2), with the momentum of Dong et al., "Boosting Adversarial Attacks with
    Momentum" (CVPR 2018, equation 6): each gradient is divided by its L1 norm and accumulated.

    Args:
        objective: takes a batch and the perturbation, returns ``float32[N]``; larger fools more.
        batches: what to maximise over, in order; each is used for one step.
        start: the perturbation to begin with.
        eps: radius of the ball, in the unit of ``start``.
        step: length of a step, in the same unit.
        decay: share of the accumulated gradient that a step keeps, in ``[0, 1)``.

    Returns:
        A perturbation of the shape of ``start`` with ``abs(...) <= eps`` everywhere.

    Raises:
        ValueError: there is no batch.
    """
    delta = start.detach().clamp(-eps, eps)
    direction = torch.zeros_like(delta)
    seen = False
    for batch in batches:
        seen = True
        delta.requires_grad_()
        (gradient,) = torch.autograd.grad(objective(batch, delta).mean(), delta)
        direction = decay * direction + gradient / gradient.abs().sum().clamp_min(1e-20)
        delta = (delta.detach() + step * direction.sign()).clamp(-eps, eps)
    if not seen:
        msg = "universal_linf needs at least one batch"
        raise ValueError(msg)
    return delta


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
