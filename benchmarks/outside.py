"""Classifiers of expressions that others trained and ship, as files that ``evaluate`` reads.

    npm pack @vladmandic/face-api @vladmandic/human
    python benchmarks/outside.py vladmandic-face-api-*.tgz vladmandic-human-*.tgz --out runs/outside
    facecloak-train evaluate --models runs/outside/face-api.onnx runs/outside/mini-xception.onnx ...

Nothing of FaceCloak was made against these, no gradient of theirs is followed, and the first of
them was trained on other faces than FER2013's. Their weights are read where they are at hand, and
are no part of this repository. The networks are rebuilt from what the packages tell of them:

- face-api's expression net (MIT): four blocks of separable convolutions, 112 x 112, colour;
- mini-XCEPTION (Arriaga et al., "Real-time Convolutional Neural Networks for Emotion and Gender
  Classification", arXiv 1710.07557; MIT): 64 x 64, grey, trained on FER2013.
"""

import argparse
import base64
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from facecloak_train.data.fer2013 import LABELS
from facecloak_train.export.onnx_export import export
from torch import Tensor, nn
from torch.nn import functional

from facecloak.core.modelcard import ModelCard

FACE_API = ("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise")
MEAN_RGB = (122.782, 117.001, 104.298)
BOTTLENECK_PX = 7


def weights_of(listed: list[dict[str, Any]], content: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of a TensorFlow.js file, in the order in which its manifest lists them."""
    found, at = {}, 0
    for one in listed:
        told = one.get("quantization")
        kind = np.dtype(told["dtype"] if told else one["dtype"])
        count = int(np.prod(one["shape"], dtype=int))
        values = np.frombuffer(content, kind, count, at).reshape(one["shape"])
        at += count * kind.itemsize
        scaled = values * told["scale"] + told["min"] if told else values
        found[one["name"]] = scaled.astype(np.float32) if kind.kind != "i" else values
    if at != len(content):
        msg = f"the weights have {len(content)} bytes, their list {at}"
        raise SystemExit(msg)
    return found


def same(x: Tensor, size: int, stride: int, value: float = 0.0) -> Tensor:
    """Pad as TensorFlow's "SAME" does: where it does not come out even, more behind."""
    pads = []
    for side in (x.shape[-1], x.shape[-2]):
        pad = max((-(-side // stride) - 1) * stride + size - side, 0)
        pads += [pad // 2, pad - pad // 2]
    return functional.pad(x, pads, value=value)


def kernel(weights: np.ndarray[Any, Any]) -> Tensor:
    """Height, width, in, out to out, in, height, width."""
    return torch.from_numpy(np.ascontiguousarray(weights.transpose(3, 2, 0, 1)))


class FaceApi(nn.Module):
    """``float32[N, 1, 112, 112]`` in ``[0, 1]`` to logits in the order of FER2013's classes."""

    def __init__(self, weights: dict[str, np.ndarray[Any, Any]]) -> None:
        super().__init__()
        self.tensors = {name: torch.from_numpy(one.copy()) for name, one in weights.items()}
        self.order = [FACE_API.index(label) for label in LABELS]

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        mean = torch.tensor(MEAN_RGB).view(1, 3, 1, 1)
        x = (faces.expand(-1, 3, -1, -1) * 255.0 - mean) / 255.0
        for block in range(4):
            x = self._block(x, f"dense{block}")
        x = functional.avg_pool2d(x, BOTTLENECK_PX, 2)
        logits = x.flatten(1) @ self.tensors["fc/weights"] + self.tensors["fc/bias"]
        return logits[:, self.order]

    def _block(self, x: Tensor, name: str) -> Tensor:
        total = self._convolved(x, f"{name}/conv0", 2).relu()
        for place in (1, 2, 3):
            total = total + self._convolved(total.relu(), f"{name}/conv{place}", 1)
        return total.relu()

    def _convolved(self, x: Tensor, name: str, stride: int) -> Tensor:
        bias = self.tensors[f"{name}/bias"]
        x = same(x, 3, stride)
        if f"{name}/filters" in self.tensors:
            return functional.conv2d(
                x, self.tensors[f"{name}/filters"].permute(3, 2, 0, 1), bias, stride
            )
        depthwise = self.tensors[f"{name}/depthwise_filter"].permute(2, 3, 0, 1)
        pointwise = self.tensors[f"{name}/pointwise_filter"].permute(3, 2, 0, 1)
        x = functional.conv2d(x, depthwise, stride=stride, groups=len(depthwise))
        return functional.conv2d(x, pointwise, bias)


class MiniXception(nn.Module):
    """``float32[N, 1, 64, 64]`` in ``[0, 1]`` to logits, as the nodes of its graph say."""

    def __init__(
        self, nodes: list[dict[str, Any]], weights: dict[str, np.ndarray[Any, Any]]
    ) -> None:
        super().__init__()
        self.nodes = [node for node in nodes if node["op"] != "Const"]
        self.weights = weights

    def forward(self, faces: Tensor) -> Tensor:
        """Classify."""
        known: dict[str, Tensor] = {}
        for node in self.nodes:
            match node["op"]:
                case "Placeholder":
                    value = (faces - 0.5) * 2.0
                case "_FusedConv2D":
                    value = self._convolved(node, known)
                case "DepthwiseConv2dNative":
                    (x,) = (known[name] for name in node["input"][:1])
                    filters = kernel(self.weights[node["input"][1]].transpose(0, 1, 3, 2))
                    value = functional.conv2d(same(x, 3, 1), filters, groups=len(filters))
                case "MaxPool":
                    x = same(known[node["input"][0]], 3, 2, float("-inf"))
                    value = functional.max_pool2d(x, 3, 2)
                case "AddV2":
                    value = known[node["input"][0]] + known[node["input"][1]]
                case "Relu":
                    value = known[node["input"][0]].relu()
                case "Mean":
                    return known[node["input"][0]].mean(dim=(2, 3))
                case _:
                    msg = f"mini-XCEPTION has no {node['op']}"
                    raise SystemExit(msg)
            known[node["name"]] = value
        msg = "the graph of mini-XCEPTION has no end"
        raise SystemExit(msg)

    def _convolved(self, node: dict[str, Any], known: dict[str, Tensor]) -> Tensor:
        x, attributes = known[node["input"][0]], node["attr"]
        filters = kernel(self.weights[node["input"][1]])
        stride = int(attributes["strides"]["list"]["i"][1])
        if base64.b64decode(attributes["padding"]["s"]) == b"SAME":
            x = same(x, filters.shape[-1], stride)
        bias = torch.from_numpy(self.weights[node["input"][2]].copy())
        x = functional.conv2d(x, filters, bias, stride)
        fused = [base64.b64decode(one) for one in attributes["fused_ops"]["list"]["s"]]
        return x.relu() if b"Relu" in fused else x


def read(archive: Path, name: str) -> bytes:
    """A file of an npm package."""
    try:
        with tarfile.open(archive) as packed:
            return b"".join(packed.extractfile(f"package/{name}") or ())
    except (KeyError, OSError, tarfile.TarError) as exc:
        msg = f"{archive} has no {name} ({exc}); give what `npm pack` wrote of the package"
        raise SystemExit(msg) from exc


def main() -> None:
    """Write both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("face_api", type=Path, help="what `npm pack @vladmandic/face-api` wrote")
    parser.add_argument("human", type=Path, help="what `npm pack @vladmandic/human` wrote")
    parser.add_argument("--out", type=Path, default=Path("runs/outside"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)

    model = "model/face_expression_model"
    (told,) = json.loads(read(asked.face_api, f"{model}-weights_manifest.json"))
    face_api = FaceApi(weights_of(told["weights"], read(asked.face_api, f"{model}.bin")))
    graph = json.loads(read(asked.human, "models/emotion.json"))
    weights = weights_of(
        graph["weightsManifest"][0]["weights"], read(asked.human, "models/emotion.bin")
    )
    xception = MiniXception(graph["modelTopology"]["node"], weights)
    for net, name, side, dataset, archive in (
        (face_api, "face-api", 112, "not told; not FER2013", asked.face_api),
        (xception, "mini-XCEPTION", 64, "FER2013", asked.human),
    ):
        card = ModelCard(
            name=name,
            architecture=name.lower(),
            labels=LABELS,
            input_px=side,
            dataset=dataset,
            command=f"python benchmarks/outside.py, from {archive.name}",
        )
        path = asked.out / f"{name.lower()}.onnx"
        export(net, card, path)
        print(path)


if __name__ == "__main__":
    main()
