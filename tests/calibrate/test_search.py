"""The search against judges whose best answer is known in closed form."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from facecloak.calibrate.search import CANDIDATES, RENEW_EVERY, search
from facecloak.core.perturbation import Header, Perturbation
from tests.calibrate.judging import rounds, still


@pytest.fixture
def refine():
    """Search with fixed gains for so many rounds."""

    def run(start, gains, count, seed=0, **options):
        with ThreadPoolExecutor(1) as pool:
            return search(
                start,
                lambda: gains,
                rng=np.random.default_rng(seed),
                spent=rounds(count),
                pool=pool,
                **options,
            )

    return run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_linear_judge_is_misled_as_far_as_the_budget_goes(refine, seed):
    """Of all patterns within eps, ``eps * sign(weight)`` misleads it most."""
    blocks = np.random.default_rng(seed).choice((-1.0, 1.0), (4, 4))
    weight = np.kron(blocks, np.ones((2, 2)))
    best = 8.0 * np.abs(weight).sum()
    found = refine(still(), [lambda one: float((weight * one.static).sum())], 500, seed)
    assert (weight * found.perturbation.static).sum() >= 0.95 * best
    assert found.tried == 500 * CANDIDATES
    assert 4 <= found.kept <= 500


def test_a_linear_judge_of_shifts_is_misled_as_far_as_the_budget_goes(refine):
    """Of all constant shifts within the budget, the one along the weight misleads it most."""
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), shift=0.01, strain=0.4)
    start = Perturbation(
        header, np.ones((1, 1), np.float32), displacement=np.zeros((2, 1, 1), np.float32)
    )
    weight = np.array([0.6, -0.8])
    found = refine(start, [lambda one: float(weight @ one.displacement[:, 0, 0])], 150)
    assert weight @ found.perturbation.displacement[:, 0, 0] >= 0.97 * 0.01


def test_a_change_is_kept_only_where_all_judges_together_are_misled_more(refine):
    seen = []

    def first(one):
        return float(one.static.mean())

    def second(one):
        seen.append(one)
        return -2.0 * float(one.static.mean())

    start = still()
    found = refine(start, [first, second], 40)
    assert found.perturbation is start
    assert found.kept == 0
    asked = seen[1:]  # the first time it was asked about the start
    assert asked
    again = [one for one in asked if one is not start]
    assert all(one.static.mean() >= start.static.mean() for one in again)


def test_what_was_found_never_gets_worse_and_is_told_each_round(refine):
    told = []
    weight = np.random.default_rng(4).normal(size=(8, 8))
    refine(still(), [lambda one: float((weight * one.static).sum())], 60, tell=told.append)
    reached = [(weight * one.perturbation.static).sum() for one in told]
    assert len(told) == 60
    assert all(np.diff(reached) >= 0)
    assert reached[-1] > reached[0]


def test_new_looks_are_drawn_now_and_then():
    drawn = []

    def draw():
        drawn.append(None)
        return [lambda one: float(one.static.mean())]

    with ThreadPoolExecutor(1) as pool:
        search(
            still(),
            draw,
            rng=np.random.default_rng(0),
            spent=rounds(2 * RENEW_EVERY + 1),
            pool=pool,
        )
    assert len(drawn) == 3


def test_without_time_nothing_is_tried(refine):
    start = still()
    with ThreadPoolExecutor(1) as pool:
        found = search(
            start,
            lambda: pytest.fail("no looks are needed"),
            rng=np.random.default_rng(0),
            spent=lambda: 1.0,
            pool=pool,
        )
    assert (found.perturbation, found.tried, found.kept) == (start, 0, 0)
