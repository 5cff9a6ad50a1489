"""Methods that step along the gradient of a bounded cross-entropy: SPGD and SGA."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from facecloak_train.attacks.individual import Net
from facecloak_train.attacks.published.plan import Budget, Plan, add, blank, logits_of


def spgd(
    net: Net,
    faces: Tensor,
    budget: Budget,
    plan: Plan,
    *,
    step: float = 0.8,
    bound: float = 10.0,
) -> Tensor:
    """Stochastic projected gradient ascent, also known as SGD-UAP.

    Source: Shafahi et al., "Universal Adversarial Training" (arXiv 1811.11304, algorithm 2); the
    length of a step and the bound as in github.com/kenny-co/sgd-uap-torch for small images.

    Args:
        net: see the package.
        faces: see the package.
        budget: see the package.
        plan: see the package.
        step: length of a step, as a share of the budget.
        bound: a cross-entropy beyond it counts as this, so that no face outweighs the others.
    """
    perturbation = blank(faces)
    labels = logits_of(net, faces).argmax(dim=1)
    for batches in plan.visits(len(faces)):
        for chosen in batches:
            gradient = _gradient(net, faces[chosen], labels[chosen], perturbation, bound)
            perturbation = budget.project(perturbation + step * budget.steepest(gradient))
        plan.report(perturbation)
    return perturbation


def sga(  # noqa: PLR0913 - what all methods take, and the method's own parameters
    net: Net,
    faces: Tensor,
    budget: Budget,
    plan: Plan,
    *,
    step: float = 0.1,
    bound: float = 9.0,
    few: int = 10,
    rounds: int = 4,
    decay: float = 0.0,
) -> Tensor:
    """Stochastic gradient aggregation: many small steps that only gather gradients for a large one.

    Source: Liu et al., "Enhancing Generalization of Universal Adversarial Perturbation through
    Gradient Aggregation" (ICCV 2023, algorithm 1); settings as in the authors'
    github.com/liuxuannan/Stochastic-Gradient-Aggregation, whose large batch has 250 faces. Each
    round shuffles the large batch anew. A pass looks at every face ``rounds`` times.

    Args:
        net: see the package.
        faces: see the package.
        budget: see the package.
        plan: see the package; its batch is the large one.
        step: length of a step, small or large, as a share of the budget.
        bound: see :func:`spgd`.
        few: faces of a small step.
        rounds: how often the small steps go over the large batch.
        decay: momentum, the share of the gathered gradient that the next large step keeps;
            the gradient of each is divided by its L1 norm.
    """
    perturbation = blank(faces)
    labels = logits_of(net, faces).argmax(dim=1)
    generator = plan.generator(1)
    direction = torch.zeros_like(perturbation)
    for batches in plan.visits(len(faces)):
        for chosen in batches:
            ahead, gathered = perturbation, torch.zeros_like(perturbation)
            orders = [torch.randperm(len(chosen), generator=generator) for _ in range(rounds)]
            for order in orders:
                for some in torch.split(chosen[order], few):
                    gradient = _gradient(net, faces[some], labels[some], ahead, bound)
                    ahead = budget.project(ahead + step * budget.steepest(gradient))
                    gathered += gradient
            direction = decay * direction + gathered / gathered.abs().sum().clamp_min(1e-20)
            perturbation = budget.project(perturbation + step * budget.steepest(direction))
        plan.report(perturbation)
    return perturbation


def _gradient(
    net: Net, faces: Tensor, labels: Tensor, perturbation: Tensor, bound: float
) -> Tensor:
    """Of the mean cross-entropy, each at most ``bound``, by the perturbation."""
    at = perturbation.detach().requires_grad_()
    loss = cross_entropy(net(add(faces, at)).float(), labels, reduction="none")
    return torch.autograd.grad(loss.clamp(max=bound).mean(), at)[0]
