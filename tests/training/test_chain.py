"""fit -> export -> attack -> the shipped compositor and judge, on a tiny set: the whole chain."""

import numpy as np
import pytest
import torch
from facecloak_train.cli import main
from facecloak_train.data import fer2013
from facecloak_train.export.onnx_export import CentreCrop, export
from facecloak_train.nets.vgg import Vgg19

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import perturbation
from facecloak.core.modelcard import ModelCard
from facecloak.core.types import Face, Frame
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def test_from_faces_to_a_fooled_judge(tiny_net, tiny_faces, tmp_path):
    weights, model, pattern = (
        tmp_path / "run" / "best.safetensors",
        tmp_path / "tiny.onnx",
        tmp_path / "p.safetensors",
    )
    data = ["--data", str(tiny_faces)]
    assert (
        main(
            [
                "fit",
                *data,
                "--out",
                str(tmp_path / "run"),
                "--net",
                tiny_net,
                "--epochs",
                "12",
                "--batch",
                "20",
                "--learning-rate",
                "0.02",
                "--average-decay",
                "0.8",
                "--jitter-shift",
                "0.01",
                "--jitter-rotation-deg",
                "2",
            ]
        )
        == 0
    )
    assert (
        main(["export", *data, "--weights", str(weights), "--out", str(model), "--name", "Tiny"])
        == 0
    )
    judge = OnnxClassifier(model, "cpu")
    assert judge.card.measured["agreement_with_torch"] == 1.0
    assert judge.card.measured["private_live"] > 0.9

    assert (
        main(
            [
                "attack",
                *data,
                "--weights",
                str(weights),
                "--victim",
                str(model),
                "--out",
                str(pattern),
                "--eps",
                "16",
                "--cells",
                "12",
                "--passes",
                "6",
                "--batch",
                "20",
                "--step",
                "4",
            ]
        )
        == 0
    )
    made = perturbation.load(pattern)
    assert made.header.victims[0].sha256 == judge.card.sha256

    private = fer2013.read_npz(tiny_faces)["PrivateTest"]
    cloak, panel = OpenCvCloak(made), Panel([judge])
    whole = Face(1, np.array([[1 / 48, 0, 0.5 / 48], [0, 1 / 48, 0.5 / 48]]))
    fooled = 0
    for index, image in enumerate(private.images):
        frame = Frame(np.repeat(image[..., None], 3, 2), 0.0, index)
        (verdict,) = panel.judge(frame, cloak.apply(frame, [whole]), [whole])
        fooled += verdict.fooled
    assert fooled >= 0.3 * len(private)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("fp16", 2e-2)])
def test_the_exported_vgg19_gives_the_logits_of_torch(tmp_path, precision, tolerance):
    torch.manual_seed(0)
    net = Vgg19(7).eval()
    torch.nn.init.normal_(net.head[2].weight)
    card = ModelCard(
        name="V",
        architecture="vgg19",
        labels=fer2013.LABELS,
        input_px=48,
        dataset="none",
        precision=precision,
    )
    live = CentreCrop(net, 44).eval()
    export(live, card, tmp_path / "v.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8)
    with torch.no_grad():
        exact = live(torch.from_numpy(crops)[:, None].float() / 255).numpy()
    shipped = OnnxClassifier(tmp_path / "v.onnx", "cpu")
    assert np.abs(shipped.logits(crops) - exact).max() < tolerance * max(1.0, np.abs(exact).max())
    assert ((tmp_path / "v.onnx").stat().st_size < 45e6) == (precision == "fp16")
