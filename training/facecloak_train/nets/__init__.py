"""Network architectures: plain ``nn.Module`` classes that know nothing of data or training."""

from collections.abc import Callable

from torch import nn

from facecloak_train.nets.vgg import Vgg19

NETS: dict[str, Callable[[int], nn.Module]] = {"vgg19": Vgg19}
"""Every trainable architecture by its command-line name; called with the number of classes."""
