"""The synthetic stand-in for micro-expression sets."""

import dataclasses

import numpy as np
import pytest
from facecloak_train.data.synthetic.action_units import ACTION_UNITS, displacement
from facecloak_train.data.synthetic.rendering import Amounts, Still, render
from facecloak_train.data.synthetic.scripts import EMOTIONS, SCHEMES

STILL = Amounts(
    duration_s=(0.4, 0.4), sway_px=0, turn_deg=0, blinks=0, flicker=0, noise=(0, 0), grain=0
)


def points():
    """A mesh whose vertices lie where faces have them, mirrored about the middle column."""
    rng = np.random.default_rng(0)
    mesh = rng.uniform(20, 90, (468, 2))
    mesh[33], mesh[263] = (26, 43), (85, 43)
    for units in ACTION_UNITS.values():
        for pull in units:
            for right, left in zip(pull.right, pull.left, strict=True):
                x, y = rng.uniform(28, 50), rng.uniform(30, 90)
                mesh[right], mesh[left] = (x, y), (111 - x, y)
    mesh[159], mesh[145] = (40, 41), (40, 46)
    return mesh


@pytest.mark.parametrize("unit", sorted(ACTION_UNITS))
def test_a_pull_of_one_pixel_moves_nothing_farther_than_it_says(unit):
    field = displacement(ACTION_UNITS[unit], points(), 112)
    longest = max(np.hypot(pull.outwards, pull.upwards) for pull in ACTION_UNITS[unit])
    reached = np.linalg.norm(field, axis=-1).max()
    assert 0.1 < reached <= longest + 1e-5


def test_both_halves_of_a_face_move_alike():
    field = displacement(ACTION_UNITS[12], points(), 112)
    np.testing.assert_allclose(field[:, ::-1] * (-1, 1), field, atol=1e-4)


def test_a_smile_goes_up_and_out_and_a_frown_goes_down():
    mesh = points()
    mesh[[61, 76]], mesh[[291, 306]] = (38, 78), (73, 78)
    smile = displacement(ACTION_UNITS[12], mesh, 112)
    assert smile[78, 38, 0] < 0 < smile[78, 73, 0]
    assert smile[78, 38, 1] < 0
    assert displacement(ACTION_UNITS[15], mesh, 112)[78, 38, 1] > 0


def test_the_largest_displacement_is_the_one_asked_for():
    """A bright dot of skin at the corner of the mouth goes as far as the amount says."""
    mesh = points()
    mesh[[61, 76]], mesh[[291, 306]] = (38, 78), (73, 78)
    rows, columns = np.mgrid[:112, :112]
    image = (20 + 200 * np.exp(-((columns - 38) ** 2 + (rows - 78) ** 2) / 8.0)).astype(np.float32)
    amounts = dataclasses.replace(STILL, expression=(0.03, 0.03))
    clip = render(Still(image=image, points=mesh), (12,), amounts, np.random.default_rng(0))
    bright = clip.astype(float) - 20
    centres = np.stack(
        [(bright * axis).sum((1, 2)) / bright.sum((1, 2)) for axis in (columns, rows)], axis=1
    )
    farthest = np.linalg.norm(centres - centres[0], axis=1).max()
    assert 1.5 < farthest < 0.03 * 112 + 0.3


def test_an_expression_rises_and_falls():
    image = np.random.default_rng(1).uniform(0, 255, (112, 112)).astype(np.float32)
    clip = render(Still(image=image, points=points()), (1, 2), STILL, np.random.default_rng(3))
    away = np.abs(clip.astype(float) - clip[0]).mean((1, 2))
    apex = int(away.argmax())
    assert clip.shape == (18, 112, 112)
    assert clip.dtype == np.uint8
    assert 0 < apex < 17
    assert away[-1] < 0.6 * away[apex]


def test_what_else_moves_is_the_same_for_every_class():
    """With no expression at all, clips differ from frame to frame by nuisances alone."""
    image = np.random.default_rng(1).uniform(60, 200, (112, 112)).astype(np.float32)
    still = Still(image=image, points=points())
    quiet = Amounts(expression=(0.0, 0.0))
    one, other = (render(still, u, quiet, np.random.default_rng(5)) for u in ((12,), (15,)))
    np.testing.assert_array_equal(one, other)
    assert np.abs(one[0].astype(int) - one[9]).mean() > 0.5


def test_every_class_has_units_that_exist():
    assert {u for several in EMOTIONS.values() for units in several for u in units} <= set(
        ACTION_UNITS
    )
    for count, scheme in SCHEMES.items():
        assert len(scheme) == count
        assert sorted(e for emotions in scheme.values() for e in emotions) == sorted(EMOTIONS)
