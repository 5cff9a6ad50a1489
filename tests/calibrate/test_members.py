"""Which member of a bank is refined on which crops, and what several fits come to."""

from types import SimpleNamespace

import numpy as np
import pytest

from facecloak.calibrate.crops import CROP_PX
from facecloak.calibrate.fitting import Fit, Outcome
from facecloak.calibrate.members import by_member, together
from facecloak.calibrate.refining import Found
from facecloak.core.bank import Bank
from facecloak.core.perturbation import ANY, Header, Perturbation

HEADER = Header(
    eps=4.0, method="t", seed=0, datasets=(), victims=(), format=5, answers=("happy", "sad"),
    selector="Bright",
)  # fmt: skip
ALONE = Perturbation(HEADER, np.ones((2, 2), np.float32))
BANK = Bank(HEADER, dict.fromkeys((ANY, "happy", "sad"), ALONE))


class Bright:
    """Reads a bright crop as happy, a dark one as sad, and one between as a third thing."""

    card = SimpleNamespace(name="Bright", input_px=48, labels=("sad", "bored", "happy"))

    def logits(self, crops):
        level = crops.reshape(len(crops), -1).mean(axis=1) / 255.0
        return np.stack([0.3 - level, np.full_like(level, -0.1), level - 0.7], axis=1)


def crops(*levels):
    return np.stack([np.full((CROP_PX, CROP_PX), level, np.uint8) for level in levels])


def test_each_member_gets_the_crops_that_it_answers_the_most_seen_first_in_their_order():
    seen = crops(*[250, 10] * 20, *[250] * 5)
    parts = by_member(BANK, seen, [Bright()])
    assert list(parts) == ["happy", "sad"]
    np.testing.assert_array_equal(parts["happy"], seen[(seen[:, 0, 0] == 250)])
    np.testing.assert_array_equal(parts["sad"], seen[(seen[:, 0, 0] == 10)])


def test_what_no_member_answers_goes_to_that_for_every_face_and_few_crops_to_none():
    parts = by_member(BANK, crops(*[127] * 16, *[250] * 15), [Bright()])
    assert list(parts) == [ANY]
    assert len(parts[ANY]) == 16


def test_where_every_member_has_too_few_the_most_seen_gets_all():
    parts = by_member(BANK, crops(*[10] * 10, *[250] * 9), [Bright()])
    assert list(parts) == ["sad"]
    assert len(parts["sad"]) == 19


@pytest.mark.parametrize("given", [BANK, Bank.of(Perturbation(
    Header(eps=4.0, method="t", seed=0, datasets=(), victims=()), np.ones((2, 2), np.float32)
))])  # fmt: skip
def test_without_the_selector_every_crop_is_for_the_member_for_every_face(given):
    other = Bright()
    other.card = SimpleNamespace(name="Other", input_px=48, labels=("a",))
    seen = crops(*[250] * 20)
    (label,) = parts = by_member(given, seen, [other])
    assert label == ANY
    assert parts[ANY] is seen


def test_the_outcomes_of_members_weigh_as_many_crops_as_they_held_out():
    def fit(before, after, held_out, *, helped):
        told = tuple((Outcome("Bright", rate, 10 * rate),) for rate in (before, after))
        return Fit(ALONE, helped, *told, 30, held_out, Found(ALONE))

    fits = {"happy": fit(0.2, 0.8, 30, helped=True), "sad": fit(0.6, 0.4, 10, helped=False)}
    before, found = together(fits, written=False)["Bright"]
    _, written = together(fits, written=True)["Bright"]
    assert before.rate == pytest.approx((0.2 * 30 + 0.6 * 10) / 40)
    assert found.rate == pytest.approx((0.8 * 30 + 0.4 * 10) / 40)
    assert written.rate == pytest.approx((0.8 * 30 + 0.6 * 10) / 40)
    assert written.lead == pytest.approx(10 * written.rate)
