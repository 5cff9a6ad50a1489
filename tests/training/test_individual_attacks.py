"""FGSM, PGD and DeepFool against optima in closed form, and against an independent library."""

import math
import warnings

import numpy as np
import pytest
import torch
from art.attacks.evasion import DeepFool, FastGradientMethod, ProjectedGradientDescentPyTorch
from art.estimators.classification import PyTorchClassifier
from facecloak_train.attacks.individual import against, deepfool, fgsm, pgd
from torch import nn


def linear(classes=4, size=30, seed=0):
    net = nn.Linear(size, classes)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        net.weight.copy_(torch.randn(classes, size, generator=generator))
        net.bias.copy_(torch.randn(classes, generator=generator))
    return net.eval()


def middling(count=40, size=30):
    """Faces far from black and white, so that the range binds nothing."""
    return 0.3 + 0.4 * torch.rand(count, size, generator=torch.Generator().manual_seed(1))


def borders(net, faces, dual):
    """For each face the distance to the nearest border of a linear net, by the dual norm."""
    logits, labels = net(faces).detach(), net(faces).argmax(1)
    distances = []
    for row, label in zip(logits, labels, strict=True):
        others = [k for k in range(logits.shape[1]) if k != label]
        slopes = (net.weight[others] - net.weight[label]).detach().norm(p=dual, dim=1)
        distances.append(((row[label] - row[others]) / slopes).min())
    return torch.stack(distances)


@pytest.mark.parametrize(("norm", "dual"), [(2.0, 2.0), (math.inf, 1.0)])
def test_deepfool_finds_the_distance_that_geometry_says(norm, dual):
    net, faces = linear(), middling()
    found = deepfool(net, faces, norm=norm, overshoot=1e-4)
    assert found.fooled.all()
    length = (found.faces - faces).norm(p=norm, dim=1)
    torch.testing.assert_close(length, borders(net, faces, dual), rtol=2e-3, atol=1e-3)


def test_fgsm_is_optimal_for_two_classes():
    net, faces = linear(classes=2), middling()
    labels = net(faces).argmax(1)
    nearest = borders(net, faces, 1.0)
    for eps in nearest.quantile(torch.tensor([0.2, 0.5, 0.8])).tolist():
        fooled = net(fgsm(net, faces, against(labels), eps)).argmax(1) != labels
        assert torch.equal(fooled, nearest < eps)


def test_pgd_reaches_the_corner_that_is_best_from_any_start():
    net, faces = linear(classes=2), middling()
    labels = net(faces).argmax(1)
    slope = (net.weight[1 - labels] - net.weight[labels]).sign()
    for generator in (None, torch.Generator().manual_seed(3)):
        found = pgd(net, faces, against(labels), 0.05, steps=10, generator=generator)
        torch.testing.assert_close(found, faces + 0.05 * slope)


@pytest.mark.parametrize("eps", [0.01, 0.3])
def test_budget_and_range_hold_near_black_and_white(eps):
    net = linear()
    faces = torch.rand(40, 30, generator=torch.Generator().manual_seed(2)).round()
    labels = net(faces).argmax(1)
    for found in (
        fgsm(net, faces, against(labels), eps),
        pgd(net, faces, against(labels), eps, steps=5, generator=torch.Generator().manual_seed(0)),
    ):
        assert found.min() >= 0.0
        assert found.max() <= 1.0
        assert (found - faces).abs().max() <= eps + 1e-6
        assert not torch.equal(found, faces)


def test_deepfool_says_where_it_gave_up():
    net = linear()
    with torch.no_grad():
        net.weight.zero_()
        net.bias.copy_(torch.tensor([9.0, 0.0, 0.0, 0.0]))
    assert not deepfool(net, middling(), steps=3).fooled.any()
    with pytest.raises(ValueError, match="norms"):
        deepfool(net, middling(), norm=1.0)


class Convolutional(nn.Module):
    """Curved enough that a wrong gradient shows."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.Tanh(),
            nn.AvgPool2d(4),
            nn.Flatten(),
            nn.Linear(8 * 9, 5),
        )

    def forward(self, faces):
        return 8.0 * self.layers(faces)


@pytest.fixture
def reference():
    """ART's view of the same network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = Convolutional().eval()
        return net, PyTorchClassifier(
            net,
            loss=nn.CrossEntropyLoss(),
            input_shape=(1, 12, 12),
            nb_classes=5,
            clip_values=(0.0, 1.0),
            device_type="cpu",
        )


def images():
    return torch.rand(64, 1, 12, 12, generator=torch.Generator().manual_seed(5))


def test_fgsm_and_pgd_are_the_reference_library_s(reference):
    net, estimator = reference
    faces = images()
    labels = net(faces).argmax(1)
    theirs = FastGradientMethod(estimator, eps=0.05).generate(faces.numpy(), labels.numpy())
    ours = fgsm(net, faces, against(labels), 0.05)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-6)
    theirs = ProjectedGradientDescentPyTorch(
        estimator, eps=0.05, eps_step=0.01, max_iter=8, num_random_init=0, verbose=False
    ).generate(faces.numpy(), labels.numpy())
    ours = pgd(net, faces, against(labels), 0.05, steps=8, step=0.01)
    differing = np.mean(np.abs(ours.numpy() - theirs) > 1e-5)
    assert differing < 1e-3  # a gradient of nearly zero may take either sign


def test_deepfool_is_the_reference_library_s(reference):
    net, estimator = reference
    faces = images()
    theirs = torch.from_numpy(
        DeepFool(estimator, epsilon=0.02, max_iter=50, batch_size=64, verbose=False).generate(
            faces.numpy()
        )
    )
    ours = deepfool(net, faces, overshoot=0.02)
    assert ours.fooled.all()
    lengths = [(found - faces).flatten(1).norm(dim=1) for found in (ours.faces, theirs)]
    torch.testing.assert_close(lengths[0], lengths[1], rtol=0.05, atol=1e-3)
