"""Perturbations of clips: what stands still, and what changes from frame to frame.

A still pattern cannot fool a classifier of true dynamic images, whose weights sum to zero, nor one
that takes the mean of the clip away. What changes goes round in a circle of frames, because nobody
knows when a clip begins: it has to fool from each of them on.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor

from facecloak_train.attacks.individual import to_border
from facecloak_train.attacks.painting import Painter
from facecloak_train.attacks.universal import Part, ascend, margin_loss
from facecloak_train.precision import autocast
from facecloak_train.settings import Beat

LEVELS: Final = 255.0
_ROUNDS: Final = 3
_STEPS: Final = 10
_OVERSHOOT: Final = 0.02

Victim = Callable[[Tensor], Tensor]
"""Takes ``float32[N, T, S, S]`` in ``[0, 1]``, returns logits; in evaluation mode."""


class ClipPainter:
    """Paints a still grid and a circle of grids on clips, as the live compositor does.

    Args:
        size_px: side of the frames.
        eps: the most that a value may change, in 8-bit levels.
    """

    def __init__(self, size_px: int, eps: float) -> None:
        self._painter = Painter(size_px, eps, torch.device("cpu"))
        self.eps = eps

    def cloak(self, clips: Tensor, static: Tensor, circle: Tensor, starts: Tensor) -> Tensor:
        """Paint.

        Args:
            clips: ``float32[N, T, S, S]`` in ``[0, 1]``.
            static: ``float32[G, G]``, levels.
            circle: ``float32[P, K, K]``, levels: one grid for each frame, anew after the last.
            starts: ``int64[N]``, the frame of the circle with which each clip begins.

        Returns:
            Clips of the same form, rounded to 8 bits with the gradient passed straight through.
        """
        turn = (starts[:, None] + torch.arange(clips.shape[1])) % len(circle)
        painted = self._painter.pattern(circle, static if static.any() else None)[turn]
        exact = (clips + painted / LEVELS).clamp(0.0, 1.0)
        rounded = (exact * LEVELS).round() / LEVELS
        return exact + (rounded - exact).detach()


def within_beat(eps: float) -> Callable[[Tensor], Tensor]:
    """The projection of a pair, ``float[2, K, K]``, on those that reach ``eps`` at no time."""

    def project(pair: Tensor) -> Tensor:
        reach = pair.norm(dim=0, keepdim=True).clamp_min(1e-12)
        inside: Tensor = pair * (eps / reach).clamp(max=1.0)
        return inside

    return project


def beating(pair: Tensor, count: int) -> Tensor:
    """The circle of a quadrature pair, ``A cos + B sin``: ``float32[count, K, K]``."""
    phases = 2.0 * math.pi * torch.arange(count) / count
    return torch.einsum("pt,pij->tij", torch.stack([phases.cos(), phases.sin()]), pair)


def beating_pair(victims: Sequence[Victim], frames: Tensor, eps: float, how: Beat) -> Tensor:
    """The circle of the quadrature pair that fools all victims most, whenever clips begin.

    Args:
        victims: classifiers of clips.
        frames: ``uint8[N, T, S, S]``, the clips to learn from.
        eps: its budget, in levels.
        how: the ascent.

    Returns:
        ``float32[P, K, K]``, levels.
    """
    painter, nothing = ClipPainter(frames.shape[-1], eps), torch.zeros(1, 1)

    def paint(seen: Tensor, pair: Tensor, starts: Tensor) -> Tensor:
        return painter.cloak(seen, nothing, beating(pair, how.frames), starts)

    return beating(_climbed(victims, frames, how, 2, within_beat(eps), paint), how.frames)


def circular(
    victims: Sequence[Victim], frames: Tensor, painter: ClipPainter, static: Tensor, how: Beat
) -> Tensor:
    """The circle of frames that fools all victims most, whenever clips begin.

    Source: Li et al., "Stealthy Adversarial Perturbations Against Real-Time Video Classification
    Systems" (NDSS 2019), the circular perturbation C-DUP for all classes, over random shifts of the
    circle; by ascent on the patterns themselves instead of on a network that draws them.

    Args:
        victims: classifiers of clips.
        frames: ``uint8[N, T, S, S]``, the clips to learn from.
        painter: its budget is that of the circle and of all that is painted.
        static: ``float32[G, G]``, levels; it is painted, too.
        how: the ascent.

    Returns:
        ``float32[P, K, K]``, levels.
    """

    def paint(seen: Tensor, circle: Tensor, starts: Tensor) -> Tensor:
        return painter.cloak(seen, static, circle, starts)

    def project(circle: Tensor) -> Tensor:
        return circle.clamp(-painter.eps, painter.eps)

    return _climbed(victims, frames, how, how.frames, project, paint)


def _climbed(
    victims: Sequence[Victim],
    frames: Tensor,
    how: Beat,
    grids: int,
    project: Callable[[Tensor], Tensor],
    paint: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Tensor:
    """So many grids, each ``float32[K, K]``, after the ascent.

    Args:
        victims: classifiers of clips.
        frames: the clips to learn from.
        how: the ascent.
        grids: how many.
        project: back into the budget.
        paint: clips, grids, and the frame of the circle with which each clip begins.
    """
    generator = torch.Generator().manual_seed(how.seed)

    def drawn(low: int, high: int, count: int) -> Tensor:
        return torch.randint(low, high, (count,), generator=generator)

    def objective(victim: Victim) -> Callable[..., Tensor]:
        def lead(chosen: Tensor, value: Tensor) -> Tensor:
            seen = frames[chosen].float() / LEVELS
            painted = paint(seen, value, drawn(0, how.frames, len(chosen)))
            down, right = drawn(-how.jitter_px, how.jitter_px + 1, 2).tolist()
            with autocast("cpu"):
                with torch.no_grad():
                    said = victim(seen).argmax(1)
                logits = victim(painted.roll((down, right), (2, 3)))
            return margin_loss(logits.float(), said, how.confidence)

        return lead

    value = torch.randn(grids, how.cells, how.cells, generator=generator)
    for number in range(_ROUNDS):
        rng = np.random.default_rng([how.seed, number])
        batches = (
            torch.from_numpy(rng.choice(len(frames), min(how.batch, len(frames)), replace=False))
            for _ in range(how.steps // _ROUNDS)
        )
        step = how.step * 0.1 ** (number / (_ROUNDS - 1))
        objectives = [objective(one) for one in victims]
        (value,) = ascend(objectives, batches, [Part(value, step, project)], enough=how.confidence)
    return value


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
