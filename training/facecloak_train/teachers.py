"""Classifiers that teach another one: weights from any file, and what they think of the faces."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import one_hot
from tqdm import tqdm

from facecloak.core import modelcard
from facecloak_train import nets, run
from facecloak_train.augment import centre_crop, ten_crop
from facecloak_train.crew import Crew
from facecloak_train.data import ferplus
from facecloak_train.data.fer2013 import LABELS
from facecloak_train.export import onnx_import
from facecloak_train.export.onnx_import import unfold
from facecloak_train.precision import autocast
from facecloak_train.regression import logistic
from facecloak_train.settings import FitSettings

logger = logging.getLogger(__name__)

_STATISTICS_FACES: Final = 500
_RIDGE: Final = 1e-4


def load_weights(net: nn.Module, path: Path, faces: Tensor, size_px: int, seed: int) -> None:
    """Load ``path``, a checkpoint of `fit` or an export, into ``net``, which must be of its kind.

    A network that takes features begins with the convolutions of one that does not.

    Args:
        net: the architecture in the file.
        path: a ``best.safetensors`` or an ``.onnx``.
        faces: training faces, ``uint8[N, 1, S, S]``; some of them measure an export's statistics.
        size_px: side of the crop that ``net`` takes.
        seed: of the choice of those faces.

    Raises:
        RunError: the file cannot be read or holds another architecture.
    """
    if path.suffix == ".onnx":
        order = np.random.default_rng(seed).permutation(len(faces))
        some = faces[torch.from_numpy(order[:_STATISTICS_FACES])].float() / 255.0
        unfold(path, net, centre_crop(some, size_px).to(next(net.parameters()).device))
        return
    tensors, state = run.load_checkpoint(path)
    if nets.takes_features(net) and not nets.needs_features(str(state.get("net"))):
        trunk, kept = nets.trunk_of(net), "features."
        tensors = {k.removeprefix(kept): v for k, v in tensors.items() if k.startswith(kept)}
        net = trunk
    try:
        net.load_state_dict(tensors)
    except RuntimeError as exc:
        msg = f"{path} holds another network than {type(net).__name__}; give its best.safetensors"
        raise run.RunError(msg) from exc


def classifier(path: Path, faces: Tensor, size_px: int, seed: int) -> nn.Module:
    """The classifier in a file, in evaluation mode, where the faces are; its weights stand still.

    Arguments and errors as :func:`load_weights`; it must be of the kind that takes faces alone.

    Raises:
        RunError: see also :func:`check_size`.
        ValueError: it needs features of the faces, too.
    """
    check_size(path, size_px)
    net = nets.build(architecture(path), len(LABELS)).to(faces.device)
    load_weights(net, path, faces, size_px, seed)
    return net.eval().requires_grad_(requires_grad=False)


def check_size(path: Path, size_px: int) -> None:
    """Raises RunError where a checkpoint of `fit` was trained on crops of another size."""
    if path.suffix == ".onnx":
        return
    trained_px = run.load_checkpoint(path)[1].get("input_px", size_px)
    if trained_px != size_px:
        msg = f"{path} was trained on crops of {trained_px} pixels, not {size_px}; give --input-px "
        raise run.RunError(msg + str(trained_px))


def architecture(path: Path) -> str:
    """The name of the network in a checkpoint of `fit` or an export.

    Raises:
        RunError: the file is neither.
        ArtifactError: it is an .onnx without a card.
    """
    if path.suffix == ".onnx":
        properties = onnx_import.properties(path)
        return modelcard.parse(properties.get(modelcard.KEY), path.name).architecture
    name = run.load_checkpoint(path)[1].get("net")
    if not isinstance(name, str):
        msg = f"{path} does not name its network; give a best.safetensors of `facecloak-train fit`"
        raise run.RunError(msg)
    return name


def targets(
    settings: FitSettings,
    labels: Tensor,
    faces: Tensor,
    fresh: Callable[[str], nn.Module],
    crew: Crew,
) -> Tensor:
    """What a network is to answer: the labels, mixed with what teachers and the crowd say.

    Teachers that are to be consistent are left out; a :class:`Panel` adds their part.

    Args:
        settings: of the run, which name the teachers and their share.
        labels: ``int64[N]``.
        faces: training faces, ``uint8[N, 1, S, S]``, on the device to use.
        fresh: see :func:`taught`.
        crew: whose leader asks the teachers; the others read what it kept.

    Returns:
        ``float32[N, classes]``, rows that sum to one, where the faces are.

    Raises:
        RunError: a teacher cannot be read, or holds another network than it says.
        DatasetError: the votes are not those of the set, or stand in another order.
    """
    said = one_hot(labels, len(LABELS)).float().to(faces.device)
    told = []
    if settings.teachers and not settings.teachers_consistent:
        cache = settings.out / "taught.safetensors"
        for path in settings.teachers:
            check_size(path, settings.input_px)
        with crew.leader_first():
            nets_told = taught(
                settings.teachers, fresh, faces, settings.input_px, settings.seed, cache
            )
        told += [nets_told.to(faces.device)] * len(settings.teachers)
    if settings.ferplus is not None:
        votes = ferplus.votes(settings.ferplus, {"Training": len(faces)})["Training"]
        ferplus.check_order(settings.ferplus, ferplus.majority(votes), labels.numpy())
        told.append(crowd_taught(votes, labels.numpy(), len(LABELS)).to(faces.device))
    if not told:
        return said
    share = settings.teachers_share * len(told) / _voices(settings)
    said_share = 1.0 - settings.teachers_share
    return torch.lerp(said, torch.stack(told).mean(0), share / (share + said_share))


def _voices(settings: FitSettings) -> int:
    """How many share what teachers have of the target: they, and the crowd."""
    return len(settings.teachers) + (settings.ferplus is not None)


class Panel:
    """Teachers that are asked about each batch as the student sees it.

    Source: Beyer et al., "Knowledge distillation: A good teacher is patient and consistent"
    (arXiv 2106.05237): of faces that are moved, lit and mixed anew at every step teachers tell more
    than of the training faces, which they know by heart.

    Args:
        settings: of the run, which name the teachers and their share.
        faces: training faces, ``uint8[N, 1, S, S]``, on the device to use.

    Raises:
        RunError, ValueError: see :func:`classifier`.
    """

    def __init__(self, settings: FitSettings, faces: Tensor) -> None:
        self._share = settings.teachers_share * len(settings.teachers) / _voices(settings)
        self._nets = [
            nets.channels_last(classifier(path, faces, settings.input_px, settings.seed))
            for path in settings.teachers
        ]

    @torch.no_grad()
    def beside(self, faces: Tensor, wanted: Tensor) -> Tensor:
        """What is wanted of a batch, and the opinions of the teachers on it beside that.

        Args:
            faces: ``float32[N, 1, H, W]`` in ``[0, 1]``, as the student sees them.
            wanted: ``float32[N, classes]``, rows that sum to one: what :func:`targets` says.

        Returns:
            As ``wanted``.
        """
        with autocast(faces.device):
            opinions = [net(faces).float().softmax(-1) for net in self._nets]
        return torch.lerp(wanted, torch.stack(opinions).mean(0), self._share)


def taught(
    teachers: Sequence[Path],
    fresh: Callable[[str], nn.Module],
    faces: Tensor,
    size_px: int,
    seed: int,
    cache: Path,
) -> Tensor:
    """What the teachers think of each face: the mean of their probabilities over ten crops.

    Source: Hinton et al., "Distilling the Knowledge in a Neural Network" (arXiv 1503.02531), at
    temperature 1; Furlanello et al., "Born-Again Neural Networks" (arXiv 1805.04770), where a
    teacher has the student's architecture.

    Args:
        teachers: files that :func:`load_weights` takes.
        fresh: makes an empty network of the architecture named, on the device to use.
        faces: training faces, ``uint8[N, 1, S, S]``.
        size_px: side of a crop.
        seed: see :func:`load_weights`.
        cache: where the answer is kept for the same teachers and faces, so that a resumed run
            starts at once.

    Returns:
        ``float32[N, classes]``, rows that sum to one.
    """
    asked: dict[str, Any] = {
        "teachers": [run.digest_of(path) for path in teachers],
        "seed": seed,
        "faces": hashlib.sha256(faces.cpu().numpy().tobytes()).hexdigest(),
        "size_px": size_px,
    }
    if cache.is_file():
        tensors, state = run.load_checkpoint(cache)
        if state == asked:
            return tensors["probabilities"]
    thoughts = [
        _probabilities(fresh, path, faces, size_px, seed)
        for path in tqdm(teachers, unit="teacher", desc="teachers")
    ]
    probabilities = torch.stack(thoughts).mean(0)
    cache.parent.mkdir(parents=True, exist_ok=True)
    run.save_checkpoint(cache, {"probabilities": probabilities}, asked)
    return probabilities


def crowd_taught(votes: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> Tensor:
    """What a face's label is expected to be, from what a crowd saw in it.

    Multinomial logistic regression of the label on the shares of the votes and their roots, with a
    small ridge; a network learns more from it than from the label, which is one person's word.

    Args:
        votes: ``int64[N, options]``, how many people chose what.
        labels: ``int64[N]``, what the set says.
        classes: number of them.

    Returns:
        ``float32[N, classes]``, rows that sum to one.
    """
    shares = torch.from_numpy(votes / np.maximum(1, votes.sum(axis=1, keepdims=True))).float()
    seen = torch.cat([shares, shares.sqrt()], dim=1)
    reader = logistic(seen, torch.from_numpy(labels), classes, _RIDGE)
    probabilities: Tensor = reader(seen).softmax(-1)
    return probabilities


@torch.no_grad()
def _probabilities(
    fresh: Callable[[str], nn.Module], path: Path, faces: Tensor, size_px: int, seed: int
) -> Tensor:
    net = fresh(architecture(path))
    load_weights(net, path, faces, size_px, seed)
    net.eval()
    device = next(net.parameters()).device
    answers = []
    for batch in torch.split(faces, 64):
        crops = ten_crop(batch.to(device).float() / 255.0, size_px)
        with autocast(device):
            logits = net(crops.flatten(0, 1)).float().unflatten(0, crops.shape[:2])
        answers.append(logits.softmax(-1).mean(0).cpu())
    return torch.cat(answers)
