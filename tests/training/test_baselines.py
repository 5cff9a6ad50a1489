"""Patterns that know no classifier: what they spend, and how coarse they are."""

import math

import numpy as np
from facecloak_train.attacks.baselines import chessboard, perlin, random_sign


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
