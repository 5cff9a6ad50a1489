"""The published universal perturbations and the lower bounds, against optima in closed form."""

import math

import numpy as np
import pytest
import torch
from facecloak_train.attacks import reference
from facecloak_train.attacks.baselines import chessboard, perlin, random_sign
from facecloak_train.attacks.individual import deepfool
from facecloak_train.attacks.published import METHODS, Budget, Plan, df_uap, sga, uap
from facecloak_train.attacks.published.adam import bounded_logit
from facecloak_train.attacks.published.plan import add
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

SIDE = 6
EPS = 8 / 255
NORMS = [math.inf, 2.0]

every_method = pytest.mark.parametrize("name", METHODS)


def radius(norm):
    """Of a ball that changes a face of this size about as much by either norm."""
    return EPS if norm == math.inf else EPS * SIDE


def one_side():
    """A linear net of two classes, faces all of the second, and how far each is from the border.

    The first logit is constant: if both changed alike, the direction of the logits would not turn.
    """
    faces = 0.3 + 0.4 * torch.rand(60, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(SIDE * SIDE, generator=torch.Generator().manual_seed(1))
    net = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 2)).eval()
    with torch.no_grad():
        net[1].weight.copy_(torch.stack([torch.zeros_like(weight), weight]))
        net[1].bias.zero_()
        net[1].bias[0] = 1.0
        net[1].bias[1] = 1.1 - net(faces)[:, 1].min()
        logits = net(faces)
    return net, faces, weight, logits[:, 1] - logits[:, 0]


class Curved(nn.Module):
    """Three classes and no closed form."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1), nn.Tanh(), nn.Flatten(), nn.Linear(6 * SIDE * SIDE, 3)
        )

    def forward(self, faces):
        return 8.0 * self.layers(faces)


def curved():
    """The net, centred so that it takes some of the faces for each class, and the faces."""
    faces = torch.rand(40, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    net = Curved().eval().requires_grad_(False)
    net.layers[-1].bias -= net(faces).mean(0) / 8.0
    assert set(net(faces).argmax(1).tolist()) == {0, 1, 2}
    return net, faces


@every_method
@pytest.mark.parametrize("norm", NORMS)
def test_a_method_finds_what_is_best_against_a_linear_net(name, norm):
    """The largest change of the margin in a ball is its radius times the dual norm of the slope.

    Adam makes all entries alike where the slope is the same all the time, so in a ball of the
    second norm it ends on the diagonal that the slope's signs tell.
    """
    net, faces, weight, margin = one_side()
    best = radius(norm) * weight.norm(p=1.0 if norm == math.inf else 2.0)
    if norm == 2.0 and name in ("df-uap", "cos-uap"):
        best = radius(norm) * weight.norm(p=1.0) / SIDE
    best_rate = (margin < best).float().mean()
    assert 0.2 < best_rate < 0.8  # more would end the first method early, less would hide a miss
    found = METHODS[name](net, faces, Budget(radius(norm), norm), Plan(passes=12, batch=10, seed=0))
    after = net(add(faces, found)).detach()
    fooled = (after.argmax(1) == 0).float().mean()
    change = -(found.flatten() @ weight)
    assert change >= 0.95 * best or fooled == best_rate
    assert change >= 0.8 * best
    assert fooled >= 0.9 * best_rate


def test_one_face_at_a_time_is_the_first_paper_s_algorithm():
    net, faces = curved()
    budget, plan = Budget(2 * EPS), Plan(passes=1, batch=1, seed=4)
    labels = net(faces).argmax(1)
    expected = torch.zeros(1, SIDE, SIDE)
    for (number,) in next(plan.visits(len(faces))):
        seen = (faces[number] + expected).clamp(0, 1)[None]
        if net(seen).argmax() == labels[number]:
            found = deepfool(net, seen, steps=10, overshoot=0.02)
            if found.fooled:
                expected = (expected + (found.faces - seen)[0]).clamp(-2 * EPS, 2 * EPS)
    torch.testing.assert_close(uap(net, faces, budget, plan), expected)


@pytest.mark.parametrize(("enough", "passes"), [(0.9, 1), (1.1, 5)])
def test_the_first_method_stops_once_it_fools_enough(enough, passes):
    """What is asked for is a part of what can be had in this ball, or more than that."""
    net, faces, weight, margin = one_side()
    best = float((margin < EPS * weight.norm(p=1.0)).float().mean())
    seen = []
    plan = Plan(passes=5, batch=10, seed=0, after_pass=seen.append)
    last = uap(net, faces, Budget(EPS), plan, delta=1.0 - enough * best)
    rates = [float((net(add(faces, one)).argmax(1) == 0).float().mean()) for one in seen]
    assert torch.equal(last, seen[-1])
    assert len(rates) == passes
    assert (rates[-1] >= enough * best) == (passes == 1)


@pytest.mark.parametrize("target", [0, 1, 2])
def test_df_uap_leads_to_its_target(target):
    net, faces = curved()
    plan = Plan(passes=10, batch=10, seed=0)
    found = df_uap(net, faces, Budget(0.4), plan, target=target)
    assert (net(add(faces, found)).argmax(1) == target).float().mean() > 0.9


def test_df_uap_s_loss_by_hand():
    logits = torch.tensor([[3.0, 1.0, 2.5], [0.0, 19.0, 1.0]], requires_grad=True)
    away = bounded_logit(logits, torch.tensor([0, 0]), 10.0, wanted=False)
    assert away.tolist() == [0.5, -10.0]
    towards = bounded_logit(logits, torch.tensor([2, 1]), 10.0, wanted=True)
    assert towards.tolist() == [0.5, -10.0]
    away.sum().backward()
    assert logits.grad.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


def test_sga_with_one_small_step_in_a_large_one_steps_along_its_gradient():
    """With more of them the large step is as long but leads elsewhere."""
    net, faces = curved()
    labels = net(faces).argmax(1)
    at = torch.zeros(1, SIDE, SIDE, requires_grad=True)
    loss = nn.functional.cross_entropy(net(add(faces, at)), labels)
    sign = torch.autograd.grad(loss, at)[0].sign()
    plan = Plan(passes=1, batch=len(faces), seed=0)
    found = sga(net, faces, Budget(EPS), plan, few=len(faces), rounds=1, bound=1e9)
    torch.testing.assert_close(found, 0.1 * EPS * sign)
    far = [
        sga(net, faces, Budget(1.0), plan, few=few, rounds=3, bound=1e9) for few in (4, len(faces))
    ]
    for one in far:
        torch.testing.assert_close(one.abs(), torch.full_like(one, 0.1))
    assert not torch.equal(*far)


@every_method
@pytest.mark.parametrize("norm", NORMS)
def test_the_budget_holds_after_every_pass(name, norm):
    net, faces = curved()
    seen = []
    budget = Budget(radius(norm), norm)
    plan = Plan(passes=3, batch=7, seed=0, after_pass=seen.append)
    last = METHODS[name](net, faces, budget, plan)
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[2])
    assert torch.equal(last, seen[-1])
    for one in seen:
        assert one.dtype == torch.float32
        assert one.shape == (1, SIDE, SIDE)
        assert not one.requires_grad
        assert float(one.double().norm(p=norm)) <= budget.eps


@every_method
def test_a_seed_tells_everything(name):
    net, faces = curved()

    def make(seed):
        return METHODS[name](net, faces, Budget(EPS), Plan(passes=1, batch=7, seed=seed))

    torch.manual_seed(5)
    first = make(1)
    torch.manual_seed(6)
    assert torch.equal(first, make(1))
    assert not torch.equal(first, make(2))


@every_method
def test_a_method_works_under_autocast(name):
    net, faces, weight, _ = one_side()
    net.requires_grad_(False)

    def narrow(seen):
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(seen)
        assert logits.dtype == torch.bfloat16
        return logits

    found = METHODS[name](narrow, faces, Budget(EPS), Plan(passes=12, batch=10, seed=0))
    assert found.dtype == torch.float32
    assert found.abs().max() <= EPS
    change = -(found.flatten() @ weight)
    if name == "cos-uap":  # which way it turns the logits at first is a matter of rounding
        change = change.abs()
    assert change >= 0.8 * EPS * weight.norm(p=1.0)


@every_method
def test_weights_gather_no_gradient(name):
    net, faces = curved()
    net.requires_grad_(True)
    METHODS[name](net, faces, Budget(EPS), Plan(passes=1, batch=20, seed=0))
    assert all(weight.grad is None for weight in net.parameters())


@every_method
def test_a_net_in_training_and_no_faces_are_errors(name):
    net, faces = curved()
    plan = Plan(passes=1, batch=7, seed=0)
    with pytest.raises(ValueError, match="at least one training face"):
        METHODS[name](net, faces[:0], Budget(EPS), plan)
    with pytest.raises(ValueError, match=r"net\.eval\(\)"):
        METHODS[name](net.train(), faces, Budget(EPS), plan)


@given(st.floats(1e-4, 2.0), st.sampled_from(NORMS), st.floats(1e-6, 1e3), st.integers(0, 1000))
def test_the_projection_is_the_nearest_point_of_the_ball(eps, norm, scale, seed):
    generator = torch.Generator().manual_seed(seed)
    budget = Budget(eps, norm)
    away = scale * torch.randn(1, 5, 5, generator=generator)
    found = budget.project(away)
    assert float(found.double().norm(p=norm)) <= eps
    assert torch.equal(budget.project(found), found)
    if float(away.double().norm(p=norm)) <= eps:
        assert torch.equal(found, away)
    inside = budget.project(scale * torch.randn(1, 5, 5, generator=generator))
    nearest = float((away - found).double().norm())
    assert nearest <= float((away - inside).double().norm()) + 1e-5 * eps
    assert bool((found * away >= 0).all())


@given(st.floats(1e-4, 2.0), st.sampled_from(NORMS), st.integers(0, 1000))
def test_no_step_of_the_budget_s_length_goes_farther_along_the_gradient(eps, norm, seed):
    generator = torch.Generator().manual_seed(seed)
    gradient = torch.randn(1, 5, 5, generator=generator)
    dual = gradient.norm(p=1.0 if norm == math.inf else 2.0)
    step = Budget(eps, norm).steepest(gradient)
    assert (step * gradient).sum() == pytest.approx(float(eps * dual), rel=1e-4)
    assert float(step.norm(p=norm)) == pytest.approx(eps, rel=1e-5)
    even = torch.full((25,), Budget(eps, norm).entry(25))
    assert float(even.norm(p=norm)) == pytest.approx(eps, rel=1e-5)


def test_a_budget_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="norm 2 or infinity, not 1"):
        Budget(EPS, 1.0)
    with pytest.raises(ValueError, match="positive"):
        Budget(0.0)


def test_lower_bounds_spend_the_budget_and_have_no_mean():
    even, odd = chessboard(44, 4.0), chessboard(5, 4.0)
    assert even.sum() == 0
    assert abs(odd.sum()) == 4.0  # one square more of one colour
    noises = [random_sign(44, 4.0, seed) for seed in range(30)]
    stripes = [perlin(44, 4.0, seed, octaves=octaves) for octaves in (1, 3) for seed in range(30)]
    large = chessboard(44, 4.0, 4)
    assert np.array_equal(large, np.kron(chessboard(11, 4.0), np.ones((4, 4))))
    for one in (even, odd, large, *noises, *stripes):
        assert one.dtype == np.float32
        assert set(np.unique(one)) == {-4.0, 4.0}
    assert abs(np.mean(noises)) < 4.0 * 4 / math.sqrt(30 * 44 * 44)
    assert abs(np.mean(stripes)) < 0.4
    assert np.array_equal(perlin(44, 4.0, 7), perlin(44, 4.0, 7))
    assert not np.array_equal(perlin(44, 4.0, 7), perlin(44, 4.0, 8))


def test_perlin_s_stripes_are_wider_than_noise_and_finer_with_each_octave():
    def borders(pattern):
        return float((np.diff(pattern, axis=1) != 0).mean())

    by_octaves = [
        np.mean([borders(perlin(96, 1.0, seed, octaves=octaves, period=24.0)) for seed in range(9)])
        for octaves in (1, 2, 3)
    ]
    assert by_octaves == sorted(by_octaves)
    assert by_octaves[0] < 0.2
    assert by_octaves[0] * 2 < by_octaves[2] < borders(random_sign(96, 1.0, 0))


def test_the_toolbox_s_perturbation_fools_a_linear_net_within_its_budget():
    net, faces, weight, margin = one_side()
    best = float((margin < EPS * weight.norm(p=1.0)).float().mean())
    asked = []

    def go_on(so_far):
        asked.append(so_far().clone())
        return len(asked) < 200

    found = reference.universal(net.requires_grad_(False), faces, EPS, go_on)
    assert len(asked) == 200
    assert torch.equal(found, asked[-1])
    assert not asked[0].any()
    assert all(one.abs().max() <= EPS for one in asked)
    rate = float((net(add(faces, found)).argmax(1) == 0).float().mean())
    assert rate == pytest.approx(best, abs=0.1)
