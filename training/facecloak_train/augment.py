"""Training-time augmentation, on whole batches of tensors."""

import math

import numpy as np
import torch
from torch import Tensor

from facecloak_train.settings import Jitter
from facecloak_train.warp import warp


def random_placement(
    count: int, face_px: int, size_px: int, jitter: Jitter, generator: torch.Generator
) -> Tensor:
    """Draw ``count`` matrices that take pixels of a jittered crop to pixels of the face.

    Args:
        count: number of matrices.
        face_px: side of the stored face, in pixels.
        size_px: side of the crop to be made, in pixels; without jitter it covers the face.
        jitter: the ranges to draw from.
        generator: where the randomness comes from.

    Returns:
        ``float32[count, 2, 3]``, for :func:`facecloak_train.warp.warp`.
    """

    def symmetric(limit: float) -> Tensor:
        return (torch.rand(count, generator=generator) * 2.0 - 1.0) * limit

    angle = symmetric(math.radians(jitter.rotation_deg))
    zoom = face_px / size_px * torch.exp(symmetric(math.log1p(jitter.scale)))
    mirror = torch.ones(count)
    if jitter.flip:
        mirror -= 2.0 * (torch.rand(count, generator=generator) < 0.5)
    cos, sin = zoom * torch.cos(angle), zoom * torch.sin(angle)
    linear = torch.stack(
        [torch.stack([cos * mirror, -sin], -1), torch.stack([sin * mirror, cos], -1)], dim=1
    )
    face_centre = (face_px - 1) / 2 + torch.stack(
        [symmetric(jitter.shift * face_px), symmetric(jitter.shift * face_px)], dim=-1
    )
    crop_centre = torch.full((2,), (size_px - 1) / 2)
    return torch.cat([linear, (face_centre - linear @ crop_centre)[..., None]], dim=-1)


def augment(faces: Tensor, size_px: int, jitter: Jitter, generator: torch.Generator) -> Tensor:
    """Place, flip and relight a batch of faces at random.

    Args:
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``.
        size_px: side of the result, in pixels.
        jitter: how much of everything.
        generator: where the randomness comes from.

    Returns:
        ``float32[N, 1, size_px, size_px]`` in ``[0, 1]``.
    """
    count, face_px = len(faces), faces.shape[-1]
    placed = warp(
        faces,
        _sent(random_placement(count, face_px, size_px, jitter, generator), faces),
        (size_px, size_px),
    )
    light = _sent(torch.rand(2, count, 1, 1, 1, generator=generator), faces) * 2.0 - 1.0
    gain, offset = 1.0 + light[0] * jitter.contrast, light[1] * jitter.brightness
    return ((placed - 0.5) * gain + 0.5 + offset).clamp(0.0, 1.0)


def erase(faces: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Put uniform noise over a random rectangle of some of the faces.

    A rectangle covers 2 to 33 % of the face's area, with sides between 3:10 and 10:3; it may stick
    out. Source: Zhong et al., "Random Erasing Data Augmentation" (arXiv 1708.04896).

    Args:
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``.
        share: the probability that a face is chosen.
        generator: where the randomness comes from; not asked when ``share`` is zero.

    Returns:
        As ``faces``; what is not under a rectangle is unchanged.
    """
    if not share:
        return faces
    count, side = len(faces), faces.shape[-1]
    chosen, area, shape, *centre = torch.rand(5, count, generator=generator)
    area = (0.02 + 0.31 * area) * side**2
    ratio = torch.exp((2.0 * shape - 1.0) * math.log(10.0 / 3.0))
    lengths = torch.sqrt(torch.stack([area * ratio, area / ratio], dim=-1))
    away = (torch.arange(side) - (torch.stack(centre, dim=-1) * side)[..., None]).abs()
    within = away <= lengths[..., None] / 2.0
    under = within[:, 0, :, None] & within[:, 1, None, :] & (chosen < share)[:, None, None]
    noise = _sent(torch.rand(faces.shape, generator=generator), faces)
    return torch.where(_sent(under[:, None], faces), noise, faces)


def mix(
    faces: Tensor, wanted: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Lay another face of the batch over each, and mix what is wanted of the two likewise.

    The share that a face keeps is drawn for each from Beta(``alpha``, ``alpha``). Source: Zhang et
    al., "mixup" (arXiv 1710.09412), which helps above all where labels are wrong (section 3.4).

    Args:
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``.
        wanted: ``float32[N, classes]``, rows that sum to one.
        alpha: how even the mixtures are, at least zero, which leaves all as it is.
        generator: where the randomness comes from; not asked when ``alpha`` is zero.

    Returns:
        As ``faces`` and ``wanted``.
    """
    if not alpha:
        return faces, wanted
    others = _sent(torch.randperm(len(faces), generator=generator), faces)
    seed = int(torch.randint(2**31, (1,), generator=generator))
    drawn = np.random.default_rng(seed).beta(alpha, alpha, len(faces)).astype(np.float32)
    kept = _sent(torch.from_numpy(drawn)[:, None], faces)
    return (
        torch.lerp(faces[others], faces, kept[..., None, None]),
        torch.lerp(wanted[others], wanted, kept),
    )


def _sent(drawn: Tensor, faces: Tensor) -> Tensor:
    """What was drawn on the CPU, where the faces are; neither need wait for the other."""
    if faces.is_cuda:
        drawn = drawn.pin_memory()
    return drawn.to(faces.device, non_blocking=True)


def centre_crop(faces: Tensor, size_px: int) -> Tensor:
    """Cut the middle, ``[..., size_px, size_px]``, out of ``[..., S, S]``."""
    margin = (faces.shape[-1] - size_px) // 2
    return faces[..., margin : margin + size_px, margin : margin + size_px]


def ten_crop(faces: Tensor, size_px: int) -> Tensor:
    """Four corners and the centre of each face, and the mirror image of each.

    Args:
        faces: ``[N, C, H, W]``.
        size_px: side of a crop, in pixels.

    Returns:
        ``[10, N, C, size_px, size_px]``.
    """
    height, width = faces.shape[-2:]
    bottom, right = height - size_px, width - size_px
    corners = [(0, 0), (0, right), (bottom, 0), (bottom, right), (bottom // 2, right // 2)]
    crops = [faces[..., y : y + size_px, x : x + size_px] for y, x in corners]
    return torch.stack(crops + [crop.flip(-1) for crop in crops])
