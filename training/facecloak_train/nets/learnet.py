"""LEARNet: four streams over a dynamic image, two of which take up what their neighbours found.

Source: Verma et al., "LEARNet: Dynamic Imaging Network for Micro Expression Recognition"
(arXiv 1904.09410), in the form of its author's Keras file: every
convolution keeps the size but for its stride of two, and a ReLU follows it.
"""

from torch import Tensor, cat, nn

from facecloak_train.nets.clips import dynamic_image, rank_pooling_weights


def _conv(inputs: int, outputs: int, size: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, 2, padding=size // 2), nn.ReLU())


class _Pair(nn.Module):
    """A plain stream, and an accretive one that adds the plain one's maps to its own."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = nn.ModuleList([_conv(16, 16, 1), _conv(16, 32, 3), _conv(32, 64, 5)])
        self.accretive = nn.ModuleList([_conv(16, 16, 1), _conv(16, 32, 3), _conv(32, 64, 5)])
        self.norms = nn.ModuleList([nn.BatchNorm2d(16), nn.BatchNorm2d(32)])

    def forward(self, maps: Tensor) -> list[Tensor]:
        plain, accretive = maps, maps
        for level in (0, 1):
            plain = self.plain[level](plain)
            accretive = self.norms[level](plain + self.accretive[level](accretive))
        return [self.plain[2](plain), self.accretive[2](accretive)]


class LearNet(nn.Module):
    """Takes ``float32[N, T, 112, 112]`` in ``[0, 1]``, returns logits ``float32[N, classes]``.

    It looks at the dynamic image of the clip, on which a change that stands still has no influence
    but by clipping. With five classes it has 1 866 757 numbers, batch statistics included.

    Args:
        classes: number of them.
        frames: T.
    """

    def __init__(self, classes: int, frames: int = 18) -> None:
        super().__init__()
        self.register_buffer("_weights", rank_pooling_weights(frames), persistent=False)
        self.stem = _conv(3, 16, 3)
        self.pairs = nn.ModuleList([_Pair(), _Pair()])
        self.merge = nn.Sequential(nn.BatchNorm2d(256), _conv(256, 256, 3), nn.Flatten())
        self.head = nn.Sequential(
            nn.Linear(4096, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, classes)
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Classify."""
        return self.classify(dynamic_image(clips, self.get_buffer("_weights")))

    def classify(self, images: Tensor) -> Tensor:
        """Classify dynamic images, ``float32[N, 1, 112, 112]`` in ``[0, 1]``."""
        maps = self.stem((images - 0.5).expand(-1, 3, -1, -1) * 4.0)
        streams = [stream for pair in self.pairs for stream in pair(maps)]
        logits: Tensor = self.head(self.merge(cat(streams, dim=1)))
        return logits
