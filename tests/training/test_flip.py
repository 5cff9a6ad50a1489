"""FLIP against what follows from its definition."""

import numpy as np
import pytest
from facecloak_train.measure.flip import flip, flip_map
from facecloak_train.measure.visible import visible

GREEN, BLUE, WHITE, BLACK = (0, 255, 0), (255, 0, 0), (255, 255, 255), (0, 0, 0)


def plain(colour, side=40):
    return np.full((side, side, 3), colour, np.uint8)


def stripes(period, amplitude, side=96):
    wave = amplitude * np.sign(np.sin(2 * np.pi * (np.arange(side) + 0.5) / period))
    return np.repeat(np.broadcast_to(128 + wave, (side, side))[..., None], 3, 2).astype(np.uint8)


def test_equal_pictures_are_equal_and_green_beside_blue_is_the_most():
    assert flip(plain(GREEN), plain(GREEN)) == 0.0
    np.testing.assert_allclose(flip_map(plain(GREEN), plain(BLUE)), 1.0, atol=1e-5)


def hunt_hyab_of_white_and(grey):
    """Of greys only lightness is left: L of white is 100."""
    linear = ((grey / 255 + 0.055) / 1.055) ** 2.4
    return 100.0 - (116.0 * np.cbrt(linear) - 16.0)


def test_plain_greys_follow_the_formula():
    # Without edges the error is the stretched, powered distance; green to blue is 308.1 by hand
    # from CIELAB (87.7, -86.2, 83.2) and (32.3, 79.2, -107.9) with Hunt's factor L / 100.
    green = np.array([87.735, -86.183 * 0.87735, 83.180 * 0.87735])
    blue = np.array([32.297, 79.188 * 0.32297, -107.860 * 0.32297])
    apart = green - blue
    most = (abs(apart[0]) + np.hypot(*apart[1:])) ** 0.7
    for grey in (250, 200, 100):
        power = hunt_hyab_of_white_and(grey) ** 0.7
        knee = 0.4 * most
        wanted = (
            power * 0.95 / knee if power < knee else 0.95 + 0.05 * (power - knee) / (most - knee)
        )
        assert flip(plain(WHITE), plain((grey,) * 3)) == pytest.approx(wanted, rel=2e-3)
    assert 0.9 < flip(plain(WHITE), plain(BLACK)) < 1.0


def test_it_grows_with_the_difference_and_does_not_ask_which_came_first():
    grey = plain((128,) * 3, 96)
    errors = [flip(grey, stripes(16, amplitude)) for amplitude in (2, 4, 8)]
    assert 0 < errors[0] < errors[1] < errors[2]
    assert flip(stripes(16, 4), grey) == pytest.approx(errors[1], rel=1e-5)


def test_what_the_eye_does_not_resolve_costs_less():
    grey = plain((128,) * 3, 96)
    fine, coarse = (flip(grey, stripes(period, 8)) for period in (2, 24))
    assert fine < 0.6 * coarse
    # From twice as near the same stripes are coarser, and seen better.
    assert flip(grey, stripes(2, 8), pixels_per_degree=16.0) > fine


def test_a_new_edge_costs_more_than_a_change_of_the_whole():
    whole = flip(plain((128,) * 3), plain((136,) * 3))
    half = plain((128,) * 3)
    half[:, 20:] = 136
    edge = flip_map(plain((128,) * 3), half)
    assert edge[:, 19:22].max() > 1.2 * whole
    assert edge[:, :8].max() < 0.1 * whole


def test_figures_of_a_face_are_finite_where_nothing_changed():
    grey = stripes(16, 8)
    same = visible(grey, grey)
    assert (same.psnr_db, same.ssim, same.flip) == (99.0, pytest.approx(1.0), 0.0)
    assert visible(grey, stripes(16, 4)).psnr_db == pytest.approx(20 * np.log10(255 / 4))
