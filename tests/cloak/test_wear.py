"""Perturbations made to measure, on both compositors: faded in, kept, dropped, bounded."""

import dataclasses

import numpy as np
import pytest

from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.cloak.selector import FADE_S, GONE_S, OWN, told
from facecloak.core import displacement
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Fitted, Frame
from tests.cloak.test_fade import bank
from tests.cloak.test_opencv_cloak import face_at
from tests.cloak.test_selector import says

ALONE = Header(
    eps=6.0, method="t", seed=0, datasets=(), victims=(), shift=0.0101, strain=0.2, period_s=0.7
)
LEFT, RIGHT = face_at(60, 60, 100, track=1), face_at(180, 60, 100, track=2)


def flat(levels, header=ALONE):
    return Perturbation(header, np.full((4, 4), levels, np.float32))


def painted(levels):
    return Bank.of(flat(levels))


def frame(at_s):
    return Frame(np.full((120, 240, 3), 128, np.uint8), at_s, round(30 * at_s))


def added(cloak, at_s, *faces):
    """What is added in the middle of each face."""
    image = cloak.apply(frame(at_s), faces or [LEFT]).image
    return [int(image[60, x, 0]) - 128 for x in (60, 180)][: len(faces) or 1]


@pytest.mark.parametrize("kind", [OpenCvCloak, OnnxCloak])
def test_a_face_goes_over_to_what_was_made_for_it_and_the_other_does_not(kind):
    cloak = kind(painted(2))
    assert added(cloak, 0.0, LEFT, RIGHT) == [2, 2]
    cloak.wear([Fitted(1, flat(-6))])
    shown = [added(cloak, index / 30, LEFT, RIGHT) for index in range(1, 40)]
    own = [left for left, _ in shown]
    assert max(abs(step) for step in np.diff([2, *own])) <= 1
    assert own[round(30 * FADE_S) + 1 :] == [-6] * (38 - round(30 * FADE_S))
    assert {right for _, right in shown} == {2}


def test_a_face_that_was_never_shown_begins_with_its_own():
    cloak = OpenCvCloak(painted(2))
    cloak.wear([Fitted(1, flat(5))])
    assert added(cloak, 0.0) == [5]


def test_what_was_made_for_one_expression_comes_and_goes_with_it():
    """Where another is read that nothing was made for, the member of the bank answers."""
    cloak = OpenCvCloak(bank(moved=False))
    cloak.hear([says("happy", 0.0)])
    cloak.wear([Fitted(1, flat(5), "happy"), Fitted(1, flat(-4), "any")])
    assert added(cloak, 0.0) == [5]
    shown = {}
    for label, since_s in (("sad", 0.0), ("happy", 3.0), ("of no member", 6.0)):
        for index in range(1, 90):
            cloak.hear([says(label, since_s + index / 30)])
            shown[label] = added(cloak, since_s + index / 30)
        if label == "sad":
            assert cloak.mixes(frame(2.9), [LEFT]) == [{"sad": 1.0}]
    del shown["sad"]
    assert shown == {"happy": [5], "of no member": [-4]}


def test_the_next_one_for_an_expression_that_is_not_shown_waits_for_it():
    cloak = OpenCvCloak(bank(moved=False))
    cloak.hear([says("happy", 0.0)])
    cloak.wear([Fitted(1, flat(5), "happy")])
    assert added(cloak, 0.0) == [5]
    cloak.wear([Fitted(1, flat(-6), "sad")])
    assert added(cloak, 1.0) == [5]
    assert len(cloak.selector.own) == 2


def test_a_stronger_cloak_goes_on_with_it_scaled():
    cloak, stronger = OpenCvCloak(painted(2)), OpenCvCloak(painted(2), 1.5)
    cloak.wear([Fitted(1, flat(4))])
    added(cloak, 0.0)
    stronger.follow(cloak)
    assert added(stronger, 0.1) == [6]
    stronger.wear([Fitted(1, flat(-4))])
    assert [added(stronger, 0.1 + index / 30) for index in range(31)][-1] == [-6]


def test_another_perturbation_with_smaller_budgets_does_not_take_it():
    gentle = Bank.of(flat(1, dataclasses.replace(ALONE, eps=3.0)))
    cloak, other = OpenCvCloak(painted(2)), OpenCvCloak(gentle)
    cloak.wear([Fitted(1, flat(6))])
    added(cloak, 0.0)
    other.follow(cloak)
    assert added(other, 0.1) == [1]


@pytest.mark.parametrize(
    "larger", [{"eps": 7.0}, {"shift": 0.0102}, {"strain": 0.21}], ids=lambda one: next(iter(one))
)
def test_what_has_larger_budgets_is_not_taken(larger):
    cloak = OpenCvCloak(painted(2))
    cloak.wear([Fitted(1, flat(6, dataclasses.replace(ALONE, **larger)))])
    assert added(cloak, 0.0) == [2]
    assert cloak.selector.own == ()


def test_while_one_fades_into_the_next_the_budgets_hold_and_what_is_over_is_forgotten():
    rng = np.random.default_rng(0)
    cloak = OpenCvCloak(bank())
    for turn in range(40):
        field = rng.normal(0, 1, (2, 6, 6)).astype(np.float32)
        field *= np.float32(0.01 / displacement.largest(field))
        field = displacement.within(field, most_shift=0.0101, most_strain=0.2)
        signs = np.where(rng.random((24, 24)) < 0.5, 6, -6).astype(np.float32)
        cloak.wear([Fitted(1, Perturbation(ALONE, signs, displacement=field))])
        at_s = 0.2 * turn
        shown = cloak.apply(frame(at_s), [LEFT])
        moved = cloak.displaced(frame(at_s), [LEFT])
        change = shown.image.astype(int) - moved.image
        assert np.abs(change).max() <= cloak.budget == 6
        (mix,) = cloak.mixes(frame(at_s), [LEFT])
        assert sum(mix.values()) == pytest.approx(1.0)
        assert len(cloak.selector.own) <= 10  # what is less than a trace is gone
    added(cloak, 8.0 + GONE_S + 0.1, RIGHT)
    cloak.wear([Fitted(2, flat(3))])
    assert len(cloak.selector.own) == 1


def test_another_bank_without_an_answer_goes_on_with_what_was_made_for_all():
    """A face that shows "happy" goes over to a bank that answers nothing, and is fitted anew."""
    cloak, single = OpenCvCloak(bank(moved=False)), OpenCvCloak(painted(2))
    cloak.hear([says("happy", 0.0)])
    cloak.wear([Fitted(1, flat(5), "happy"), Fitted(1, flat(-5), "sad")])
    added(cloak, 0.0)
    single.follow(cloak)
    assert added(single, 0.1) == [5]
    assert len(single.selector.own) == 1  # what it shows; the rest was made for another bank
    single.wear([Fitted(1, flat(-6))])
    assert [added(single, 0.1 + index / 30) for index in range(31)][-1] == [-6]


def test_where_what_was_made_is_refused_the_member_of_the_bank_answers():
    gentle = bank(moved=False).with_header(dataclasses.replace(bank().header, period_s=0.8))
    cloak, other = OpenCvCloak(bank(moved=False)), OpenCvCloak(gentle)
    cloak.hear([says("happy", 0.0)])
    cloak.wear([Fitted(1, flat(5), "happy")])
    added(cloak, 0.0)
    other._dose.add = lambda _label, _member: False
    other.follow(cloak)
    assert other.mixes(frame(0.5), [LEFT]) == [{"happy": 1.0}]


def test_people_are_told_of_all_of_them_as_one():
    cloak = OpenCvCloak(painted(2))
    cloak.wear([Fitted(1, flat(3)), Fitted(2, flat(4))])
    assert {told(label) for label in cloak.selector.own} == {OWN}
    assert told("happy") == "happy"
