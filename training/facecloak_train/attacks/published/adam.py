"""Methods that follow Adam on a loss of the logits: DF-UAP and Cos-UAP.

They are made for the L-infinity ball; Adam's steps are about as long along every axis, so in a ball
of the second norm they end short of the best.
"""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from facecloak_train.attacks.individual import Net
from facecloak_train.attacks.published.plan import Budget, Plan, add, blank, logits_of

STEP: Final = 0.1275
"""Adam's learning rate as a share of the budget: 0.005 of 0.0392, as published."""


def df_uap(  # noqa: PLR0913 - what all methods take, and the method's own parameters
    net: Net,
    faces: Tensor,
    budget: Budget,
    plan: Plan,
    *,
    target: int | None = None,
    confidence: float = 10.0,
    step: float = STEP,
) -> Tensor:
    """Dominant features: Adam on one logit, until the best other one leads by enough.

    Source: Zhang et al., "Understanding Adversarial Examples from the Mutual Influence of Images
    and Perturbations" (CVPR 2020); the other logit is held fixed, as in the authors'
    github.com/phibenz/uap_virtual_data.pytorch.

    Args:
        net: see the package.
        faces: see the package.
        budget: see the package.
        plan: see the package.
        target: the class that faces shall be read as; any but their own without.
        confidence: a lead, in logits, that is enough.
        step: Adam's learning rate, as a share of the budget.
    """
    start = blank(faces)
    labels = logits_of(net, faces).argmax(dim=1)
    own = labels if target is None else torch.full_like(labels, target)

    def loss(perturbation: Tensor, chosen: Tensor) -> Tensor:
        logits = net(add(faces[chosen], perturbation)).float()
        return bounded_logit(logits, own[chosen], confidence, wanted=target is not None).mean()

    return _by_adam(loss, start, len(faces), budget, plan, step)


def bounded_logit(logits: Tensor, labels: Tensor, confidence: float, *, wanted: bool) -> Tensor:
    """How far the labelled logit leads the best other one, or trails it where it is ``wanted``.

    The best other one carries no gradient.

    Args:
        logits: ``float32[N, C]``.
        labels: ``int64[N]``.
        confidence: a lead in the right direction that is enough.
        wanted: whether ``labels`` shall be read rather than anything else.

    Returns:
        ``float32[N]``, at least ``-confidence``; smaller is better.
    """
    own = logits.gather(1, labels[:, None])[:, 0]
    others = logits.scatter(1, labels[:, None], float("-inf")).amax(dim=1).detach()
    lead = others - own if wanted else own - others
    return lead.clamp(min=-confidence)


def cos_uap(net: Net, faces: Tensor, budget: Budget, plan: Plan, *, step: float = STEP) -> Tensor:
    """Turn the vector of logits as far as possible away from that of the clean face.

    Source: Zhang et al., "Data-Free Universal Adversarial Perturbation and Black-Box Attack"
    (ICCV 2021), here with the training faces as data. Without a perturbation the cosine is largest
    and flat, so the start is drawn from the ball: of a random one and its opposite, the one that
    turns the logits farther.

    Args:
        net: see the package.
        faces: see the package.
        budget: see the package.
        plan: see the package.
        step: Adam's learning rate, as a share of the budget.
    """
    size = blank(faces).shape
    clean = logits_of(net, faces)

    def loss(perturbation: Tensor, chosen: Tensor) -> Tensor:
        logits = net(add(faces[chosen], perturbation)).float()
        return cosine_similarity(logits, clean[chosen], dim=1).mean()

    away = torch.rand(size, generator=plan.generator(1)).to(faces.device) * 2.0 - 1.0
    away = budget.project(away * budget.entry(away.numel()))
    some = torch.arange(min(len(faces), 256))
    with torch.no_grad():
        start = min(away, -away, key=lambda one: float(loss(one, some)))
    return _by_adam(loss, start, len(faces), budget, plan, step)


def _by_adam(
    loss: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    count: int,
    budget: Budget,
    plan: Plan,
    step: float,
) -> Tensor:
    """Lower ``loss`` of the perturbation and a batch's indices, projecting after each step."""
    perturbation = start.clone().requires_grad_()
    adam = torch.optim.Adam([perturbation], lr=step * budget.entry(start.numel()))
    for batches in plan.visits(count):
        for chosen in batches:
            (perturbation.grad,) = torch.autograd.grad(loss(perturbation, chosen), perturbation)
            adam.step()
            with torch.no_grad():
                perturbation.copy_(budget.project(perturbation))
        plan.report(perturbation.detach().clone())
    return perturbation.detach()
