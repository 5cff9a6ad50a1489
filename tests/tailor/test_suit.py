"""How far a fit may go from what it began as: alone, and in a tailor's hands."""

import numpy as np
import pytest

from facecloak.core.bank import Bank
from facecloak.core.perturbation import Perturbation
from facecloak.tailor.suit import (
    ANYWHERE,
    CERTAIN,
    DENSE,
    DENSE_LEAST,
    NEAREST,
    SMOOTH_LEAST,
    Suit,
)
from facecloak.tailor.tailor import GradientTailor, Pace
from tests.fakes.tailoring import FACE, Linear, grey, start


@pytest.mark.parametrize("holds", [True, False])
def test_what_does_not_hold_on_the_next_moment_comes_back_to_what_it_began_as(holds):
    """What is fitted makes the face darker, and the next moments like that or do not."""

    class Dark(Linear):
        def read(self, crops):
            gain = (crops[0] - crops[1]).mean() * (1.0 if holds else -1.0)
            return np.array([[9.0, 0.0], [0.0, -2.0 + 100.0 * gain]], np.float32)

    dark = Dark(-np.ones((44, 44)))
    weak = Bank.of(Perturbation(start().header, np.full((12, 12), 1.0, np.float32)))
    one = GradientTailor([dark], weak, pace=Pace(first_steps=2, steps=2, near=0.3))
    away = []
    for index in range(16):
        one.fit(grey(at_s=2.0 * index), [FACE], [])
        suit = one._wearers[1].suit
        away.append(float(np.abs(suit.pattern - suit.began[0]).max()))
    assert away[0] == pytest.approx(0.3 * 4.0)
    if holds:
        assert away[1] == pytest.approx(1.4 * 0.3 * 4.0)
        assert away[-1] > 4.0  # beyond what a radius of one would allow
    else:
        assert away[-1] == pytest.approx(NEAREST * 4.0)
    assert suit.radius == (ANYWHERE if holds else NEAREST)


def test_a_cell_of_which_less_is_allowed_now_than_it_began_with_can_still_change():
    suit = Suit(np.full((2, 2), 4.0), np.zeros((2, 2, 2)), 4.0, 0.01, NEAREST)
    suit.most = np.full((2, 2), 2.0)
    suit.alter(suit.pattern, suit.shifts)
    assert (suit.pattern == 2.0).all()
    suit.alter(np.zeros((2, 2)), suit.shifts)
    np.testing.assert_allclose(suit.pattern, 2.0 - NEAREST * 4.0)


def test_what_goes_too_far_once_has_to_earn_its_way_again():
    suit = Suit(np.zeros((2, 2)), np.zeros((2, 2, 2)), 4.0, 0.01)
    suit.trust(-1.0)
    assert suit.radius == pytest.approx(0.6)
    radii = []
    for _ in range(3):
        suit.trust(0.0)
        radii.append(suit.radius)
    assert radii == [pytest.approx(0.84), ANYWHERE, ANYWHERE]


def _fitted(weights, looks=1, **about):
    """What is fitted from nothing to grey faces against a linear network, and the suit."""
    pace = Pace(first_steps=40, steps=4)
    one = GradientTailor([Linear(weights, **about)], start(), pace=pace, from_scratch=True)
    made = None
    for index in range(looks):
        for fitted in one.fit(grey(at_s=2.0 * index), [FACE], []):
            made = fitted.perturbation.static
    return made, one._wearers[1].suit


def test_what_matters_is_painted_and_the_rest_is_left_alone():
    """A network that looks at one side of the face much more than at the other."""
    weights = np.ones((44, 44))
    weights[:, :22] = 0.01
    pattern, suit = _fitted(weights)
    strong = pattern[18:30, 28:40]
    np.testing.assert_allclose(strong, -4.0, atol=1e-5)
    painted = pattern != 0.0
    assert painted[:, :20].mean() < 0.2
    assert painted[:, 24:].mean() > 0.6
    assert painted.sum() <= 0.51 * (suit.weight > 0.0).sum()


def test_where_all_matters_alike_a_share_of_it_is_painted_in_full():
    pattern, suit = _fitted(np.ones((44, 44)))
    painted = pattern != 0.0
    assert 0.4 < painted.sum() / (suit.weight > 0.0).sum() < 0.6  # it is nearly alike
    assert (pattern[painted] < -3.99).mean() > 0.95  # some have just been chosen


def test_where_a_fit_does_not_hold_it_comes_back_to_what_it_began_as_in_all_cells():
    suit = Suit(np.full((8, 8), 4.0), np.zeros((2, 2, 2)), 4.0, 0.01)
    for _ in range(CERTAIN):
        suit.weigh(np.arange(1.0, 65.0, dtype=np.float32).reshape(8, 8))
    suit.alter(suit.pattern, suit.shifts)
    assert (suit.pattern == 0.0).mean() == pytest.approx(1.0 - DENSE, abs=0.02)
    suit.trust(-1.0)
    suit.alter(suit.pattern, suit.shifts)
    assert np.abs(suit.pattern - suit.began[0]).max() <= suit.radius * 4.0 + 1e-6
    dense = []
    for _ in range(8):
        suit.trust(0.0)
        dense.append(suit.dense)
    assert dense[0] == pytest.approx(0.9)
    assert dense[-1] == DENSE


def test_what_was_not_seen_of_a_face_is_not_taken_away():
    """Half of a head that is turned is not pulled at all."""
    suit = Suit(np.full((8, 8), 4.0), np.zeros((2, 2, 2)), 4.0, 0.01)
    pull = np.zeros((8, 8), np.float32)
    pull[:, 5:] = 1.0
    for _ in range(CERTAIN):
        suit.weigh(pull)
    suit.alter(suit.pattern, suit.shifts)
    assert (suit.pattern[:, :2] == 4.0).all()
    suit.weight = np.zeros((8, 8), np.float32)
    suit.alter(np.full((8, 8), 4.0), suit.shifts)
    assert (suit.pattern == 4.0).all()


def test_all_cells_are_painted_before_it_is_known_which_matter():
    suit = Suit(np.full((8, 8), 4.0), np.zeros((2, 2, 2)), 4.0, 0.01)
    pull = np.full((8, 8), 0.01, np.float32)
    pull[:, 4:] = np.linspace(0.5, 1.0, 4)
    for _ in range(CERTAIN - 1):
        suit.weigh(pull)
        suit.alter(suit.pattern, suit.shifts)
        assert (suit.pattern == 4.0).all()
    suit.weigh(-pull)  # whichever way
    suit.alter(suit.pattern, suit.shifts)
    assert (suit.pattern[:, :3] == 0.0).all()
    assert (suit.pattern[:, 6:] == 4.0).all()


def test_fewer_cells_are_painted_while_all_are_led_far_enough_and_more_where_few_are():
    suit = Suit(np.zeros((2, 2)), np.zeros((2, 2, 2)), 4.0, 0.01)
    for _ in range(20):
        suit.save()
    assert (suit.dense, suit.smooth) == (DENSE_LEAST, SMOOTH_LEAST)
    suit.trust(1.0)
    assert suit.dense == DENSE_LEAST
    for _ in range(30):
        suit.spend()
    assert (suit.dense, suit.smooth) == (1.0, 1.0)
