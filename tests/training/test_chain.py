"""fit -> export -> attack -> the shipped compositor and judge, on a tiny set: the whole chain."""

from pathlib import Path

import numpy as np
import pytest
import torch
from facecloak_train import nets
from facecloak_train.cli import main
from facecloak_train.data import fer2013
from facecloak_train.export.onnx_export import CentreCrop, export
from facecloak_train.export.onnx_import import unfold
from facecloak_train.nets.vgg import Vgg19
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.run import RunError
from facecloak_train.settings import FitSettings

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import bank
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import ANY
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
                "--victims",
                str(model),
                "--unseen",
                str(weights),
                "--selector",
                str(model),
                "--out",
                str(pattern),
                "--eps",
                "16",
                "--cells",
                "12",
                "--passes",
                "6",
                "--faces",
                "600",
                "--batch",
                "20",
                "--step",
                "4",
            ]
        )
        == 0
    )
    made = bank.load(pattern)
    assert made.header.victims[0].sha256 == judge.card.sha256
    assert made.labels == (ANY, *fer2013.LABELS)
    assert made.selector == "Tiny"
    splits = fer2013.read_npz(tiny_faces)
    read = set(judge.logits(splits["Training"].images).argmax(axis=1))
    for number, label in enumerate(fer2013.LABELS):
        own = not np.array_equal(made.member(label).static, made.member(ANY).static)
        assert own or number not in read, "an expression that is read has a member of its own"

    private = splits["PrivateTest"]
    cloak, panel = OpenCvCloak(made), Panel([judge])
    whole = Face(1, np.array([[1 / 48, 0, 0.5 / 48], [0, 1 / 48, 0.5 / 48]]))
    fooled = 0
    for index, image in enumerate(private.images):
        frame = Frame(np.repeat(image[..., None], 3, 2), 0.0, index)
        (verdict,) = panel.judge(frame, cloak.apply(frame, [whole]), [whole])
        fooled += verdict.fooled
    assert fooled >= 0.3 * len(private)


def card(architecture, precision="fp32"):
    return ModelCard(
        name="V",
        architecture=architecture,
        labels=fer2013.LABELS,
        input_px=48,
        dataset="none",
        precision=precision,
    )


def lived_in(net):
    """As after a training: statistics, gains and offsets all over the place."""
    torch.manual_seed(0)
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.uniform_(layer.bias, -0.2, 0.2)
        elif isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight)
    return net.eval()


@pytest.mark.parametrize("name", ["vgg19", "resnet14"])
def test_a_shipped_classifier_comes_apart_again_and_can_be_trained_on(tmp_path, name):
    net = lived_in(nets.build(name, 7))
    export(CentreCrop(net, 44).eval(), card(name), tmp_path / "v.onnx")
    statistics, others = torch.rand(64, 1, 44, 44), torch.rand(8, 1, 44, 44)
    again = nets.build(name, 7)
    with torch.autocast("cpu", torch.bfloat16):
        unfold(tmp_path / "v.onnx", again, statistics)
        with torch.no_grad():
            blurred = again.eval()(others).float()
    torch.testing.assert_close(blurred, net(others), rtol=0, atol=0.1 * net(others).std().item())
    with torch.no_grad():
        wanted = net(others)
        torch.testing.assert_close(again.eval()(others), wanted, rtol=1e-3, atol=1e-3)
        # The normalisation does its work: with the statistics of the batch little changes.
        for layer in again.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = 0.0
        close = (again.train()(statistics) - net(statistics)).abs().max()
        assert close < 0.05 * net(statistics).std()
    for layer in again.modules():
        if isinstance(layer, torch.nn.Conv2d):
            wanted = (2 / (layer.out_channels * layer.kernel_size[0] ** 2)) ** 0.5
            lengths = layer.weight.square().mean((1, 2, 3)).sqrt()
            torch.testing.assert_close(lengths, torch.full_like(lengths, wanted))


def test_a_fit_can_begin_with_an_export(tiny_net, tiny_faces, tmp_path):
    first = tmp_path / "first"
    usual = {"data": tiny_faces, "net": tiny_net, "batch": 20, "average_decay": 0.8}
    learnt = fit_classifier(FitSettings(out=first, epochs=12, learning_rate=0.02, **usual))
    model = tmp_path / "tiny.onnx"
    arguments = ["--data", str(tiny_faces), "--weights", str(first / "best.safetensors")]
    assert main(["export", *arguments, "--out", str(model), "--name", "Tiny"]) == 0
    assert learnt > 0.5
    other = fit_classifier(  # at another size
        FitSettings(
            out=tmp_path / "small",
            epochs=1,
            learning_rate=1e-6,
            small_epochs=0,
            start=first / "best.safetensors",
            input_px=40,
            **usual,
        )
    )
    assert other > 0.5
    kept = fit_classifier(
        FitSettings(out=tmp_path / "second", epochs=1, learning_rate=1e-6, start=model, **usual)
    )
    assert kept == pytest.approx(learnt, abs=0.06)


def test_an_export_of_another_network_or_no_export_is_one_sentence(tiny_net, tmp_path):
    export(CentreCrop(Vgg19(6), 44).eval(), card("vgg19"), tmp_path / "six.onnx")
    (tmp_path / "half.onnx").write_bytes(b"half a file")
    for name, told in (
        ("six.onnx", "another network than Vgg19"),
        ("half.onnx", "no classifier"),
        ("none.onnx", "no classifier"),
    ):
        with pytest.raises(RunError, match=rf"{name}.*{told}"):
            unfold(tmp_path / name, Vgg19(7), torch.rand(2, 1, 44, 44))


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("fp16", 2e-2)])
@pytest.mark.parametrize(("name", "largest"), [("vgg19", 45e6), ("resnet14", 5e6)])
def test_an_exported_network_gives_the_logits_of_torch(
    tmp_path, name, largest, precision, tolerance
):
    live = CentreCrop(lived_in(nets.build(name, 7)), 44).eval()
    export(live, card(name, precision), tmp_path / "v.onnx")
    crops = np.random.default_rng(0).integers(0, 256, (6, 48, 48), dtype=np.uint8)
    with torch.no_grad():
        exact = live(torch.from_numpy(crops)[:, None].float() / 255).numpy()
    # Nobody learns from it where it was made.
    assert str(Path(nets.__file__).parent).encode() not in (tmp_path / "v.onnx").read_bytes()
    shipped = OnnxClassifier(tmp_path / "v.onnx", "cpu")
    assert np.abs(shipped.logits(crops) - exact).max() < tolerance * max(1.0, np.abs(exact).max())
    assert ((tmp_path / "v.onnx").stat().st_size < largest) == (precision == "fp16")


@pytest.mark.warns_in_log
def test_what_a_run_goes_on_from_is_not_what_is_exported(
    tiny_weights, tiny_faces, tmp_path, caplog
):
    last, out = tiny_weights.with_name("last.safetensors"), tmp_path / "x.onnx"
    words = ["export", "--data", str(tiny_faces), "--weights", str(last), "--out", str(out)]
    assert main(words) == 4
    assert "last.safetensors does not name its network; give a best.safetensors" in caplog.text
    assert not out.exists()
