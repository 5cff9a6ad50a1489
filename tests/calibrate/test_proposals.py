import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.calibrate.proposals import FIRST_SHARE, LAST_CELLS, Proposals
from facecloak.core import displacement
from facecloak.core.errors import ConfigError
from facecloak.core.perturbation import Header, Perturbation

seeds = st.integers(0, 2**32 - 1)


def header(**budgets):
    budgets = {"eps": 6.0, "shift": 0.01, "strain": 0.2} | budgets
    return Header(method="test", seed=0, datasets=(), victims=(), **budgets)


def anything(seed, cells, moving):
    """A random perturbation that uses its budgets up to their limits."""
    rng = np.random.default_rng(seed)
    circle = rng.uniform(-6, 6, (3, 8, 8)) * moving
    limit = 4.0 if moving else 6.0
    field = rng.normal(0, 0.02, (2, 6, 6)).astype(np.float32)
    return Perturbation(
        header(),
        (rng.choice((-1, 1), (cells, cells)) * limit * (1 - 1e-6)).astype(np.float32),
        circle.astype(np.float32),
        displacement.within(field, most_shift=0.01, most_strain=0.2),
    )


@given(seeds, st.integers(2, 24), st.booleans())
def test_no_proposal_leaves_a_budget_or_touches_anything_else(seed, cells, moving):
    start = anything(seed, cells, moving)
    proposals = Proposals(start, np.random.default_rng(seed))
    around = start
    for number in range(30):
        around = proposals.draw(around, number / 30)
        assert np.abs(around.static).max() <= start.still_eps
        assert displacement.largest(around.displacement) <= 0.01
        assert displacement.strain(around.displacement) <= 0.2
        assert np.abs(around.render(64, 0.3)).max() <= 6.0
        assert around.header == start.header
        np.testing.assert_array_equal(around.circle, start.circle)
    assert (around.static != start.static).any()


@given(seeds)
def test_a_proposal_is_one_square_or_one_bend(seed):
    start = anything(seed, 40, moving=False)
    proposals = Proposals(start, np.random.default_rng(seed))
    for number in range(20):
        drawn = proposals.draw(start, number / 20)
        rows, columns = np.nonzero(drawn.static != start.static)
        bent = (drawn.displacement != start.displacement).any()
        assert not (bent and rows.size)
        if rows.size:
            first = FIRST_SHARE * 40
            side = round(first * (LAST_CELLS / first) ** (number / 20))
            assert max(np.ptp(rows), np.ptp(columns)) < side
            assert len(np.unique(drawn.static[rows, columns])) == 1


def test_without_a_budget_for_bends_only_the_pattern_changes():
    start = Perturbation(header(shift=0.0, strain=0.0), np.ones((8, 8), np.float32))
    proposals = Proposals(start, np.random.default_rng(0))
    assert not any(proposals.draw(start, 0.5).displaces for _ in range(60))


def test_without_room_for_the_pattern_only_bends_are_proposed():
    circle = np.full((2, 4, 4), 6.0, np.float32)
    start = Perturbation(header(), np.zeros((8, 8), np.float32), circle)
    proposals = Proposals(start, np.random.default_rng(0))
    assert not any(proposals.draw(start, 0.5).static.any() for _ in range(30))
    rigid = dataclasses.replace(start, header=header(shift=0.0, strain=0.0))
    with pytest.raises(ConfigError, match=r"nothing to refine.*another --perturbation"):
        Proposals(rigid, np.random.default_rng(0))
