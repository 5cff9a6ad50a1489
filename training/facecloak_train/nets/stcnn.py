"""MicroExpSTCNN and MicroExpFuseNet: one 3-D convolution over the whole clip, or over two parts.

Source: Reddy et al., "Spontaneous Facial Micro-Expression Recognition using 3D Spatiotemporal
Convolutional Neural Networks" (arXiv 1904.01390, table I and figures 2 to 4), whose input is grey
and 64x64, or 32x32 for eyes and for nose and mouth, of 18 frames (SMIC) or 96 (CAS(ME)^2).
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from facecloak_train.nets.clips import CLIP_PX, area_weights

_SHORTEST: Final = 17
_PARTS: Final = {"eyes": (0.12, 0.22, 0.88, 0.52), "mouth": (0.16, 0.48, 0.84, 0.96)}
"""Left, top, right and bottom of each part in face coordinates: from the brows to the lower lids,
from the bridge of the nose to the chin, as the paper cuts them by 68 landmarks."""


class _Parts(nn.Module):
    """Clips, ``float32[N, T, 112, 112]`` in ``[0, 1]``, cut, made smaller and centred.

    The mean over the clip is taken away, pixel by pixel: what stands still says who it is, and
    nets of this size learn that first. The paper takes away the mean of the data set instead.
    """

    def __init__(self, size_px: int, box: tuple[float, float, float, float]) -> None:
        super().__init__()
        left, top, right, bottom = (round(edge * CLIP_PX) for edge in box)
        self._rows, self._columns = slice(top, bottom), slice(left, right)
        self.register_buffer("_down", area_weights(bottom - top, size_px), persistent=False)
        self.register_buffer("_across", area_weights(right - left, size_px), persistent=False)

    def forward(self, clips: Tensor) -> Tensor:
        """Return ``float32[N, 1, T, size, size]``."""
        part = clips[:, :, self._rows, self._columns]
        small = self.get_buffer("_down") @ part @ self.get_buffer("_across").mT
        moving: Tensor = (small - small.mean(1, keepdim=True)) * 16.0
        return moving[:, None]


class _Stage(nn.Module):
    """The convolution of 15 frames and 3x3 pixels, ReLU, the largest of 3x3x3, and dropout.

    Takes ``float32[N, 1, T, S, S]``, returns ``float32[N, outputs]``. A filter spans 15 frames of
    one plane, so that it is a plain convolution of 15 channels at each moment, and is computed as
    one, without what the pooling leaves over: that is faster.

    Args:
        frames: T, from 17.
        size_px: S.

    Attributes:
        outputs: how many numbers come out of it.

    Raises:
        ValueError: the clips are too short for it.
    """

    def __init__(self, frames: int, size_px: int) -> None:
        super().__init__()
        if frames < _SHORTEST:
            msg = f"this network takes clips of {_SHORTEST} frames or more, not {frames}"
            raise ValueError(msg)
        self._pooled, self._side = (frames - 14) // 3, (size_px - 2) // 3
        self.conv = nn.Conv3d(1, 32, (15, 3, 3))
        self.dropout = nn.Dropout(0.5)
        self.outputs = 32 * self._pooled * self._side**2

    def forward(self, clips: Tensor) -> Tensor:
        """Look for what moves."""
        edge, moments = 3 * self._side + 2, 3 * self._pooled
        used = clips[:, 0, :, :edge, :edge]
        at = torch.stack([used[:, t : t + 15] for t in range(moments)], dim=1)
        maps = functional.conv2d(at.flatten(0, 1), self.conv.weight[:, 0], self.conv.bias)
        small = functional.max_pool2d(maps, 3)
        strongest = small.reshape(-1, self._pooled, 3, *small.shape[1:]).amax(2).transpose(1, 2)
        features: Tensor = self.dropout(functional.relu(strongest)).flatten(1)
        return features


class MicroExpSTCNN(nn.Module):
    """Takes ``float32[N, T, 112, 112]`` in ``[0, 1]``, returns logits ``float32[N, classes]``.

    With three classes it has 1 643 267 parameters for 18 frames, 44 241 667 for 96.

    Args:
        classes: number of them.
        frames: T, from 17.
    """

    def __init__(self, classes: int, frames: int = 18) -> None:
        super().__init__()
        self.parts = _Parts(64, (0.0, 0.0, 1.0, 1.0))
        self.features = _Stage(frames, 64)
        self.head = nn.Sequential(
            nn.Linear(self.features.outputs, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Classify."""
        logits: Tensor = self.head(self.features(self.parts(clips)))
        return logits


class FuseNetIntermediate(nn.Module):
    """Eyes and mouth by a stage each, joined before the dense layers, which are linear.

    As :class:`MicroExpSTCNN`; 177 088 515 parameters for 96 frames.
    """

    def __init__(self, classes: int, frames: int = 18) -> None:
        super().__init__()
        self.parts = nn.ModuleList([_Parts(32, box) for box in _PARTS.values()])
        stages = [_Stage(frames, 32) for _ in _PARTS]
        self.features = nn.ModuleList(stages)
        self.head = nn.Sequential(
            nn.Linear(sum(stage.outputs for stage in stages), 1024),
            nn.Dropout(0.5),
            nn.Linear(1024, 128),
            nn.Dropout(0.5),
            nn.Linear(128, classes),
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Classify."""
        seen = [f(part(clips)) for part, f in zip(self.parts, self.features, strict=True)]
        logits: Tensor = self.head(torch.cat(seen, dim=1))
        return logits


class FuseNetLate(nn.Module):
    """Eyes and mouth by a stage and dense layers each, joined before the last one.

    As :class:`MicroExpSTCNN`; 177 221 123 parameters for 96 frames.
    """

    def __init__(self, classes: int, frames: int = 18) -> None:
        super().__init__()
        self.parts = nn.ModuleList([_Parts(32, box) for box in _PARTS.values()])
        branches = []
        for _ in _PARTS:
            stage = _Stage(frames, 32)
            dense = [nn.Linear(stage.outputs, 1024), nn.Dropout(0.5), nn.Linear(1024, 128)]
            branches.append(nn.Sequential(stage, *dense, nn.Dropout(0.5)))
        self.features = nn.ModuleList(branches)
        self.head = nn.Linear(128 * len(branches), classes)

    def forward(self, clips: Tensor) -> Tensor:
        """Classify."""
        seen = [f(part(clips)) for part, f in zip(self.parts, self.features, strict=True)]
        logits: Tensor = self.head(torch.cat(seen, dim=1))
        return logits
