"""A trained network as one ONNX file that carries its card."""

from pathlib import Path
from typing import Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from facecloak.core import modelcard
from facecloak.core.modelcard import ModelCard

OPSET: Final = 18
PRECISIONS: Final = ("fp16", "fp32")
"""In which weights can be stored."""
_SMALL: Final = 1024


class CentreCrop(nn.Module):
    """The classifier as the live app calls it: a face crop in, logits out.

    Args:
        net: takes ``float32[N, 1, net_px, net_px]`` in ``[0, 1]``.
        net_px: what it was trained on; the margin of the face crop around it is cut off.
    """

    def __init__(self, net: nn.Module, net_px: int) -> None:
        super().__init__()
        self.net = net
        self.net_px = net_px

    def forward(self, faces: Tensor) -> Tensor:
        """Classify ``float32[N, 1, S, S]`` faces, S >= ``net_px``."""
        margin = (faces.shape[-1] - self.net_px) // 2
        end = margin + self.net_px
        logits: Tensor = self.net(faces[..., margin:end, margin:end])
        return logits


def export(net: nn.Module, card: ModelCard, path: Path) -> None:
    """Write ``net`` and ``card`` to ``path``, sealed, in one step.

    Args:
        net: takes ``float32[N, 1, S, S]``, S as on the card; one of clips ``float32[N, T, S, S]``.
        card: ``precision`` says how the weights are stored: ``fp32``, or ``fp16``, which halves the
            file; they are widened when the model is loaded, so it runs in fp32 everywhere.
        path: where to.
    """
    example = torch.zeros(2, card.frames, card.input_px, card.input_px)
    program = torch.onnx.export(
        net.eval().cpu(),
        (example,),
        dynamo=True,
        opset_version=OPSET,
        input_names=["faces"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=256)},),
        verbose=False,
    )
    if program is None:
        msg = "torch exported nothing"
        raise RuntimeError(msg)
    write(program.model_proto, card, path)


def write(model: onnx.ModelProto, card: ModelCard, path: Path) -> None:
    """Write a graph with its card to ``path``, sealed, in one step; see :func:`export`."""
    if card.precision not in PRECISIONS:
        msg = f"there is no precision {card.precision!r} to store weights in; there are "
        raise ValueError(msg + ", ".join(PRECISIONS))
    if card.precision == "fp16":
        _store_as_fp16(model.graph)
    forget_origin(model)
    helper.set_model_props(model, {modelcard.KEY: card.to_json()})
    onnx.checker.check_model(model)
    part = path.with_name(path.name + ".part")
    part.write_bytes(modelcard.seal(model.SerializeToString()))
    part.replace(path)


def forget_origin(model: onnx.ModelProto) -> None:
    """Drop what the exporter tells of where each node came from: paths of this machine."""
    del model.metadata_props[:], model.graph.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")


def _store_as_fp16(graph: onnx.GraphProto) -> None:
    """Store every large weight as fp16 behind a cast that the runtime folds when it loads."""
    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _SMALL:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.fp16"))
        casts.append(helper.make_node("Cast", [f"{name}.fp16"], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
