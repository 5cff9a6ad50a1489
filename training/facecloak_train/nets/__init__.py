"""Network architectures: plain ``nn.Module`` classes that know nothing of data or training."""

from collections.abc import Callable

from torch import nn

from facecloak_train.nets.resnet import resnet14, resnet18
from facecloak_train.nets.vgg import Vgg19

NETS: dict[str, Callable[[int], nn.Module]] = {
    "vgg19": Vgg19,
    "resnet18": resnet18,
    "resnet14": resnet14,
}
"""Every trainable architecture by its command-line name; called with the number of classes."""


def build(name: str, classes: int) -> nn.Module:
    """A fresh network. Raises ``ValueError`` that lists the names there are."""
    if name not in NETS:
        msg = f"there is no architecture {name!r}; there are {', '.join(sorted(NETS))}"
        raise ValueError(msg)
    return NETS[name](classes)
