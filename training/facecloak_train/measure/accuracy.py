"""Accuracy of a torch classifier on faces of a split."""

import torch
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


@torch.no_grad()
def ten_crop_accuracy(net: nn.Module, faces: Faces, size_px: int, device: torch.device) -> float:
    """Share of faces classified rightly from the mean of the logits over ten crops, in bf16.

    Source: the protocol of github.com/WuJie1010/Facial-Expression-Recognition.Pytorch.
    """
    net.eval()
    images, labels = _planes(faces)
    right = 0
    for batch, truth in zip(torch.split(images, 64), torch.split(labels, 64), strict=True):
        crops = ten_crop(batch.to(device).float() / 255.0, size_px)
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(crops.flatten(0, 1)).float().unflatten(0, crops.shape[:2]).mean(0)
        right += int((logits.argmax(1).cpu() == truth).sum())
    return right / len(faces)
