"""How well a torch classifier reads faces of a split, and how well it knows that."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facecloak_train import nets
from facecloak_train.augment import centre_crop, ten_crop
from facecloak_train.data.fer2013 import Faces
from facecloak_train.precision import autocast

PUBLIC, PRIVATE, SOLE, CROWD = (
    "PublicTest",
    "PrivateTest",
    "PrivateTest without repeats",
    "the same, FER+ majority",
)
"""What each row of a `score` report is of: `SOLE` leaves out faces that repeat others, `CROWD` is
there where FER+ was asked."""


def _read(
    net: nn.Module, crops: Tensor, faces: Faces, batch: slice, device: torch.device
) -> Tensor:
    """Logits, ``float32[crops, batch, classes]``, in bf16; the second half are mirror images."""
    flat = crops.flatten(0, 1)
    if nets.takes_features(net):
        assert faces.features is not None  # noqa: S101 - see facecloak_train.data.features
        plain, mirrored = torch.from_numpy(faces.features[batch]).float().to(device).unbind(1)
        half = len(crops) // 2
        views = [plain] * (len(crops) - half) + [mirrored] * half
        net = nets.Bound(net, torch.cat(views))
    with autocast(device):
        logits: Tensor = net(flat)
    return logits.float().reshape(*crops.shape[:2], -1)


def _batches(faces: Faces, count: int) -> Iterator[tuple[slice, Tensor]]:
    """Batches of the faces: where they are, and ``float32[N, 1, S, S]`` in ``[0, 1]``."""
    for start in range(0, len(faces), count):
        batch = slice(start, start + count)
        yield batch, torch.from_numpy(faces.images[batch])[:, None].float() / 255.0


@torch.no_grad()
def centre_crop_accuracy(net: nn.Module, faces: Faces, size_px: int, device: torch.device) -> float:
    """Share of faces classified rightly from their centre crop, under bf16 autocast."""
    net.eval()
    said = []
    for batch, images in _batches(faces, 256):
        crops = centre_crop(images, size_px).to(device)[None]
        said.append(_read(net, crops, faces, batch, device)[0].argmax(1).cpu())
    return float((torch.cat(said).numpy() == faces.labels).mean())


def ten_crop_accuracy(net: nn.Module, faces: Faces, size_px: int, device: torch.device) -> float:
    """Share of faces classified rightly from the mean of the logits over ten crops."""
    said = ten_crop_logits(net, faces, size_px, device).argmax(axis=1)
    return float((said == faces.labels).mean())


@torch.no_grad()
def ten_crop_logits(
    net: nn.Module, faces: Faces, size_px: int, device: torch.device
) -> NDArray[np.float32]:
    """The mean of the logits over ten crops of each face, in bf16: ``float32[N, classes]``.

    Source: the protocol of github.com/WuJie1010/Facial-Expression-Recognition.Pytorch.
    """
    net.eval()
    answers = []
    for batch, images in _batches(faces, 64):
        crops = ten_crop(images.to(device), size_px)
        answers.append(_read(net, crops, faces, batch, device).mean(0).cpu())
    together: NDArray[np.float32] = torch.cat(answers).numpy()
    return together


def confusion_matrix(
    truth: NDArray[np.int64], said: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """How often each class is read as each: ``int64[C, C]``, true class by predicted class."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, said), 1)
    return counts


def unweighted_recall(counts: NDArray[np.int64]) -> float:
    """The mean recall of the classes that there are, of a confusion matrix, in ``[0, 1]``."""
    there = counts.sum(axis=1) > 0
    return float((np.diag(counts)[there] / counts.sum(axis=1)[there]).mean())


def reliability_bins(
    logits: NDArray[np.float32], truth: NDArray[np.int64], count: int = 15
) -> list[dict[str, float]]:
    """Faces by how sure the classifier is of what it says, in ``count`` equal steps.

    Returns:
        For each step ``low`` and ``high``, and of its faces their number ``faces``, the mean
        ``confidence`` and the ``accuracy``; both zero where there is none.
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    sure = (shifted / shifted.sum(axis=1, keepdims=True)).max(axis=1)
    right = logits.argmax(axis=1) == truth
    step = np.minimum((sure * count).astype(int), count - 1)
    bins = []
    for number in range(count):
        here = step == number
        bins.append(
            {
                "low": number / count,
                "high": (number + 1) / count,
                "faces": int(here.sum()),
                "confidence": float(sure[here].mean()) if here.any() else 0.0,
                "accuracy": float(right[here].mean()) if here.any() else 0.0,
            }
        )
    return bins


def calibration_error(bins: list[dict[str, float]]) -> float:
    """The expected calibration error of Guo et al. (arXiv 1706.04599, equation 5)."""
    total = sum(one["faces"] for one in bins)
    return sum(one["faces"] * abs(one["confidence"] - one["accuracy"]) for one in bins) / total
