"""The first universal perturbation: ways to the nearest border, summed and projected."""

from torch import Tensor

from facecloak_train.attacks.individual import Net, deepfool
from facecloak_train.attacks.published.plan import Budget, Plan, add, blank, logits_of


def uap(  # noqa: PLR0913 - what all methods take, and the method's own parameters
    net: Net,
    faces: Tensor,
    budget: Budget,
    plan: Plan,
    *,
    delta: float = 0.2,
    overshoot: float = 0.02,
    steps: int = 10,
) -> Tensor:
    """Add what DeepFool finds from each face that is not fooled yet, and project.

    Source: Moosavi-Dezfooli et al., "Universal Adversarial Perturbations" (arXiv 1610.08401,
    algorithm 1). DeepFool looks for the shortest way by the second norm, whatever the budget's.
    A batch of one is the paper's algorithm; a larger one looks for the ways of its faces from the
    same perturbation, all at once, and adds their sum, as the paper's loop does; their mean would
    hardly move it.

    Args:
        net: see the package.
        faces: see the package.
        budget: see the package.
        plan: see the package; the method stops before its last pass once it fools enough.
        delta: share of the training faces that may stay as they were.
        overshoot: of DeepFool.
        steps: the most steps of DeepFool; a face that withstands them is passed over.
    """
    perturbation = blank(faces)
    labels = logits_of(net, faces).argmax(dim=1)
    for batches in plan.visits(len(faces)):
        for chosen in batches:
            seen = add(faces[chosen], perturbation)
            standing = logits_of(net, seen).argmax(dim=1) == labels[chosen]
            if not standing.any():
                continue
            seen = seen[standing]
            found = deepfool(lambda at: net(at).float(), seen, steps=steps, overshoot=overshoot)
            ways = (found.faces - seen)[found.fooled]
            if len(ways):
                perturbation = budget.project(perturbation + ways.sum(dim=0))
        plan.report(perturbation)
        said = logits_of(net, faces, perturbation).argmax(dim=1)
        if float((said != labels).float().mean()) >= 1.0 - delta:
            break
    return perturbation
