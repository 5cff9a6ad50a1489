"""How well a torch classifier reads faces of a split, and how well it knows that."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facecloak_train.augment import centre_crop, ten_crop
from facecloak_train.data.fer2013 import Faces


def _planes(faces: Faces) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(faces.images)[:, None], torch.from_numpy(faces.labels)


@torch.no_grad()
def centre_crop_accuracy(net: nn.Module, faces: Faces, size_px: int, device: torch.device) -> float:
    """Share of faces classified rightly from their centre crop, under bf16 autocast."""
    net.eval()
    images, labels = _planes(faces)
    centre = centre_crop(images, size_px)
    right = 0
    for crops, truth in zip(torch.split(centre, 256), torch.split(labels, 256), strict=True):
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(crops.to(device).float() / 255.0)
        right += int((logits.argmax(1).cpu() == truth).sum())
    return right / len(faces)


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
    images, _ = _planes(faces)
    answers = []
    for batch in torch.split(images, 64):
        crops = ten_crop(batch.to(device).float() / 255.0, size_px)
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(crops.flatten(0, 1)).float().unflatten(0, crops.shape[:2]).mean(0)
        answers.append(logits.cpu())
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
