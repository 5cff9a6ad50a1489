"""A face a moment later: near, not the same, and the same again for the same seed."""

import numpy as np

from facecloak.tailor.straying import strayed


def spot(side=96):
    """A bright square in the middle of a grey face."""
    face = np.full((side, side), 128, np.uint8)
    face[44:52, 44:52] = 255
    return face


def centre(face):
    rows, columns = np.nonzero(face > 190)
    return np.array([columns.mean(), rows.mean()])


def test_it_is_near_all_around_and_not_always_the_same():
    rng = np.random.default_rng(0)
    strays = np.array([centre(strayed(spot(), rng)) - 47.5 for _ in range(200)]) / 96
    assert np.abs(strays).max() < 0.03
    assert strays.std(axis=0).min() > 0.003
    assert np.abs(strays.mean(axis=0)).max() < 0.003


def test_a_seed_decides_and_the_border_shows_no_black():
    one, other = (strayed(spot(), np.random.default_rng(3)) for _ in range(2))
    assert (one == other).all()
    assert one.dtype == np.uint8
    assert one.min() == 128
