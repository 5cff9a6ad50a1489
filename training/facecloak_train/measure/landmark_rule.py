"""A rule on MediaPipe's own landmarks: a reader of expressions that sees no texture.

Multinomial logistic regression of the expression on where 68 landmarks are, once the face is
aligned by those that an expression hardly moves. Texture alone can fool it only where it moves the
landmarks themselves; it is the control beside networks.
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from facecloak.core import geometry
from facecloak.core.errors import DegenerateFace
from facecloak.face.mediapipe_finder import MeshModel
from facecloak.verify.criteria import Logits
from facecloak_train import run
from facecloak_train.data.fer2013 import LABELS, Faces
from facecloak_train.data.landmarks import IBUG_68
from facecloak_train.regression import logistic

NAME: Final = "landmark rule"
INPUT_PX: Final = 192
_MARGIN_PX: Final = 48
"""Border replicated around the face: the detector likes some room around it."""
_RIDGE: Final = 1e-3

Features = NDArray[np.float32]
"""``float32[N, 136]``, x and y of each landmark in face coordinates; NaN where there is none."""


class LandmarkEyes:
    """Sees the landmarks of aligned faces. A context manager.

    Raises:
        ArtifactError: a model file of MediaPipe is missing.
    """

    def __init__(self) -> None:
        indices = (*geometry.TEMPLATE_INDICES, *IBUG_68)
        self._mesh = MeshModel(faces=1, video=False, indices=indices)

    def features(self, crops: Iterable[NDArray[np.uint8]]) -> Features:
        """Of grey faces, each ``uint8[192, 192]``."""
        return np.stack([self._of(crop) for crop in crops])

    def _of(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        picture = cv2.copyMakeBorder(crop, *(_MARGIN_PX,) * 4, cv2.BORDER_REPLICATE)
        found = self._mesh.landmarks(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB).astype(np.uint8))
        rigid = len(geometry.TEMPLATE_INDICES)
        try:
            for points in found:
                aligned = geometry.similarity(points[:rigid], geometry.TEMPLATE_POINTS)
                return geometry.apply(aligned, points[rigid:]).ravel().astype(np.float32)
        except DegenerateFace:
            pass
        return np.full(2 * len(IBUG_68), np.nan, np.float32)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._mesh.close()


class LandmarkRule:
    """The rule, fitted; reads as the classifiers do.

    Attributes:
        name, architecture, input_px: as of any classifier.
        sha256: digest of its file.
        told: of how many faces it was fitted, and what it read rightly of others.

    Args:
        eyes: see the landmarks.
        path: what :func:`fit` wrote.

    Raises:
        RunError: the file cannot be read.
    """

    def __init__(self, eyes: LandmarkEyes, path: Path) -> None:
        self.name, self.architecture, self.input_px = NAME, "logistic regression", INPUT_PX
        self._eyes = eyes
        tensors, self.told = run.load_checkpoint(path)
        self._tensors = {name: tensor.numpy() for name, tensor in tensors.items()}
        self.sha256 = run.digest_of(path)

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """Read ``uint8[N, 192, 192]``: ``float32[N, C]``; no landmarks read like mean ones."""
        return read(self._eyes.features(crops), self._tensors)


def read(features: Features, tensors: dict[str, NDArray[np.float32]]) -> Logits:
    """What a rule says of landmarks: ``float32[N, C]``."""
    scaled = np.nan_to_num((features - tensors["mean"]) / tensors["spread"])
    logits: Logits = scaled @ tensors["weight"].T + tensors["bias"]
    return logits


def fit(path: Path, training: Faces, others: Faces, eyes: LandmarkEyes) -> None:
    """Fit the rule to training faces and write it, with its accuracy on others.

    Args:
        path: the .safetensors to write.
        training: faces; those without landmarks are left out.
        others: faces; those without landmarks count, as what the rule says of them.
        eyes: see the landmarks.
    """
    learnt, tested = (
        eyes.features(map(_enlarged, tqdm(faces.images, desc="landmarks", unit="face")))
        for faces in (training, others)
    )
    there = ~np.isnan(learnt).any(axis=1)
    tensors = regression(learnt[there], training.labels[there], len(LABELS))
    said = read(tested, {name: tensor.numpy() for name, tensor in tensors.items()}).argmax(axis=1)
    told = {"faces": int(there.sum()), "accuracy": float((said == others.labels).mean())}
    run.save_checkpoint(path, tensors, told)


def regression(features: Features, labels: NDArray[np.int64], classes: int) -> dict[str, Tensor]:
    """Multinomial logistic regression with a small ridge.

    Args:
        features: finite.
        labels: ``int64[N]``.
        classes: number of them.

    Returns:
        ``weight`` and ``bias``, of features less their ``mean`` in units of their ``spread``.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    seen, wanted = torch.from_numpy((features - mean) / spread), torch.from_numpy(labels)
    reader = logistic(seen, wanted, classes, _RIDGE)
    return {
        "weight": reader.weight.data,
        "bias": reader.bias.data,
        "mean": torch.from_numpy(mean),
        "spread": torch.from_numpy(spread),
    }


def _enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    large = cv2.resize(image, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_CUBIC)
    return large.astype(np.uint8, copy=False)
