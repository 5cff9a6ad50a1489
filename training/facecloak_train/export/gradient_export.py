"""What leads a classifier astray, as one ONNX graph: faces in, logits and their gradient out.

The live app has no torch, so the backward pass through a network whose weights stand still is
written out here as forward operators and exported like any network.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions
from torch.fx.experimental.proxy_tensor import make_fx
from torch.onnx.errors import OnnxExporterError

from facecloak.core.modelcard import ModelCard
from facecloak_train import run
from facecloak_train.export.on_demand import put_off
from facecloak_train.export.onnx_export import OPSET, write

CONFIDENCE: Final = 5.0
"""A lead of another class, in logits, beyond which a face pulls no more."""
_FAR: Final = 1e4
_PLAIN: Final = False
_TRANSPOSED: Final = True
_aten = torch.ops.aten

Pulling = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def pulling(net: nn.Module) -> Pulling:
    """A function of faces and of two sets of classes: the logits, and where the second ones gain.

    It takes ``float32[N, 1, S, S]`` in ``[0, 1]`` and two times ``float32[N, C]``: one at the class
    that is to lose, and one at each of those that may win instead, zero elsewhere. It returns
    ``float32[N, C]`` and the gradient, ``float32[N, 1, S, S]``, of the lead of the best of these,
    counted up to ``CONFIDENCE`` (Carlini and Wagner, arXiv 1608.04644, f6; see
    ``attacks.universal.margin_loss``, where any other class may win).

    Args:
        net: in evaluation mode, its weights without gradients.
    """

    def pull(faces: Tensor, own: Tensor, rivals: Tensor) -> tuple[Tensor, Tensor]:
        faces = faces.detach().requires_grad_()
        logits = net(faces)
        lead = (logits - _FAR * (1.0 - rivals)).amax(1) - (logits * own).sum(1)
        (gradient,) = torch.autograd.grad(lead.clamp(max=CONFIDENCE).sum(), faces)
        return logits.detach(), gradient.detach()

    return pull


def export_gradient(net: nn.Module, card: ModelCard, path: Path) -> None:
    """Write :func:`pulling` of ``net`` and ``card`` to ``path``, sealed, in one step.

    Where no class is to lose, the file computes no gradient: to read takes a third of the time.

    Args:
        net: in evaluation mode, on the CPU, its weights without gradients.
        card: ``input_px`` is the side S of the faces.
        path: where to.

    Raises:
        RunError: it has a layer whose gradient cannot be exported.
    """
    faces = torch.rand(2, 1, card.input_px, card.input_px)
    own = torch.eye(len(card.labels))[:2]
    rivals = 1.0 - own
    for chatty in ("onnxscript", "onnx_ir"):  # they tell every weight that they do not fold
        logging.getLogger(chatty).setLevel(logging.WARNING)
    decompositions: dict[Any, Any] = dict(core_aten_decompositions())
    decompositions[_aten.convolution_backward.default] = _convolution_backward
    try:
        graph = make_fx(pulling(net), decomposition_table=decompositions)(faces, own, rivals)
        program = torch.onnx.export(
            graph.eval(),
            (faces, own, rivals),
            dynamo=True,
            opset_version=OPSET,
            input_names=["faces", "own", "rivals"],
            output_names=["logits", "gradient"],
            verbose=False,
        )
    except (NotImplementedError, OnnxExporterError) as exc:
        msg = f"{card.architecture} has a layer whose gradient cannot be exported; ResNets, "
        raise run.RunError(msg + "MobileNetV2 and ConvNeXt have none") from exc
    if program is None:
        msg = "torch exported nothing"
        raise RuntimeError(msg)
    model = program.model_proto
    put_off(model.graph, output="gradient", asks="own")
    write(model, card, path)


def _convolution_backward(  # noqa: PLR0913, PLR0917 - the operator's own arguments
    gradient: Tensor,
    inputs: Tensor,
    weight: Tensor,
    _bias_sizes: Sequence[int] | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,  # noqa: FBT001
    _output_padding: Sequence[int],
    groups: int,
    _wanted: Sequence[bool],
) -> tuple[Tensor, None, None]:
    """The gradient of the inputs alone: a convolution again, transposed where it has a stride."""
    if transposed or set(dilation) != {1}:
        msg = "only plain convolutions are differentiated"
        raise NotImplementedError(msg)
    size = weight.shape[-1]
    none = [0, 0]
    if set(stride) == {1}:
        outputs, own = weight.shape[:2]
        mirrored = weight.flip(2, 3).reshape(groups, outputs // groups, own, size, size)
        mirrored = mirrored.transpose(1, 2).reshape(groups * own, outputs // groups, size, size)
        around = [size - 1 - margin for margin in padding]
        back = _aten.convolution(
            gradient, mirrored, None, stride, around, dilation, _PLAIN, none, groups
        )
        return back, None, None
    rest = [
        inputs.shape[axis] - ((gradient.shape[axis] - 1) * step - 2 * margin + size)
        for axis, step, margin in zip((2, 3), stride, padding, strict=True)
    ]
    back = _aten.convolution(
        gradient, weight, None, stride, padding, dilation, _TRANSPOSED, rest, groups
    )
    return back, None, None
