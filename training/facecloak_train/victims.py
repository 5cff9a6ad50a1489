"""Classifiers at the far end of a call, all asked in one way."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from facecloak.core.errors import ArtifactError
from facecloak.verify.criteria import Logits
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run
from facecloak_train.data.fer2013 import FACE_PX, LABELS, Faces
from facecloak_train.export.onnx_export import CentreCrop
from facecloak_train.measure.reading import Victim
from facecloak_train.precision import best_device
from facecloak_train.teachers import architecture, classifier


def name_of(path: Path) -> str:
    """What a classifier is called: its file, or its run's folder where that is best.safetensors."""
    return path.resolve().parent.name if path.stem == "best" else path.stem


class ExportedVictim:
    """A classifier as the app ships it.

    Raises:
        ArtifactError: the file is no classifier of FER2013's expressions in still faces.
    """

    def __init__(self, path: Path) -> None:
        self._judge = OnnxClassifier(path, "cpu")
        card = self._judge.card
        if card.is_clip or card.labels != LABELS:
            msg = f"{path.name} does not read the expressions of FER2013 in still faces."
            raise ArtifactError(msg, "Give classifiers that `facecloak-train export` wrote.")
        self.name, self.architecture = card.name, card.architecture
        self.sha256, self.input_px = card.sha256, card.input_px

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """See :class:`Victim`."""
        return self._judge.logits(crops)


class TrainedVictim:
    """A network as `fit` leaves it, in fp32; its name is the file's, or the run's for the best.

    Args:
        path: its ``best.safetensors``, under whichever name.
        net_px: side of the crop that it was trained on, the middle of the face.

    Raises:
        RunError: the file cannot be read.
        ValueError: the network needs features of the faces, too.
    """

    def __init__(self, path: Path, training: Faces, net_px: int) -> None:
        self.name = name_of(path)
        self.sha256 = run.digest_of(path)
        self.architecture, self.input_px = architecture(path), FACE_PX
        self._device = best_device()
        any_face = torch.from_numpy(training.images[:1])[:, None].to(self._device)
        self._net = CentreCrop(classifier(path, any_face, net_px, 0), net_px).eval()

    @torch.no_grad()
    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """See :class:`Victim`."""
        faces = torch.from_numpy(crops)[:, None].to(self._device).float() / 255.0
        said: Logits = self._net(faces).cpu().numpy()
        return said


def opened(paths: Sequence[Path], training: Faces, net_px: int) -> list[Victim]:
    """The classifiers in some files.

    Args:
        paths: exported ``.onnx``, and ``best.safetensors`` of `fit`.
        training: faces of the training set.
        net_px: see :class:`TrainedVictim`.

    Raises:
        ValueError: two of them have the same name, or a network needs features.
        ArtifactError: see :class:`ExportedVictim`.
        RunError: see :class:`TrainedVictim`; or a file is not there.
    """
    for path in paths:
        if not path.is_file():
            msg = f"{path}: there is no such file; check the name"
            raise run.RunError(msg)
    found: list[Victim] = [
        ExportedVictim(path) if path.suffix == ".onnx" else TrainedVictim(path, training, net_px)
        for path in paths
    ]
    if len({victim.name for victim in found}) < len(found):
        msg = "two classifiers have the same name; rename the file or folder of one"
        raise ValueError(msg)
    return found
