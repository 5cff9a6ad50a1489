"""A small vision transformer for 44x44 faces.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (arXiv 2010.11929), in the plain form of
Beyer et al., "Better plain ViT baselines for ImageNet-1k" (arXiv 2205.01580): fixed sine-cosine
positions and the mean over the tokens. It has no convolution but the one that cuts patches, so an
attack that was made from convolutional networks has seen nothing like it.
"""

import math
from typing import Final

import torch
from torch import Tensor, nn

_PATCH_PX: Final = 4
_WIDTH: Final = 192
_DEPTH: Final = 6
_HEADS: Final = 3
_LONGEST: Final = 100.0
"""The longest wave of the positions, in patches over two pi."""


class VisionTransformer(nn.Module):
    """Patches of 4x4 pixels, six layers of attention, their mean, a linear layer; 2.7 M parameters.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 32, and returns logits,
    ``float32[N, classes]``. Pixels beyond the last whole patch are not looked at.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, _WIDTH, _PATCH_PX, stride=_PATCH_PX)
        self.layers = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(
                    _WIDTH,
                    _HEADS,
                    dim_feedforward=4 * _WIDTH,
                    dropout=0.1,
                    activation="gelu",
                    batch_first=True,
                    norm_first=True,
                )
                for _ in range(_DEPTH)
            )
        )
        head = nn.Linear(_WIDTH, classes)
        nn.init.zeros_(head.weight)
        self.head = nn.Sequential(nn.LayerNorm(_WIDTH), head)

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        maps = self.patches((faces - 0.5) * 4.0)
        tokens = maps.flatten(2).transpose(1, 2)
        tokens = self.layers(tokens + _positions(maps))
        logits: Tensor = self.head(tokens.mean(1))
        return logits


def _positions(maps: Tensor) -> Tensor:
    """Where each patch is, as sines and cosines: ``float32[rows * columns, width]``."""
    count = _WIDTH // 4
    waves = torch.exp(torch.arange(count, device=maps.device) * (-math.log(_LONGEST) / (count - 1)))
    places = [
        torch.arange(length, device=maps.device, dtype=torch.float32) for length in maps.shape[-2:]
    ]
    y, x = (torch.outer(at.flatten(), waves) for at in torch.meshgrid(*places, indexing="ij"))
    return torch.cat([x.sin(), x.cos(), y.sin(), y.cos()], dim=1)
