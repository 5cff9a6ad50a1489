"""The published universal perturbations against optima in closed form and their papers' steps."""

import math

import pytest
import torch
from facecloak_train.attacks import reference
from facecloak_train.attacks.individual import deepfool
from facecloak_train.attacks.published import METHODS, Budget, Plan, df_uap, sga, spgd, uap
from facecloak_train.attacks.published.adam import bounded_logit
from facecloak_train.attacks.published.plan import add
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


@pytest.mark.parametrize("steps", [10, 1])
def test_one_face_at_a_time_is_the_first_paper_s_algorithm(steps):
    """A face from which DeepFool finds no way, as from some with one step, is passed over."""
    net, faces = curved()
    budget, plan = Budget(2 * EPS), Plan(passes=1, batch=1, seed=4)
    labels = net(faces).argmax(1)
    expected = torch.zeros(1, SIDE, SIDE)
    fooled = []
    for (number,) in next(plan.visits(len(faces))):
        seen = (faces[number] + expected).clamp(0, 1)[None]
        if net(seen).argmax() == labels[number]:
            found = deepfool(net, seen, steps=steps, overshoot=0.02)
            fooled.append(bool(found.fooled))
            if found.fooled:
                expected = (expected + (found.faces - seen)[0]).clamp(-2 * EPS, 2 * EPS)
    assert all(fooled) == (steps == 10)
    assert any(fooled)
    torch.testing.assert_close(uap(net, faces, budget, plan, steps=steps), expected)


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


def slope(net, faces, labels, at):
    """Of the mean cross-entropy by the perturbation."""
    at = at.clone().requires_grad_()
    loss = nn.functional.cross_entropy(net(add(faces, at)), labels)
    return torch.autograd.grad(loss, at)[0]


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_sga_looks_ahead_by_small_steps_and_gathers_their_gradients(decay):
    """Written out: two large steps, of three rounds of four small steps each."""
    net, faces = curved()
    labels = net(faces).argmax(1)
    plan = Plan(passes=2, batch=len(faces), seed=0)
    eps, step = 0.4, 0.4 * 0.3
    generator = plan.generator(1)
    expected, direction = torch.zeros(2, 1, SIDE, SIDE)
    for (chosen,) in plan.visits(len(faces)):
        ahead, gathered = expected.clone(), torch.zeros(1, SIDE, SIDE)
        for _ in range(3):
            for some in chosen[torch.randperm(len(faces), generator=generator)].split(10):
                gradient = slope(net, faces[some], labels[some], ahead)
                ahead = (ahead + step * gradient.sign()).clamp(-eps, eps)
                gathered = gathered + gradient
        direction = decay * direction + gathered / gathered.abs().sum()
        expected = (expected + step * direction.sign()).clamp(-eps, eps)
    found = sga(net, faces, Budget(eps), plan, step=0.3, rounds=3, few=10, bound=1e9, decay=decay)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", [spgd, sga])
def test_a_face_whose_loss_is_beyond_the_bound_pulls_no_more(method):
    """Only the faces that the net is surest of lie under this bound."""
    net, faces = curved()
    labels = net(faces).argmax(1)
    losses = nn.functional.cross_entropy(net(faces), labels, reduction="none")
    bound = float(losses.median())
    sure = losses <= bound
    plan = Plan(passes=1, batch=len(faces), seed=0)
    own = {"few": len(faces), "rounds": 1} if method is sga else {}
    found = method(net, faces, Budget(EPS), plan, bound=bound, step=1.0, **own)
    blank = torch.zeros(1, SIDE, SIDE)
    expected = slope(net, faces[sure], labels[sure], blank).sign()
    torch.testing.assert_close(found, EPS * expected)
    assert not torch.equal(expected, slope(net, faces, labels, blank).sign())


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
def test_a_net_in_training_no_faces_and_no_plan_are_errors(name):
    net, faces = curved()
    plan = Plan(passes=1, batch=7, seed=0)
    for passes, batch in ((0, 7), (1, 0)):
        with pytest.raises(ValueError, match=f"not {passes} and {batch}"):
            Plan(passes=passes, batch=batch, seed=0)
    with pytest.raises(ValueError, match="at least one training face"):
        METHODS[name](net, faces[:0], Budget(EPS), plan)
    with pytest.raises(ValueError, match=r"net\.eval\(\)"):
        METHODS[name](net.train(), faces, Budget(EPS), plan)


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
