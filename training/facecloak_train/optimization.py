"""How a step is taken, and how long steps are."""

import math
from typing import Any, Final

import torch
from torch import nn

from facecloak_train import run
from facecloak_train.settings import FitSettings

_MOMENTUM: Final = 0.9


def optimizer(net: nn.Module, settings: FitSettings) -> torch.optim.Optimizer:
    """What takes the steps. Raises :class:`RunError` that lists the names there are."""
    usual: dict[str, Any] = {
        "lr": settings.learning_rate,
        "weight_decay": settings.weight_decay,
    }
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(net.parameters(), **usual)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(net.parameters(), momentum=_MOMENTUM, nesterov=True, **usual)
    msg = f"there is no optimiser {settings.optimizer!r}; there are adamw, sgd"
    raise run.RunError(msg)


def one_cycle(progress: float) -> float:
    """The learning rate, as a share of its peak: up over the first fifth, then a cosine to zero.

    Source: Smith and Topin, "Super-Convergence" (arXiv 1708.07120), with cosine annealing.
    """
    if progress < 0.2:
        return 0.04 + 0.96 * progress / 0.2
    return 0.5 * (1.0 + math.cos(math.pi * (progress - 0.2) / 0.8))
