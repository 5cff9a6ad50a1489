"""The backward pass as an ONNX graph equals torch's, for every kind of layer that is shipped."""

import numpy as np
import pytest
import torch
from facecloak_train import nets
from facecloak_train.attacks.universal import margin_loss
from facecloak_train.cli import main
from facecloak_train.export.gradient_export import CONFIDENCE, export_gradient, pulling

from facecloak.core import artifacts
from facecloak.core.modelcard import GRADIENT, ModelCard
from facecloak.tailor.gradient import GradientModel

# Those of torch.onnx about itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def card(name, precision="fp32"):
    return ModelCard(
        name=name, architecture=name, task=GRADIENT, labels=tuple("abcdefg"), input_px=44,
        dataset="t", precision=precision,
    )  # fmt: skip


def net_of(name):
    """With weights and statistics that make every layer count."""
    torch.manual_seed(0)
    net = nets.build(name, 7)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        net.train()
        for _ in range(3):
            net(torch.rand(16, 1, 44, 44))
    return net.eval().requires_grad_(requires_grad=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet14", "mobilenet", "convnext"])
def test_the_graph_says_what_torch_says(name, tmp_path):
    net, path = net_of(name), tmp_path / "gradient.onnx"
    export_gradient(net, card(name), path)
    rng = np.random.default_rng(0)
    crops = rng.random((2, 44, 44), np.float32)
    labels, rivals = np.array([2, 5]), np.array([True, True, False, True, False, True, True])
    logits, gradient = GradientModel(path).pull(crops, labels, rivals)
    own = torch.eye(7)[labels]
    said, pulled = pulling(net)(
        torch.from_numpy(crops)[:, None], own, torch.from_numpy(rivals).float() * (1.0 - own)
    )
    np.testing.assert_allclose(logits, said.numpy(), atol=1e-4)
    scale = float(pulled.abs().max())
    assert scale > 0
    np.testing.assert_allclose(gradient, pulled[:, 0].numpy(), atol=1e-4 * scale)


def test_with_all_rivals_it_is_the_gradient_of_the_margin():
    net = net_of("resnet14")
    faces = torch.rand(2, 1, 44, 44).requires_grad_()
    labels = torch.tensor([1, 4])
    own = torch.eye(7)[labels]
    (wanted,) = torch.autograd.grad(margin_loss(net(faces), labels, CONFIDENCE).sum(), faces)
    _, pulled = pulling(net)(faces, own, 1.0 - own)
    torch.testing.assert_close(pulled, wanted)


def test_a_lead_that_is_enough_pulls_no_more():
    net = net_of("resnet14")
    faces = torch.rand(2, 1, 44, 44)
    weakest = net(faces).argmin(1)
    own = torch.eye(7)[weakest]
    with torch.no_grad():
        net.head[-1].weight.mul_(100.0)
        net.head[-1].bias.mul_(100.0)
    _, pulled = pulling(net)(faces, own, 1.0 - own)
    assert not pulled.any()


@pytest.mark.slow
def test_the_command_writes_a_card_with_how_far_it_agrees(tiny_faces, tmp_path):
    out = tmp_path / "gradients" / "tiny.onnx"
    weights = artifacts.folder("models") / "resnet14.onnx"
    arguments = ["--data", str(tiny_faces), "--weights", str(weights), "--name", "Tiny"]
    assert main(["export-gradient", *arguments, "--out", str(out), "--faces", "4"]) == 0
    made = GradientModel(out).card
    assert (made.name, made.task, made.input_px) == ("Tiny", GRADIENT, 44)
    assert made.measured["agreement_with_torch"] == 1.0
    assert made.measured["gradient_cosine_mean"] > 0.99
    assert made.command.startswith("facecloak-train")
