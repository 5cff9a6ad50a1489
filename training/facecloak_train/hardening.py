"""What a step of the training minimises: on faces as they are, and on attacked ones."""

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from facecloak_train import run
from facecloak_train.attacks.individual import against, fgsm, pgd
from facecloak_train.augment import centre_crop
from facecloak_train.data.fer2013 import Faces
from facecloak_train.precision import autocast
from facecloak_train.settings import FitSettings, Hardening

LEVELS: Final = 255.0
ATTACKS: Final = ("none", "fgsm", "pgd", "trades")


def hardened_loss(
    net: nn.Module,
    faces: Tensor,
    wanted: Tensor,
    hardening: Hardening,
    label_smoothing: float,
    generator: torch.Generator,
) -> Tensor:
    """The loss of a batch; ``net`` is left in training mode.

    - ``fgsm``: the mean of the cross-entropy on faces and on faces attacked by one step away from
      what the network says itself, so that no label leaks into the attack (Kurakin et al.,
      arXiv 1611.01236, section 3).
    - ``pgd``: the same with several steps from a random start (Madry et al., arXiv 1706.06083); its
      own setting is a weight of 1.
    - ``trades``: cross-entropy on faces, plus ``weight`` times the divergence of what the network
      says of attacked faces from what it says of these (Zhang et al., arXiv 1901.08573, equation 5;
      a weight of 6 is theirs).

    The attack sees the network in evaluation mode; then both kinds of faces go through it as one
    batch. Under autocast if the caller is.

    Args:
        net: the network.
        faces: ``float32[N, 1, H, W]`` in ``[0, 1]``.
        wanted: ``float32[N, classes]``, rows that sum to one.
        hardening: the attack; ``none`` is plain training.
        label_smoothing: share of the target spread over all classes.
        generator: draws the starts of ``pgd`` and ``trades``.

    Raises:
        RunError: there is no such attack.
    """
    if hardening.attack not in ATTACKS:
        msg = f"there is no attack {hardening.attack!r} to harden against; there are "
        raise run.RunError(msg + ", ".join(ATTACKS))

    def plain(logits: Tensor) -> Tensor:
        return cross_entropy(logits, wanted, label_smoothing=label_smoothing)

    if hardening.attack == "none":
        net.train()
        return plain(net(faces))
    net.eval()
    attacked = attack(net, faces, hardening, generator)
    net.train()
    clean, bent = net(torch.cat([faces, attacked])).float().chunk(2)
    if hardening.attack == "trades":
        return plain(clean) + hardening.weight * _divergence(clean)(bent).mean()
    return torch.lerp(plain(clean), plain(bent), hardening.weight)


def attack(
    net: nn.Module, faces: Tensor, hardening: Hardening, generator: torch.Generator
) -> Tensor:
    """The faces, attacked; ``net`` is in evaluation mode. Arguments as ``hardened_loss``."""
    eps = hardening.eps / LEVELS
    with torch.no_grad():
        logits = net(faces).float()
    if hardening.attack == "fgsm":
        return fgsm(net, faces, against(logits.argmax(1)), eps)
    away: Callable[[Tensor], Tensor] = against(logits.argmax(1))
    if hardening.attack == "trades":
        away = _divergence(logits)
    return pgd(net, faces, away, eps, steps=hardening.steps, generator=generator)


def attacked_accuracy(
    net: nn.Module, faces: Faces, settings: FitSettings, device: torch.device
) -> float:
    """Share of faces classified rightly from their centre crop under the attack of the settings."""
    net.eval()
    generator = torch.Generator().manual_seed(settings.seed)
    images = centre_crop(torch.from_numpy(faces.images)[:, None], settings.input_px)
    right = 0
    for some, truth in zip(
        torch.split(images, settings.batch),
        torch.split(torch.from_numpy(faces.labels), settings.batch),
        strict=True,
    ):
        with autocast(device):
            crops = some.to(device).float() / LEVELS
            attacked = attack(net, crops, settings.hardening, generator)
            with torch.no_grad():
                right += int((net(attacked).argmax(1).cpu() == truth).sum())
    return right / len(faces)


def _divergence(clean: Tensor) -> Callable[[Tensor], Tensor]:
    """How far what is said of attacked faces is from what is said of clean ones, in nats."""

    def divergence(bent: Tensor) -> Tensor:
        said = clean.softmax(1)
        return kl_div(bent.float().log_softmax(1), said, reduction="none").sum(1)

    return divergence
