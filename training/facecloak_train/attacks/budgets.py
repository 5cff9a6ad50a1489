"""The budgets of a perturbation of faces, as projections that take it back into them."""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facecloak.core import displacement

_NEIGHBOURHOOD_PX: Final = 5
_BUSIEST: Final = 0.9
"""Share of the cells that are smoother than the contrast from which on all of the budget is had."""
_BESIDE_CELLS: Final = 0.8
"""How far a cell counts for those beside it."""


def within(most: float | Tensor) -> Callable[[Tensor], Tensor]:
    """The projection on the box around zero whose half sides are ``most``."""

    def project(value: Tensor) -> Tensor:
        if isinstance(most, Tensor):
            return torch.maximum(torch.minimum(value, most), -most)
        return value.clamp(-most, most)

    return project


def within_geometry(shift: float, strain: float) -> Callable[[Tensor], Tensor]:
    """The projection of a displacement on both budgets, see ``core.displacement.within``.

    Args:
        shift: the longest shift, in face widths; where it is zero nothing is displaced.
        strain: the largest strain.
    """

    def project(field: Tensor) -> Tensor:
        if not shift > 0:
            return torch.zeros_like(field)
        plain = field.detach().cpu().numpy().astype(np.float32)
        bounded = displacement.within(plain, most_shift=shift, most_strain=strain)
        return torch.from_numpy(bounded).to(field)

    return project


def visibility(faces: Tensor, cells: int, smoothest: float) -> Tensor:
    """How much of the budget each cell of a pattern may use, by how smooth faces are there.

    Texture hides texture (contrast masking; Legge and Foley, "Contrast masking in human vision",
    1980), so a pattern is seen first on cheeks and forehead. Here the threshold is taken to grow
    with the local contrast: the root mean square over the faces of the standard deviation in a
    neighbourhood of 5x5 pixels.

    Args:
        faces: aligned faces, ``uint8[N, 1, S, S]``.
        cells: side of the pattern's grid.
        smoothest: what the smoothest cell may use, in ``[0, 1]``.

    Returns:
        ``float32[cells, cells]`` in ``[smoothest, 1]``.

    Raises:
        ValueError: ``smoothest`` is no share.
    """
    if not 0.0 <= smoothest <= 1.0:
        msg = f"the share of the budget on smooth skin must be within 0 to 1, not {smoothest:g}"
        raise ValueError(msg)
    side, margin = _NEIGHBOURHOOD_PX, _NEIGHBOURHOOD_PX // 2
    total = torch.zeros(faces.shape[-2:], device=faces.device)
    for batch in torch.split(faces, 512):
        padded = functional.pad(batch.float(), (margin,) * 4, mode="replicate")
        mean = functional.avg_pool2d(padded, side, stride=1)
        square = functional.avg_pool2d(padded.square(), side, stride=1)
        total += (square - mean.square()).clamp_min(0.0).sum((0, 1))
    contrast = (total / len(faces)).sqrt()[None, None]
    size = (cells, cells)
    contrast = functional.interpolate(contrast, size, mode="bilinear", align_corners=False)[0, 0]
    low, high = contrast.min(), contrast.quantile(_BUSIEST)
    share = ((contrast - low) / (high - low).clamp_min(1e-6)).clamp(0.0, 1.0)
    return smoothest + (1.0 - smoothest) * share


def strongest(gain: Tensor, share: float) -> Tensor:
    """Which cells of a pattern matter most.

    A picture is the less changed the fewer cells are, and few of them lead a network astray
    (Papernot et al., "The Limitations of Deep Learning in Adversarial Settings", arXiv 1511.07528).
    A cell counts with those beside it, so that what is painted hangs together.

    Args:
        gain: what each cell adds to what the pattern is for, ``float32[G, G]``; zero where a face
            does not show it, and such cells are not counted.
        share: which share of the others, in ``(0, 1]``.

    Returns:
        ``bool[G, G]``, fewer where fewer add anything; all where nothing is told of any cell.
    """
    plain = gain.detach().cpu().numpy().astype(np.float32)
    told = plain != 0.0
    if not told.any():
        return torch.ones_like(gain, dtype=torch.bool)
    blurred = cv2.GaussianBlur(np.maximum(plain, 0.0), (0, 0), _BESIDE_CELLS)
    least = np.quantile(blurred[told], 1.0 - share)
    return torch.from_numpy(told & (blurred >= least) & (blurred > 0.0)).to(gain.device)
