"""A shipped classifier back as a network that can be trained on."""

import math
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from onnx import numpy_helper
from torch import Tensor, nn

from facecloak_train.run import RunError

_WRAPPER: Final = "net."
_NARROW: Final = ".fp16"


def unfold(path: Path, net: nn.Module, faces: Tensor) -> None:
    """Load an export of ``net`` into ``net``, which then classifies as the exported file does.

    The export folds every batch normalisation into the convolution before it. Here they come
    apart again: each filter gets the length of a fresh one (He et al., arXiv 1502.01852), because
    the length of a step is made for that, and its normalisation takes the statistics of ``faces``
    and the gain and offset that undo them.

    Args:
        path: an .onnx file that ``facecloak-train export`` wrote.
        net: the architecture in the file; every ``BatchNorm2d`` follows a ``Conv2d``.
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``, some hundreds, as ``net`` takes them.

    Raises:
        RunError: the file cannot be read or holds another architecture.
    """
    try:
        graph = onnx.load(path).graph
    except (OSError, DecodeError) as exc:
        msg = f"{path} is no classifier ({exc}); give one that `facecloak-train export` wrote"
        raise RunError(msg) from exc
    shipped = {
        weight.name.removeprefix(_WRAPPER).removesuffix(_NARROW): torch.from_numpy(
            numpy_helper.to_array(weight).astype(np.float32)
        )
        for weight in graph.initializer
        if weight.name.startswith(_WRAPPER)
    }
    kept = {
        f"{name}.{key}"
        for name, layer in net.named_modules()
        if not isinstance(layer, nn.BatchNorm2d)
        for key, _ in layer.named_parameters(recurse=False)
    }
    if set(shipped) != kept or any(
        shipped[name].shape != net.get_parameter(name).shape for name in kept
    ):
        msg = f"{path} holds another network than {type(net).__name__}; give one of its exports"
        raise RunError(msg)
    net.load_state_dict(shipped, strict=False)

    hooks = [
        norm.register_forward_pre_hook(partial(_separate, conv))
        for conv, norm in pairwise(net.modules())
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    ]
    # Autocast would keep its copies of the weights as they are before they come apart.
    with torch.no_grad(), torch.autocast(faces.device.type, enabled=False):
        net.eval()(faces)
    for hook in hooks:
        hook.remove()


def _separate(conv: nn.Conv2d, norm: nn.Module, inputs: tuple[Tensor, ...]) -> Tensor:
    """Part a layer into filters of the usual length and a normalisation that gives them back."""
    usual = math.sqrt(2.0 / (conv.out_channels * math.prod(conv.kernel_size)))
    factor = usual / conv.weight.square().mean((1, 2, 3)).sqrt().clamp_min(1e-6)
    conv.weight.mul_(factor[:, None, None, None])
    if conv.bias is not None:
        conv.bias.mul_(factor)
    outputs = inputs[0] * factor[:, None, None]
    variance, mean = torch.var_mean(outputs, (0, 2, 3), correction=0)
    assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101 - for mypy: hooks know plain modules
    parted = {
        "running_mean": mean,
        "running_var": variance,
        "weight": (variance + norm.eps).sqrt() / factor,
        "bias": mean / factor,
    }
    norm.load_state_dict(parted, strict=False)
    return outputs
