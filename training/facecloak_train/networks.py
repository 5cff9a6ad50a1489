"""Classifiers as an attack knows them: their gradient, and what they read in clean faces."""

import functools
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from facecloak.core.perturbation import Victim
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak_train import run
from facecloak_train.augment import centre_crop
from facecloak_train.precision import autocast
from facecloak_train.teachers import architecture, classifier


class Network:
    """A classifier of faces whose weights stand still.

    Args:
        path: a ``best.safetensors`` of `fit`, or an exported ``.onnx``.
        faces: training faces, ``uint8[N, 1, S, S]``; the network works where they are.
        input_px: side of the crop that it looks at, in pixels.
        seed: of the choice of faces that measure an export's statistics.

    Attributes:
        about: its name and the digest of the file.
        net: takes ``float32[N, 1, input_px, input_px]`` in ``[0, 1]``.

    Raises:
        RunError: the file cannot be read or holds another architecture.
        ArtifactError: an ``.onnx`` carries no card.
    """

    def __init__(self, path: Path, faces: Tensor, input_px: int, seed: int) -> None:
        self.about = Victim(*named(path))
        self.net = classifier(path, faces, input_px, seed)
        self._input_px = input_px
        self._faces = faces

    @property
    def name(self) -> str:
        """As on its card, or as `fit` calls it."""
        return self.about.name

    @functools.cached_property
    def labels(self) -> Tensor:
        """What it says of the clean training faces, ``int64[N]``."""
        return self.read(self._faces)

    @torch.no_grad()
    def read(self, faces: Tensor, change: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """What it says of the centre crop of each face, once changed: ``int64[N]``.

        Args:
            faces: ``uint8[N, 1, S, S]``.
            change: takes and returns ``float32[N, 1, S, S]`` in ``[0, 1]``.
        """
        said = []
        for batch in torch.split(faces, 256):
            seen = batch.float() / 255.0
            if change is not None:
                seen = change(seen)
            with autocast(faces.device):
                said.append(self.net(centre_crop(seen, self._input_px)).argmax(dim=1))
        return torch.cat(said)


def named(path: Path) -> tuple[str, str]:
    """Name and SHA-256 of a classifier: an export's from its card, a checkpoint's from its file."""
    if path.suffix == ".onnx":
        card = OnnxClassifier(path, "cpu").card
        return card.name, card.sha256
    return architecture(path), run.digest_of(path)
