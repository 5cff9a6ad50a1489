"""What classifiers of micro-expressions share: a clip made smaller, and a clip made one picture."""

from typing import Final

import torch
from torch import Tensor

CLIP_PX: Final = 112
"""Side of the aligned face in a clip, in pixels."""
CLIP_FPS: Final = 30.0
"""Frames a second of the clips that classifiers are trained on."""


def area_weights(source: int, target: int) -> Tensor:
    """What each of ``target`` pixels takes from ``source`` of them: ``float32[target, source]``.

    Each is the mean of the stretch of the line that it covers, as OpenCV's INTER_AREA has it; rows
    sum to one.
    """
    edges = torch.arange(target + 1, dtype=torch.float64) * source / target
    first, last = edges[:-1, None], edges[1:, None]
    pixels = torch.arange(source, dtype=torch.float64)
    overlap = torch.minimum(last, pixels + 1.0) - torch.maximum(first, pixels)
    return (overlap.clamp_min(0.0) * target / source).float()


def rank_pooling_weights(frames: int) -> Tensor:
    """Weights of approximate rank pooling, ``float32[frames]``; they sum to zero.

    Source: Bilen et al., "Dynamic Image Networks for Action Recognition" (CVPR 2016, equation 3):
    ``2 (T - t + 1) - (T + 1) (H_T - H_(t-1))``, H being the harmonic numbers, t from one.
    """
    t = torch.arange(1, frames + 1, dtype=torch.float64)
    harmonic = torch.cat([torch.zeros(1, dtype=torch.float64), (1.0 / t).cumsum(0)])
    later = harmonic[-1] - harmonic[:-1]
    return (2.0 * (frames - t + 1.0) - (frames + 1.0) * later).float()


def dynamic_image(clips: Tensor, weights: Tensor) -> Tensor:
    """The picture that tells how a clip goes on, stretched to the whole range.

    Args:
        clips: ``float[N, T, H, W]``.
        weights: ``float[T]``, of :func:`rank_pooling_weights`.

    Returns:
        ``float[N, 1, H, W]``, from 0 to 1 in each clip; all zero where nothing moves.
    """
    pooled = torch.einsum("nthw,t->nhw", clips, weights)[:, None]
    low, high = pooled.amin((2, 3), keepdim=True), pooled.amax((2, 3), keepdim=True)
    return (pooled - low) / (high - low).clamp_min(1e-6)
