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
_FOLDED: Final = ".weight_bias"
"""How the exporter calls the offset that a normalisation leaves in a convolution without one."""


def unfold(path: Path, net: nn.Module, faces: Tensor) -> None:
    """Load an export of ``net`` into ``net``, which then classifies as the exported file does.

    The export folds every batch normalisation into the convolution before it. Here they come
    apart again: each filter gets the length of a fresh one (He et al., arXiv 1502.01852), because
    the length of a step is made for that, and its normalisation takes the statistics of ``faces``
    and the gain and offset that undo them.

    Args:
        path: an .onnx file that ``facecloak-train export`` wrote.
        net: the architecture in the file; every ``BatchNorm2d`` follows a ``Conv2d``,
            with or without a bias.
        faces: ``float32[N, 1, S, S]`` in ``[0, 1]``, some hundreds, as ``net`` takes them.

    Raises:
        RunError: the file cannot be read or holds another architecture.
    """
    graph = _load(path).graph
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
    pairs = [
        (name, conv, norm)
        for (name, conv), (_, norm) in pairwise(net.named_modules())
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    ]
    offsets = {
        name: shipped.pop(name + _FOLDED)
        for name, conv, _ in pairs
        if conv.bias is None and name + _FOLDED in shipped
    }
    if set(shipped) != kept or any(
        shipped[name].shape != net.get_parameter(name).shape for name in kept
    ):
        msg = f"{path} holds another network than {type(net).__name__}; give one of its exports"
        raise RunError(msg)
    net.load_state_dict(shipped, strict=False)

    hooks = [
        norm.register_forward_pre_hook(partial(_separate, conv, offsets.get(name)))
        for name, conv, norm in pairs
    ]
    # Autocast would keep its copies of the weights as they are before they come apart.
    with torch.no_grad(), torch.autocast(faces.device.type, enabled=False):
        net.eval()(faces)
    for hook in hooks:
        hook.remove()


def properties(path: Path) -> dict[str, str]:
    """The metadata of an .onnx file, by key. Raises RunError."""
    return {entry.key: entry.value for entry in _load(path).metadata_props}


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except (OSError, DecodeError) as exc:
        msg = f"{path} is no classifier ({exc}); give one that `facecloak-train export` wrote"
        raise RunError(msg) from exc


def _separate(
    conv: nn.Conv2d, offset: Tensor | None, norm: nn.Module, inputs: tuple[Tensor, ...]
) -> Tensor:
    """Part a layer into filters of the usual length and a normalisation that gives them back.

    ``offset``, ``float32[channels]``, is what the export adds to the outputs of a ``conv`` without
    a bias of its own.
    """
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
        "bias": mean / factor if offset is None else mean / factor + offset.to(mean.device),
    }
    norm.load_state_dict(parted, strict=False)
    return outputs
