"""The ball that published attacks stay in, as properties."""

import math

import pytest
import torch
from facecloak_train.attacks.published import Budget
from hypothesis import given
from hypothesis import strategies as st

NORMS = [math.inf, 2.0]


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
    nearest = float((away.double() - found).norm())
    assert nearest <= float((away.double() - inside).norm()) + 1e-5 * eps
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
        Budget(0.1, 1.0)
    with pytest.raises(ValueError, match="positive"):
        Budget(0.0)
