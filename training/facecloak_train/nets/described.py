"""A classifier that looks at a face and at features that were taken of it before.

Source of the idea and of the features' branch: A. Horseman, model B of
github.com/amineHorseman/facial-expression-recognition-using-cnn: 4096 to 1024 to 128 from the
picture, 1024 to 128 from the features, one linear layer on both. The trunk here is a residual one,
because its three plain convolutions and 45 million weights stop at 61 % of seven classes.
"""

from typing import Final

from torch import Tensor, cat, nn

from facecloak_train.nets.resnet import resnet14

FEATURES: Final = 2728
_WIDTH: Final = 128


class CnnLandmarksHog(nn.Module):
    """ResNet14's trunk beside two layers for landmarks and HOG.

    Takes ``float32[N, 1, H, W]`` in ``[0, 1]``, H and W from 32, and ``float32[N, 2728]``, and
    returns logits, ``float32[N, classes]``. With seven classes it has 5 391 175 parameters.
    """

    takes_features: Final = True

    def __init__(self, classes: int) -> None:
        super().__init__()
        trunk = resnet14(_WIDTH)
        nn.init.kaiming_normal_(trunk.get_parameter("head.3.weight"))  # begins at zero otherwise
        self.picture = nn.Sequential(trunk, nn.BatchNorm1d(_WIDTH), nn.ReLU())
        self.features = nn.Sequential(
            nn.BatchNorm1d(FEATURES),
            nn.Dropout(0.5),
            nn.Linear(FEATURES, 1024),
            nn.BatchNorm1d(1024),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            nn.Linear(1024, _WIDTH),
            nn.ReLU(inplace=True),
        )
        self.head = nn.Linear(2 * _WIDTH, classes)
        nn.init.zeros_(self.head.weight)

    def forward(self, faces: Tensor, features: Tensor) -> Tensor:
        """Classify."""
        both = cat([self.picture(faces), self.features(features)], dim=1)
        logits: Tensor = self.head(both)
        return logits


class Bound(nn.Module):
    """Such a classifier, bound to the features of a batch, so that it takes faces alone.

    Args:
        net: takes faces and features.
        features: ``float32[N, 2728]``; k times N faces are taken to be k rounds of these N.
    """

    def __init__(self, net: nn.Module, features: Tensor) -> None:
        super().__init__()
        self.net = net
        self._features = features

    def forward(self, faces: Tensor) -> Tensor:
        """Classify ``float32[k N, 1, H, W]``."""
        rounds = len(faces) // len(self._features)
        logits: Tensor = self.net(faces, self._features.repeat(rounds, 1))
        return logits
