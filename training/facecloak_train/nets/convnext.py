"""A small ConvNeXt for 44x44 faces.

Source: Liu et al., "A ConvNet for the 2020s" (arXiv 2201.03545, figure 4): depthwise 7x7
convolutions, layer normalisation, and GELU, where ``vgg`` and ``resnet`` have 3x3 convolutions,
batch normalisation and ReLU. Here it serves as a network of another kind for attacks to be made
from, or measured on.
"""

from typing import Final

import torch
from torch import Tensor, nn

_STAGES: Final = ((64, 2), (128, 4), (256, 2))
_SCALE: Final = 0.1
"""What the branch of a block counts at first."""


class _Block(nn.Module):
    """Mix places by a depthwise convolution, then channels by two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.places = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.channels = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.scale = nn.Parameter(torch.full((width,), _SCALE))

    def forward(self, maps: Tensor) -> Tensor:
        branch: Tensor = self.channels(self.places(maps).permute(0, 2, 3, 1)) * self.scale
        return maps + branch.permute(0, 3, 1, 2)


class ConvNext(nn.Module):
    """Three stages of blocks, the mean over the map, dropout and a linear layer; 1.9 M parameters.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 32, and returns logits,
    ``float32[N, classes]``.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width, depth in _STAGES:
            layers += [nn.Conv2d(channels, width, 2, stride=2), nn.GroupNorm(1, width)]
            layers += [_Block(width) for _ in range(depth)]
            channels = width
        self.features = nn.Sequential(*layers)
        head = nn.Linear(channels, classes)
        nn.init.zeros_(head.weight)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(channels), nn.Dropout(0.3), head
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        logits: Tensor = self.head(self.features((faces - 0.5) * 4.0))
        return logits
