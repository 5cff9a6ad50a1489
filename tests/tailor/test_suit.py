"""How far a fit may go from what it began as: alone, and in a tailor's hands."""

import numpy as np
import pytest

from facecloak.core.bank import Bank
from facecloak.core.perturbation import Perturbation
from facecloak.tailor.suit import ANYWHERE, NEAREST, Suit
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
    suit = Suit(np.full((2, 2), 4.0), np.zeros((2, 2, 2)), np.full((2, 2), 2.0), 4.0, 1.0, 0.01)
    suit.radius = NEAREST
    suit.alter(suit.pattern, suit.shifts)
    assert (suit.pattern == 2.0).all()
    suit.alter(np.zeros((2, 2)), suit.shifts)
    np.testing.assert_allclose(suit.pattern, 2.0 - NEAREST * 4.0)


def test_what_goes_too_far_once_has_to_earn_its_way_again():
    suit = Suit(np.zeros((2, 2)), np.zeros((2, 2, 2)), np.full((2, 2), 4.0), 4.0, 1.0, 0.01)
    suit.trust(-1.0)
    assert suit.radius == pytest.approx(0.6)
    radii = []
    for _ in range(3):
        suit.trust(0.0)
        radii.append(suit.radius)
    assert radii == [pytest.approx(0.84), ANYWHERE, ANYWHERE]
