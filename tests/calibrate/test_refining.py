"""Ascent on the pictures of one face: how far it comes, and what holds it."""

import dataclasses

import numpy as np
import pytest

from facecloak.calibrate.crops import CROP_PX
from facecloak.calibrate.refining import refine
from facecloak.core import displacement
from tests.calibrate.judging import rounds, still
from tests.fakes.tailoring import Linear
from tests.fakes.tailoring import start as begun

CROPS = np.random.default_rng(0).integers(60, 200, (3, CROP_PX, CROP_PX), dtype=np.uint8)
WEIGHTS = np.kron(np.where(np.indices((4, 4)).sum(axis=0) % 2, 1.0, -1.0), np.ones((11, 11)))


def refined(start, *models, steps=12, **options):
    return refine(start, CROPS, models, strength=1.0, spent=rounds(steps), **options)


def test_cells_go_to_the_limit_along_a_gradient_that_stays():
    """A linear network's optimum: each cell at the end of the budget that its weights point to."""
    model = Linear(WEIGHTS, bias=-1e4)
    made = refined(still(cells=4), model, steps=16)
    assert made.steps == 16
    painted = made.perturbation.static
    toward = np.where(np.indices((4, 4)).sum(axis=0) % 2, 1.0, -1.0)
    assert (np.sign(painted) == toward)[painted != 0.0].all()
    assert np.abs(painted).max() == 8.0
    assert (painted != 0.0).mean() >= 0.4  # half of the cells are painted, those that matter most


def test_budgets_hold_and_what_changes_with_time_stays():
    field = np.random.default_rng(1).normal(0.0, 0.002, (2, 6, 6)).astype(np.float32)
    (start,) = begun(shift=0.01, displacement=field).members.values()
    circle = np.random.default_rng(2).uniform(-1, 1, (3, 12, 12)).astype(np.float32)
    start = dataclasses.replace(start, static=start.static * np.float32(0.5), circle=circle)
    made = refined(start, Linear(WEIGHTS, bias=-1e4)).perturbation
    assert np.abs(made.static).max() <= start.still_eps + 1e-6
    assert displacement.largest(made.displacement) <= 0.01 + 1e-6
    assert displacement.strain(made.displacement) <= 0.2 + 1e-6
    assert (made.displacement != start.displacement).any()
    np.testing.assert_array_equal(made.circle, circle)
    assert made.header == start.header


def test_each_picture_is_read_once_and_a_step_asks_for_two():
    model = Linear(WEIGHTS, bias=-1e4)
    told = []
    refined(still(), model, steps=20, tell=lambda found: told.append(found.steps))
    assert told == [*range(1, 21)]
    assert model.asked == 20 + len(CROPS)  # each of the three was drawn


def test_without_time_it_stays_as_it_was():
    start = still()
    made = refined(start, Linear(WEIGHTS), steps=0)
    assert (made.perturbation, made.steps) == (start, 0)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_seed_makes_the_same_again(seed):
    one, other = (refined(still(), Linear(WEIGHTS), steps=4, seed=seed) for _ in "ab")
    np.testing.assert_array_equal(one.perturbation.static, other.perturbation.static)
