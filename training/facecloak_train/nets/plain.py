"""A plain convolutional network for 44x44 faces: no shortcuts, and a layer that knows places.

Source: Tang, "Deep Learning using Linear Support Vector Machines" (arXiv 1306.0239, section 3.1),
which won the challenge that FER2013 was made for: a few convolutions and poolings, then a fully
connected layer over the whole map. Here with 3x3 convolutions behind the first, with batch
normalisation, and with cross-entropy. Networks after this pattern still come with many programs
that read expressions.
"""

from typing import Final

from torch import Tensor, nn

_STEM: Final = 48
_BLOCKS: Final = ((96, 2), (192, 2))
"""Channels and convolutions of each block behind the stem."""
_MAP: Final = 5
_HIDDEN: Final = 256


def _layer(inputs: int, outputs: int, size: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Plain(nn.Module):
    """Five convolutions, three poolings, two fully connected layers; 1.9 M parameters.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 40 to 47, and returns logits,
    ``float32[N, classes]``.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [_layer(1, _STEM, 5), nn.MaxPool2d(2)]
        channels = _STEM
        for width, depth in _BLOCKS:
            for _ in range(depth):
                layers.append(_layer(channels, width, 3))
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        head = nn.Linear(_HIDDEN, classes)
        nn.init.zeros_(head.weight)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(channels * _MAP * _MAP, _HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            head,
        )

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        logits: Tensor = self.head(self.features((faces - 0.5) * 4.0))
        return logits
