"""Network architectures: plain ``nn.Module`` classes that know nothing of data or training."""

from collections.abc import Callable

import torch
from torch import nn

from facecloak_train.nets.convnext import ConvNext
from facecloak_train.nets.described import Bound, CnnLandmarksHog
from facecloak_train.nets.learnet import LearNet
from facecloak_train.nets.mobilenet import MobileNet
from facecloak_train.nets.resnet import resnet14, resnet18
from facecloak_train.nets.stcnn import FuseNetIntermediate, FuseNetLate, MicroExpSTCNN
from facecloak_train.nets.vgg import Vgg19
from facecloak_train.nets.vit import VisionTransformer

__all__ = [
    "CLIP_NETS",
    "NETS",
    "Bound",
    "build",
    "build_for_clips",
    "channels_last",
    "needs_features",
    "takes_features",
    "trunk_of",
]

NETS: dict[str, Callable[[int], nn.Module]] = {
    "vgg19": Vgg19,
    "resnet18": resnet18,
    "resnet14": resnet14,
    "cnn-landmarks-hog": CnnLandmarksHog,
    "mobilenet": MobileNet,
    "convnext": ConvNext,
    "vit": VisionTransformer,
}
"""Every trainable architecture by its command-line name; called with the number of classes."""


CLIP_NETS: dict[str, Callable[[int, int], nn.Module]] = {
    "stcnn": MicroExpSTCNN,
    "fusenet-intermediate": FuseNetIntermediate,
    "fusenet-late": FuseNetLate,
    "learnet": LearNet,
}
"""Every classifier of clips, likewise; called with the number of classes and of frames."""


def build_for_clips(name: str, classes: int, frames: int) -> nn.Module:
    """A fresh classifier of clips. Raises ``ValueError`` that lists the names there are."""
    if name not in CLIP_NETS:
        msg = f"there is no architecture {name!r} for clips; there are "
        raise ValueError(msg + ", ".join(sorted(CLIP_NETS)))
    return CLIP_NETS[name](classes, frames)


def build(name: str, classes: int, *, features: bool = False) -> nn.Module:
    """A fresh network.

    Args:
        name: of the architecture.
        classes: number of them.
        features: whether there are features of the faces to give it, too.

    Raises:
        ValueError: there is none of that name, or it needs features.
    """
    if name not in NETS:
        msg = f"there is no architecture {name!r}; there are {', '.join(sorted(NETS))}"
        raise ValueError(msg)
    net = NETS[name](classes)
    if takes_features(net) and not features:
        msg = f"{name} needs features of the faces; only fit and score take --features"
        raise ValueError(msg + ", which `facecloak-train describe` writes")
    return net


def channels_last(net: nn.Module) -> nn.Module:
    """The same network, whose pixels lie channel beside channel in memory; convolves faster."""
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def needs_features(name: str) -> bool:
    """Whether the architecture of that name looks at features of a face beside the face."""
    return bool(getattr(NETS.get(name), "takes_features", False))


def trunk_of(net: nn.Module) -> nn.Module:
    """The convolutions of a network that takes features, as a network of its own has them."""
    return net.get_submodule("picture.0.features")


def takes_features(net: nn.Module) -> bool:
    """Whether it looks at features of a face beside the face."""
    return bool(getattr(net, "takes_features", False))
