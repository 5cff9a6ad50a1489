"""A network that draws a perturbation for the face at hand.

Source: the generators of Poursaeed et al., "Generative Adversarial Perturbations" (arXiv
1712.02328, section 3.3), which answer an image in one pass, here as a small U-Net (Ronneberger et
al., arXiv 1505.04597) that draws what a perturbation of FaceCloak consists of, and nothing more:
a pattern on a coarse grid and a smooth displacement.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

CELLS: Final = 48
"""Side of the pattern: that of a face of FER2013."""
FIELD_CELLS: Final = 6
"""Side of the displacement."""
_WIDTHS: Final = (32, 64, 96)


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Tailor(nn.Module):
    """Looks at an aligned face three times, each time at half the size, and draws on the way back.

    Takes ``float32[N, 1, 48, 48]`` in ``[0, 1]`` and returns a pattern, ``float32[N, 48, 48]``, and
    a displacement, ``float32[N, 2, 6, 6]``, as shares of their budgets, in ``[-1, 1]``.
    """

    def __init__(self) -> None:
        super().__init__()
        fine, middle, coarse = _WIDTHS
        self.look = nn.ModuleList(
            [
                nn.Sequential(_layer(1, 16), _layer(16, fine, 2)),
                nn.Sequential(_layer(fine, middle), _layer(middle, middle, 2)),
                nn.Sequential(
                    _layer(middle, coarse), _layer(coarse, coarse, 2), _layer(coarse, coarse)
                ),
            ]
        )
        self.draw = nn.ModuleList([_layer(coarse + middle, middle), _layer(middle + fine, fine)])
        self.pattern = nn.Conv2d(fine, 1, 3, padding=1)
        self.field = nn.Conv2d(coarse, 2, 1)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Draw."""
        maps, seen = (faces - 0.5) * 4.0, []
        for look in self.look:
            maps = look(maps)
            seen.append(maps)
        field = torch.tanh(self.field(maps).float())
        for draw, beside in zip(self.draw, reversed(seen[:-1]), strict=True):
            maps = draw(torch.cat([_doubled(maps), beside], dim=1))
        return torch.tanh(self.pattern(_doubled(maps)).float())[:, 0], field


def _doubled(maps: Tensor) -> Tensor:
    return functional.interpolate(maps, scale_factor=2.0, mode="nearest")
