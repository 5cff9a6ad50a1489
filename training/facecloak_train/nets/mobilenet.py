"""A small MobileNetV2 for 44x44 faces.

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (arXiv 1801.04381,
table 1), with fewer halvings, because the faces are small. Networks of this kind run on phones and
in browsers, where much of what reads faces runs.
"""

from typing import Final

from torch import Tensor, nn

_STEM: Final = 24
_STAGES: Final = ((32, 2, 2), (64, 3, 2), (96, 2, 1), (160, 3, 2))
"""Channels, blocks, and stride of the first block, of each stage."""
_EXPANSION: Final = 4
_LAST: Final = 512


def _layer(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the map's size but for its stride, with its normalisation."""
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out")
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class _Inverted(nn.Module):
    """Widen, look around in each channel by itself, narrow; beside a shortcut where it fits."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        wide = _EXPANSION * inputs
        self.branch = nn.Sequential(
            _layer(inputs, wide, 1),
            nn.ReLU6(inplace=True),
            _layer(wide, wide, 3, stride, groups=wide),
            nn.ReLU6(inplace=True),
            _layer(wide, outputs, 1),
        )
        self._shortcut = stride == 1 and inputs == outputs

    def forward(self, maps: Tensor) -> Tensor:
        branch: Tensor = self.branch(maps)
        return maps + branch if self._shortcut else branch


class MobileNet(nn.Module):
    """A stem, four stages of inverted residuals, the mean over the map; 0.84 M parameters.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 32, and returns logits,
    ``float32[N, classes]``.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [_layer(1, _STEM, 3), nn.ReLU6(inplace=True)]
        channels = _STEM
        for width, depth, stride in _STAGES:
            for number in range(depth):
                layers.append(_Inverted(channels, width, stride if number == 0 else 1))
                channels = width
        layers += [_layer(channels, _LAST, 1), nn.ReLU6(inplace=True)]
        self.features = nn.Sequential(*layers)
        head = nn.Linear(_LAST, classes)
        nn.init.zeros_(head.weight)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), head)

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        logits: Tensor = self.head(self.features((faces - 0.5) * 4.0))
        return logits
