"""Attacks that are not ours: a net that stands them does not merely hide gradients."""

import logging
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what ART supports and this project does not use
    from art.attacks.evasion import (
        AutoProjectedGradientDescent,
        DeepFool,
        SquareAttack,
        UniversalPerturbation,
    )
    from art.estimators.classification import PyTorchClassifier

logging.getLogger("art").setLevel(logging.ERROR)

STEPS = 100
QUERIES = 1000


def autoattack(net: nn.Module, faces: Tensor, truth: Tensor, eps: float) -> Tensor:
    """Attack the faces that still stand by one part of AutoAttack after the other.

    APGD on the cross-entropy and on the difference of logits ratio, 100 steps from one random start
    each, and Square with 1000 queries, all ART's: fewer starts and queries than the authors', and
    without FAB.

    Source: Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble of
    diverse parameter-free attacks" (arXiv 2003.01690).

    Args:
        net: gives logits; in evaluation mode, on the CPU.
        faces: ``float32[N, 1, H, W]`` in ``[0, 1]``.
        truth: ``int64[N]``, the true classes: a face that is misread is not attacked.
        eps: radius of the L-infinity ball, in units of the full range.

    Returns:
        The attacked faces, as ``faces``.
    """
    estimator = _estimator(net, faces)
    gradients = [
        AutoProjectedGradientDescent(
            estimator,
            eps=eps,
            eps_step=2 * eps,  # the first step of the authors
            max_iter=STEPS,
            nb_random_init=1,
            batch_size=64,
            loss_type=loss,
            verbose=False,
        )
        for loss in ("cross_entropy", "difference_logits_ratio")
    ]
    square = SquareAttack(
        estimator, eps=eps, max_iter=QUERIES, p_init=0.8, batch_size=64, verbose=False
    )
    found = faces.clone()
    for part in (*gradients, square):
        with torch.no_grad():
            standing = net(found).argmax(dim=1) == truth
        if standing.any():
            bent = part.generate(faces[standing].numpy(), truth[standing].numpy())
            found[standing] = torch.from_numpy(np.asarray(bent, dtype=np.float32))
    return found


def universal(
    net: nn.Module, faces: Tensor, eps: float, go_on: Callable[[Callable[[], Tensor]], bool]
) -> Tensor:
    """ART's universal perturbation, with DeepFool's published settings (overshoot 0.02, 10 steps).

    Source: Moosavi-Dezfooli et al., "Universal Adversarial Perturbations" (arXiv 1610.08401); it
    takes one face after the other, and ends when four of five are fooled or after 20 passes.

    Args:
        net: gives logits; in evaluation mode.
        faces: ``float32[N, 1, H, W]`` in ``[0, 1]``, on the device of ``net``; those that differ
            lie farther apart than ``2 * eps``.
        eps: radius of the L-infinity ball, in units of the full range.
        go_on: is asked at each face that is not fooled yet, with a function that gives the
            perturbation so far, as what is returned; the attack ends where it says no.

    Returns:
        ``float32[1, H, W]`` on the CPU.
    """
    clean = faces.cpu().numpy()
    last = torch.zeros(faces.shape[1:])

    def watch(seen: NDArray[np.float32]) -> None:
        def so_far() -> Tensor:
            nearest = np.abs(clean - seen).max(axis=(1, 2, 3)).argmin()
            return torch.from_numpy(seen[0] - clean[nearest]).clamp(-eps, eps)

        if not go_on(so_far):
            last.copy_(so_far())
            raise _Stopped

    attack = _WatchedUniversal(
        _estimator(net, faces),
        attacker="watched",
        attacker_params={"max_iter": 10, "epsilon": 0.02, "verbose": False, "watch": watch},
        eps=eps,
        verbose=False,
    )
    try:
        attack.generate(clean)
    except _Stopped:
        return last
    return torch.from_numpy(np.asarray(attack.noise[0], dtype=np.float32)).clamp(-eps, eps)


class _Stopped(Exception):
    """Whoever watches an attack has seen enough."""


class _WatchedDeepFool(DeepFool):  # type: ignore[misc]
    """Tells of each face that it is given, before it looks at it."""

    attack_params = (*DeepFool.attack_params, "watch")
    watch: Callable[[NDArray[np.float32]], None]

    def generate(self, x: NDArray[np.float32], y: Any = None, **options: Any) -> Any:  # noqa: ANN401
        self.watch(x)
        return super().generate(x, y, **options)


class _WatchedUniversal(UniversalPerturbation):  # type: ignore[misc]
    attacks_dict = {"watched": f"{__name__}.{_WatchedDeepFool.__name__}"}  # noqa: RUF012 - ART's


def _estimator(net: nn.Module, faces: Tensor) -> PyTorchClassifier:
    """ART's view of a net."""
    with torch.no_grad():
        classes = net(faces[:1]).shape[1]
    return PyTorchClassifier(
        net,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(faces.shape[1:]),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
        device_type="gpu" if faces.is_cuda else "cpu",
    )
