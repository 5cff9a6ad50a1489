"""Attacks that make a perturbation for each face: references, and what hardening trains against.

All take faces in ``[0, 1]``, ``float32[N, C, H, W]`` or ``float32[N, D]``, and give faces of the
same form in ``[0, 1]``. ``net`` gives logits, ``float32[N, classes]``, each row from its own face
alone: so it has to be in evaluation mode, where batch normalisation does not mix faces.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

Net = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor], Tensor]
"""Takes logits, gives ``float32[N]``; the attacks raise it."""


def fgsm(net: Net, faces: Tensor, loss: Loss, eps: float) -> Tensor:
    """The fast gradient sign method: one step of length ``eps``.

    Source: Goodfellow et al., "Explaining and Harnessing Adversarial Examples" (arXiv 1412.6572,
    section 4).

    Args:
        net: see the module.
        faces: see the module.
        loss: what to raise, such as :func:`against`.
        eps: the most that a value may change, in units of the full range.
    """
    return (faces + eps * _gradient(net, faces, loss).sign()).clamp(0.0, 1.0)


def pgd(  # noqa: PLR0913 - the attack's own parameters
    net: Net,
    faces: Tensor,
    loss: Loss,
    eps: float,
    *,
    steps: int,
    step: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Projected gradient descent within the L-infinity ball.

    Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks"
    (arXiv 1706.06083, section 2.1).

    Args:
        net: see the module.
        faces: see the module.
        loss: what to raise.
        eps: radius of the ball, in units of the full range.
        steps: how many steps.
        step: length of a step; ``2.5 * eps / steps`` if not given, so that the border is reached
            from anywhere.
        generator: draws the start, uniform in the ball; the start is the face itself without.
    """
    step = 2.5 * eps / steps if step is None else step
    low, high = (faces - eps).clamp(0.0, 1.0), (faces + eps).clamp(0.0, 1.0)
    now = faces
    if generator is not None:
        away = torch.rand(faces.shape, generator=generator).to(faces.device) * 2.0 - 1.0
        now = torch.clamp(faces + eps * away, low, high)
    for _ in range(steps):
        now = torch.clamp(now + step * _gradient(net, now, loss).sign(), low, high)
    return now


def against(labels: Tensor) -> Loss:
    """The loss whose rise leads away from ``labels``, ``int64[N]``."""

    def loss(logits: Tensor) -> Tensor:
        return cross_entropy(logits, labels, reduction="none")

    return loss


def _gradient(net: Net, faces: Tensor, loss: Loss) -> Tensor:
    at = faces.detach().requires_grad_()
    return torch.autograd.grad(loss(net(at)).sum(), at)[0]


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """What :func:`deepfool` found.

    Attributes:
        faces: the faces with their perturbation; unchanged bits where it gave up tell nothing.
        fooled: ``bool[N]``, whether the class changed.
    """

    faces: Tensor
    fooled: Tensor


def deepfool(
    net: Net, faces: Tensor, *, norm: float = 2.0, steps: int = 50, overshoot: float = 0.02
) -> Nearest:
    """The nearest change of class, by stepping to the nearest border of the linearised classifier.

    Source: Moosavi-Dezfooli et al., "DeepFool" (arXiv 1511.04599, algorithm 2; its section 3.3 for
    other norms than the second). Faces leave the loop when they are fooled.

    Args:
        net: see the module.
        faces: see the module.
        norm: by which a change is short: 2 or infinity.
        steps: the most steps.
        overshoot: by how much it steps beyond the border, as a share of the way.

    Raises:
        ValueError: another norm is asked for.
    """
    if norm not in (2.0, math.inf):
        msg = f"deepfool knows the norms 2 and infinity, not {norm}"
        raise ValueError(msg)
    with torch.no_grad():
        labels = net(faces).argmax(dim=1)
    total = torch.zeros_like(faces)
    now = faces.clone()
    left = torch.arange(len(faces), device=faces.device)
    for _ in range(steps):
        if not len(left):
            break
        total[left] += to_border(net, now[left], labels[left], norm)
        now[left] = (faces[left] + (1.0 + overshoot) * total[left]).clamp(0.0, 1.0)
        with torch.no_grad():
            left = left[net(now[left]).argmax(dim=1) == labels[left]]
    fooled = torch.ones(len(faces), dtype=torch.bool, device=faces.device)
    fooled[left] = False
    return Nearest(now, fooled)


def to_border(net: Net, faces: Tensor, labels: Tensor, norm: float) -> Tensor:
    """The shortest way to the nearest border of the classifier linearised here.

    Args:
        net: see the module.
        faces: see the module.
        labels: ``int64[N]``, the classes to leave.
        norm: by which the way is short: 2 or infinity.

    Returns:
        As ``faces``.
    """
    at = faces.detach().requires_grad_()
    logits = net(at)
    slopes = torch.stack(
        [
            torch.autograd.grad(column.sum(), at, retain_graph=True)[0].flatten(1)
            for column in logits.unbind(dim=1)
        ],
        dim=1,
    )
    logits = logits.detach()
    lead = logits - logits.gather(1, labels[:, None])
    own = slopes.gather(1, labels[:, None, None].expand(-1, 1, slopes.shape[-1]))
    slopes = slopes - own
    dual = 2.0 if norm == 2.0 else 1.0
    steepness = slopes.norm(p=dual, dim=2).clamp_min(1e-12)
    far = (lead.abs() + 1e-4) / steepness
    nearest = far.scatter(1, labels[:, None], math.inf).argmin(dim=1)
    rows = torch.arange(len(faces), device=faces.device)
    slope, way = slopes[rows, nearest], far[rows, nearest][:, None]
    unit = slope / steepness[rows, nearest][:, None] if norm == 2.0 else slope.sign()
    step: Tensor = way * unit
    return step.reshape(faces.shape)
