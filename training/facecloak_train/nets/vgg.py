"""VGG19 with batch normalisation for 44x44 faces.

Source: configuration E of Simonyan and Zisserman, "Very Deep Convolutional Networks"
(arXiv 1409.1556, table 1), with the head that the FER2013 literature uses: the last map is one
pixel, so a single linear layer follows it. With seven classes it has 20 038 983 parameters.
"""

from typing import Final

from torch import Tensor, nn

_BLOCKS: Final = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


class Vgg19(nn.Module):
    """Sixteen 3x3 convolutions in five blocks, each block halving the map.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 32 to 63, and returns logits,
    ``float32[N, classes]``. The grey plane feeds all three input channels.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width, depth in _BLOCKS:
            for _ in range(depth):
                layers += [
                    nn.Conv2d(channels, width, kernel_size=3, padding=1),
                    nn.BatchNorm2d(width),
                    nn.ReLU(inplace=True),
                ]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        head = nn.Linear(channels, classes)
        nn.init.zeros_(head.weight)
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), head)

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        centred = (faces - 0.5) * 4.0
        logits: Tensor = self.head(self.features(centred.expand(-1, 3, -1, -1)))
        return logits
