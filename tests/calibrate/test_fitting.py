"""What is told of a fit is measured on crops that no step saw."""

from functools import partial

import numpy as np
import pytest

from facecloak.calibrate.crops import CROP_PX
from facecloak.calibrate.fitting import Outcome, fit, gains, split
from facecloak.calibrate.refining import refine
from tests.calibrate.judging import Judge, cloak, rounds, still
from tests.fakes.tailoring import Linear


def grey(*levels):
    """Faces of one grey each."""
    return np.repeat(np.array(levels, np.uint8), CROP_PX**2).reshape(-1, CROP_PX, CROP_PX)


def contrast(faces):
    """How much brighter the middle is than the eyes; light does not change its sign."""
    return faces[:, 9:15, 9:15].mean(axis=(1, 2)) - faces[:, 3:6, 6:18].mean(axis=(1, 2))


def middle(sign=1.0):
    """A network that reads whether the middle is brighter than the eyes, as :func:`contrast`."""
    weights = np.zeros((44, 44))
    weights[16:27, 16:27] = sign * 255.0 / 121
    weights[5:10, 10:33] = -sign * 255.0 / 115
    return Linear(weights, bias=-4.0)


def following(steps, **options):
    """Refine by that network, so many steps."""
    return partial(refine, models=[middle()], strength=1.0, spent=rounds(steps), **options)


@pytest.mark.parametrize("count", [16, 23, 80])
def test_the_parts_are_apart_in_time_and_in_order(count):
    crops = np.arange(count, dtype=np.uint8)[:, None, None]
    refining, held_out = split(crops)
    assert len(refining) >= 0.5 * count
    assert len(held_out) >= 0.3 * count
    assert (np.concatenate([refining, held_out]).ravel() == sorted({*refining.flat, *held_out.flat})
            ).all()  # fmt: skip
    assert refining.max() <= held_out.min() - (1 if count < 20 else 2)


def test_a_judge_that_can_be_fooled_is_and_the_gain_is_told():
    judge = Judge(lambda faces: contrast(faces) - 4.0, "Eyes")
    start = still(level=1.0)
    made = fit(start, grey(*[120] * 20), [judge], cloak, following(12))
    (before,), (after,) = made.before, made.after
    assert made.helped
    assert (before.judge, before.rate) == ("Eyes", 0.0)
    assert before.lead == pytest.approx(-4.0, abs=0.2)
    assert after.rate == 1.0
    assert after.lead > 2.0
    assert (made.refined_on, made.held_out) == (12, 7)
    assert made.perturbation.header == start.header
    assert made.perturbation is made.found.perturbation


def test_where_no_judge_can_be_fooled_the_one_from_before_stays():
    judge = Judge(lambda faces: np.full(len(faces), -5.0))
    start = still()
    made = fit(start, grey(*[120] * 20), [judge], cloak, following(10))
    assert not made.helped
    assert made.perturbation is start
    assert made.before == made.after
    assert made.after[0].rate == 0.0
    assert made.found.steps == 10


def test_what_helps_on_the_first_part_alone_does_not_count():
    """Dark faces are misread with a bright middle, bright ones with a dark one."""

    def lead(faces):
        return np.where(faces.mean(axis=(1, 2)) < 130, 1, -1) * contrast(faces) - 2.0

    start = still()
    crops = grey(*[90] * 13, *[170] * 7)
    made = fit(start, crops, [Judge(lead)], cloak, following(12))
    assert made.found.steps == 12
    assert not made.helped
    assert made.perturbation is start
    assert made.after[0].lead < made.before[0].lead


def test_the_same_seed_makes_the_same():
    judge = Judge(lambda faces: contrast(faces) - 4.0)
    one, other = (
        fit(still(), grey(*[120] * 20), [judge], cloak, following(5, seed=3), seed=3) for _ in "ab"
    )
    np.testing.assert_array_equal(one.perturbation.static, other.perturbation.static)
    assert (one.before, one.after) == (other.before, other.after)


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [
        ([(0.2, -1.0)], [(0.3, -2.0)], True),
        ([(0.2, -1.0)], [(0.2, -0.9)], True),
        ([(0.2, -1.0)], [(0.2, -1.0)], False),
        ([(0.2, -1.0)], [(0.1, 3.0)], False),
        ([(0.5, 0.0), (0.2, -1.0)], [(0.4, 0.0), (0.4, -1.0)], True),
        ([(0.5, 0.0), (0.2, -1.0)], [(0.3, 0.0), (0.3, -1.0)], False),
    ],
)
def test_a_gain_is_more_that_is_misread_over_all_judges(before, after, better):
    def outcomes(part):
        return [Outcome(str(number), *values) for number, values in enumerate(part)]

    assert gains(outcomes(before), outcomes(after)) is better
