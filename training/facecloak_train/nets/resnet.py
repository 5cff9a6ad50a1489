"""Residual networks for 44x44 faces.

Source: He et al., "Deep Residual Learning for Image Recognition" (arXiv 1512.03385), the blocks of
two 3x3 convolutions of its table 1 behind a 3x3 stem, as the FER2013 literature takes it.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


def _conv(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the map's size but for its stride; a normalisation follows it."""
    conv = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes.

    The last normalisation begins at zero, so that a block begins as its shortcut (Goyal et al.,
    arXiv 1706.02677, section 5.1).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(outputs)
        nn.init.zeros_(last.weight)
        self.residual = nn.Sequential(
            _conv(inputs, outputs, 3, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            _conv(outputs, outputs, 3),
            last,
        )
        self.shortcut = nn.Sequential()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                _conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs)
            )

    def forward(self, maps: Tensor) -> Tensor:
        activated: Tensor = nn.functional.relu(self.residual(maps) + self.shortcut(maps))
        return activated


class ResNet(nn.Module):
    """A stem, stages of two blocks, the mean over the map, dropout and a linear layer.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 32, and returns logits,
    ``float32[N, classes]``.

    Args:
        classes: number of them.
        stem: channels of the first convolution.
        stages: channels and stride of each stage.
    """

    def __init__(self, classes: int, stem: int, stages: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        layers: list[nn.Module] = [_conv(1, stem, 3), nn.BatchNorm2d(stem), nn.ReLU(inplace=True)]
        for (inputs, _), (outputs, stride) in pairwise([(stem, 1), *stages]):
            layers += [_Block(inputs, outputs, stride), _Block(outputs, outputs, 1)]
        self.features = nn.Sequential(*layers)
        head = nn.Linear(stages[-1][0], classes)
        nn.init.zeros_(head.weight)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), head)

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        logits: Tensor = self.head(self.features((faces - 0.5) * 4.0))
        return logits


def resnet18(classes: int) -> ResNet:
    """ResNet18; with seven classes 11 171 271 parameters, 1.05 GMAC at 44x44."""
    return ResNet(classes, 64, [(64, 1), (128, 2), (256, 2), (512, 2)])


def resnet14(classes: int) -> ResNet:
    """A small one that runs live; with seven classes 2 433 063 parameters, 0.2 GMAC at 44x44.

    It halves the map at once and stops at three stages, of widths that fit into 5 MB as fp16.
    """
    return ResNet(classes, 32, [(96, 2), (160, 2), (192, 2)])
