"""An ensemble of attacks that is not ours: a net that stands it does not merely hide gradients."""

import logging
import warnings

import numpy as np
import torch
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what ART supports and this project does not use
    from art.attacks.evasion import AutoProjectedGradientDescent, SquareAttack
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
    with torch.no_grad():
        classes = net(faces[:1]).shape[1]
    estimator = PyTorchClassifier(
        net,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(faces.shape[1:]),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
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
