"""Perturbations of clips: what stands still, and what beats.

A still pattern cannot fool a classifier of true dynamic images, whose weights sum to zero, nor one
that takes the mean of the clip away. A pattern that goes round, ``A cos + B sin``, changes what
such classifiers see by the same amount whenever the clip begins.
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
from facecloak_train.nets.clips import CLIP_FPS
from facecloak_train.settings import Beat

LEVELS: Final = 255.0
_ROUNDS: Final = 3
_MOMENTS: Final = 8
"""Into how many the period is divided."""
_BELOW_ONE: Final = 1.0 - 2.0**-20
"""So that the last moment ends before the period does, rounded as it may be."""
_LEARNING: Final = 0.05
"""How much one clip moves what is known of its moment."""
_STEPS: Final = 10
_OVERSHOOT: Final = 0.02


class ClipPainter:
    """Paints a still grid and a quadrature pair of grids on clips, as the live compositor does.

    Args:
        size_px: side of the frames.
        eps: the most that a value may change, in 8-bit levels.
        period_s: of the pair.
    """

    def __init__(self, size_px: int, eps: float, period_s: float) -> None:
        self._painter = Painter(size_px, eps, torch.device("cpu"))
        self.eps = eps
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
        times_s = starts_s[:, None] + torch.arange(clips.shape[1]) / CLIP_FPS
        phases = 2.0 * math.pi * times_s / self._period_s
        even, odd = (self._painter.pattern(grid) for grid in pair)
        pattern = (
            self._painter.pattern(static)
            + phases.cos()[..., None, None] * even
            + phases.sin()[..., None, None] * odd
        )
        return self._rounded(clips, pattern)

    def circle(self, clips: Tensor, frames: Tensor, starts: Tensor) -> Tensor:
        """Paint a pattern of its own on each frame, which begins anew after the last.

        Args:
            clips: ``float32[N, T, S, S]`` in ``[0, 1]``.
            frames: ``float32[P, K, K]``, levels.
            starts: ``int64[N]``, the frame of the circle with which each clip begins.

        Returns:
            Clips of the same form, rounded to 8 bits with the gradient passed straight through.
        """
        turn = (starts[:, None] + torch.arange(clips.shape[1])) % len(frames)
        return self._rounded(clips, self._painter.pattern(frames)[turn])

    def _rounded(self, clips: Tensor, pattern: Tensor) -> Tensor:
        exact = (clips + pattern.clamp(-self.eps, self.eps) / LEVELS).clamp(0.0, 1.0)
        rounded = (exact * LEVELS).round() / LEVELS
        return exact + (rounded - exact).detach()


def within_beat(eps: float) -> Callable[[Tensor], Tensor]:
    """The projection of a pair, ``float[2, K, K]``, on those that reach ``eps`` at no time."""

    def project(pair: Tensor) -> Tensor:
        reach = pair.norm(dim=0, keepdim=True).clamp_min(1e-12)
        inside: Tensor = pair * (eps / reach).clamp(max=1.0)
        return inside

    return project


def beating_pair(
    victims: Sequence[Callable[[Tensor], Tensor]],
    frames: Tensor,
    painter: ClipPainter,
    static: Tensor,
    how: Beat,
) -> Tensor:
    """The pair that fools all victims most, whenever clips begin.

    Args:
        victims: take ``float32[N, T, S, S]`` in ``[0, 1]``, return logits; in evaluation mode.
        frames: ``uint8[N, T, S, S]``, the clips to learn from.
        painter: has the period of ``how``; its budget, less what ``static`` reaches, is the pair's.
        static: ``float32[G, G]``, levels; it is painted, too.
        how: the ascent.

    Returns:
        ``float32[2, K, K]``, levels.
    """

    def paint(seen: Tensor, pair: Tensor, when: Tensor) -> Tensor:
        return painter.cloak(seen, static, pair, when * how.period_s)

    return _climbed(victims, frames, how, 2, within_beat(painter.eps - _reach(static)), paint)


def circular(
    victims: Sequence[Callable[[Tensor], Tensor]], frames: Tensor, painter: ClipPainter, how: Beat
) -> Tensor:
    """A pattern for each frame of a circle, which fools all victims most, whenever clips begin.

    Source: Li et al., "Stealthy Adversarial Perturbations Against Real-Time Video Classification
    Systems" (NDSS 2019), the circular perturbation C-DUP for all classes, over random shifts of the
    circle; by ascent on the patterns themselves instead of on a network that draws them.

    Args:
        victims: as of ``beating_pair``.
        frames: likewise.
        painter: its budget is the pattern's.
        how: the ascent; the circle has as many frames as its period.

    Returns:
        ``float32[P, K, K]``, levels.
    """
    count = round(how.period_s * CLIP_FPS)

    def paint(seen: Tensor, circle: Tensor, when: Tensor) -> Tensor:
        return painter.circle(seen, circle, (when * count).long())

    def project(circle: Tensor) -> Tensor:
        return circle.clamp(-painter.eps, painter.eps)

    return _climbed(victims, frames, how, count, project, paint)


class _Moments:
    """Draws where in the period clips begin, more often where few of them are fooled so far.

    The worst moment counts; exponential weights, as of Freund and Schapire, "Adaptive Game Playing
    Using Multiplicative Weights" (1999), lead to the perturbation whose worst moment is best.

    Args:
        sharpness: 0 draws all moments alike.
        generator: of the draws.
    """

    def __init__(self, sharpness: float, generator: torch.Generator) -> None:
        self._sharpness = sharpness
        self._generator = generator
        self._fooled = torch.full((_MOMENTS,), 0.5)

    def drawn(self, count: int) -> Tensor:
        """So many moments: ``float32[N]`` in ``[0, 1)``."""
        odds = torch.softmax(-self._sharpness * self._fooled, 0)
        bins = torch.multinomial(odds, count, replacement=True, generator=self._generator)
        within = torch.rand(count, generator=self._generator).clamp_max(_BELOW_ONE)
        return (bins + within) / _MOMENTS

    def learn(self, when: Tensor, fooled: Tensor) -> None:
        """Note who was fooled at which moment."""
        for moment, one in zip((when * _MOMENTS).long().tolist(), fooled.tolist(), strict=True):
            self._fooled[moment] += _LEARNING * (float(one) - self._fooled[moment])


def _reach(static: Tensor) -> float:
    return float(static.abs().max())


def _climbed(
    victims: Sequence[Callable[[Tensor], Tensor]],
    frames: Tensor,
    how: Beat,
    grids: int,
    project: Callable[[Tensor], Tensor],
    paint: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> Tensor:
    """So many grids, each ``float32[K, K]``, after the ascent.

    Args:
        victims: as of ``beating_pair``.
        frames: likewise.
        how: likewise.
        grids: how many.
        project: back into the budget.
        paint: clips, grids, and where in the period each clip begins, in ``[0, 1)``.
    """
    generator = torch.Generator().manual_seed(how.seed)

    def objective(victim: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
        moments = _Moments(how.worst_first, generator)

        def lead(chosen: Tensor, value: Tensor) -> Tensor:
            seen = frames[chosen].float() / LEVELS
            when = moments.drawn(len(chosen))
            with torch.autocast("cpu", torch.bfloat16):
                with torch.no_grad():
                    said = victim(seen).argmax(1)
                logits = victim(paint(seen, value, when))
            moments.learn(when, logits.argmax(1) != said)
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
        part = Part(value, step, project)
        value = ascend([objective(one) for one in victims], batches, [part])[0]
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
