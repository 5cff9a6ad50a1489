"""Perturbations of clips: what stands still, and what beats.

A still pattern cannot fool a classifier of true dynamic images, whose weights sum to zero, nor one
that takes the mean of the clip away. A pattern that goes round, ``A cos + B sin``, changes what
such classifiers see by the same amount whenever the clip begins.
"""

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from facecloak_train.attacks.individual import to_border
from facecloak_train.attacks.painting import Painter

LEVELS: Final = 255.0
_STEPS: Final = 10
_OVERSHOOT: Final = 0.02
FPS: Final = 30.0


class ClipPainter:
    """Paints a still grid and a quadrature pair of grids on clips, as the live compositor does.

    Args:
        size_px: side of the frames.
        eps: the most that a value may change, in 8-bit levels.
        period_s: of the pair.
    """

    def __init__(self, size_px: int, eps: float, period_s: float) -> None:
        self._painter = Painter(size_px, eps, torch.device("cpu"))
        self._eps = eps
        self._period_s = period_s

    def cloak(self, clips: Tensor, static: Tensor, pair: Tensor, starts_s: Tensor) -> Tensor:
        """Paint.

        Args:
            clips: ``float32[N, T, S, S]`` in ``[0, 1]``, 30 frames a second.
            static: ``float32[G, G]``, levels.
            pair: ``float32[2, K, K]``, levels: the even and the odd half.
            starts_s: ``float32[N]``, the time at which each clip begins.

        Returns:
            Clips of the same form, rounded to 8 bits with the gradient passed straight through.
        """
        times_s = starts_s[:, None] + torch.arange(clips.shape[1]) / FPS
        phases = 2.0 * math.pi * times_s / self._period_s
        even, odd = (self._painter.pattern(grid) for grid in pair)
        pattern = (
            self._painter.pattern(static)
            + phases.cos()[..., None, None] * even
            + phases.sin()[..., None, None] * odd
        )
        exact = (clips + pattern.clamp(-self._eps, self._eps) / LEVELS).clamp(0.0, 1.0)
        rounded = (exact * LEVELS).round() / LEVELS
        return exact + (rounded - exact).detach()


def within_beat(eps: float) -> Callable[[Tensor], Tensor]:
    """The projection of a pair, ``float[2, K, K]``, on those that reach ``eps`` at no time."""

    def project(pair: Tensor) -> Tensor:
        reach = pair.norm(dim=0, keepdim=True).clamp_min(1e-12)
        inside: Tensor = pair * (eps / reach).clamp(max=1.0)
        return inside

    return project


def moosavi_dezfooli(
    net: Callable[[Tensor], Tensor], clips: Tensor, eps: float, *, passes: int, batch: int = 16
) -> Tensor:
    """One still perturbation for all clips, from the nearest change of class of each.

    Source: Moosavi-Dezfooli et al., "Universal adversarial perturbations" (CVPR 2017, algorithm 1),
    for the L-infinity norm, with DeepFool (overshoot 0.02, ten steps). The clips of a batch are
    asked about one perturbation, and what they want is added up before it is projected.

    Args:
        net: takes ``float32[N, T, S, S]`` in ``[0, 1]``, returns logits; in evaluation mode.
        clips: ``uint8[N, T, S, S]``.
        eps: the budget, in levels.
        passes: over the clips.
        batch: how many are asked at once.

    Returns:
        ``float32[1, S, S]``, in ``[-eps, eps] / 255``.
    """
    still = torch.zeros(1, *clips.shape[2:])
    for _ in range(passes):
        for some in torch.split(clips, batch):
            seen = some.float() / LEVELS
            with torch.no_grad():
                said = net(seen).argmax(1)
                resisted = net((seen + still).clamp(0, 1)).argmax(1) == said
            if resisted.any():
                wanted = _wanted(net, seen[resisted], said[resisted], still)
                still = (still + wanted.sum(0)).clamp(-eps / LEVELS, eps / LEVELS)
    return still


def _wanted(
    net: Callable[[Tensor], Tensor], clips: Tensor, labels: Tensor, still: Tensor
) -> Tensor:
    """What each clip's still part would have to be changed by: ``float32[N, 1, S, S]``."""
    start = still.expand(len(clips), -1, -1, -1).clone()
    now = start.clone()
    for _ in range(_STEPS):
        with torch.no_grad():
            resists = net((clips + now).clamp(0, 1)).argmax(1) == labels
        if not resists.any():
            break
        way = to_border(lambda v: net((clips + v).clamp(0, 1)), now, labels, 2.0)
        now += (1.0 + _OVERSHOOT) * way * resists[:, None, None, None]
    wanted: Tensor = now - start
    return wanted
