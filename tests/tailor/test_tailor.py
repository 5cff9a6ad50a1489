"""What is fitted, when, and within which budgets: with the shipped gradients and a linear one."""

import dataclasses

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from facecloak.core import artifacts, bank, displacement
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Perturbation
from facecloak.core.types import Face, Frame, Reading, Sighting, Verdict
from facecloak.tailor import ascent
from facecloak.tailor.canvas import FINE_PX, Canvas
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.suit import SMOOTH_LEAST
from facecloak.tailor.tailor import GONE_S, LIVE, RESTING_S, GradientTailor, Pace
from facecloak.verify.crop import face_crop
from facecloak.verify.onnx_judge import OnnxClassifier
from tests.fakes.tailoring import FACE, Linear, grey, start
from tests.tailor.test_canvas import PLACE, picture


def test_beside_a_head_that_is_turned_nothing_is_fitted_and_nothing_walks_on():
    turned = Face(1, PLACE, sides=(0.35, 1.0))
    weights = Linear(np.ones((44, 44)), -1000.0)
    (fitted,) = GradientTailor(
        [weights], start(), pace=Pace(first_steps=10), from_scratch=True
    ).fit(grey(), [turned], [])
    assert not fitted.perturbation.static[:, :12].any()
    assert fitted.perturbation.static[24, 24] > 0

    one = GradientTailor([weights], start(), pace=Pace(first_steps=1, steps=1), from_scratch=True)
    one.fit(grey(), [FACE], [])
    beside = [
        made.perturbation.static[24, 8]
        for number in range(1, 60)
        for made in one.fit(grey(at_s=2.0 * number), [turned], [])
    ]
    assert 0.0 < beside[0] < 4.0 - 0.1
    assert 0.0 <= beside[-1] == beside[-8] <= beside[0]  # other cells may matter more


def test_against_a_linear_classifier_the_fit_is_the_optimum():
    """On a face without texture the most is the budget of smooth skin, against the weights."""
    weights = np.kron(np.where(np.indices((4, 4)).sum(0) % 2, 1.0, -1.0), np.ones((11, 11)))
    one = GradientTailor(
        [Linear(weights, 1.0)], start(), pace=Pace(first_steps=40), from_scratch=True
    )
    (fitted,) = one.fit(grey(), [FACE], [])
    pattern = fitted.perturbation.static
    most = 4.0
    assert np.abs(pattern).max() == pytest.approx(most)
    for row in (1, 2):  # the corners are outside of the face
        for column in (1, 2):
            middle = pattern[12 * row + 4 : 12 * row + 8, 12 * column + 4 : 12 * column + 8]
            wanted = most if (row + column) % 2 == 0 else -most  # away from what it reads
            np.testing.assert_allclose(middle, wanted, atol=1e-5)


def test_real_faces_are_led_astray_within_every_budget():
    shipped = bank.load(artifacts.perturbation("default"))
    models = [GradientModel(path) for path in artifacts.gradients()]
    one = GradientTailor(models, shipped, pace=Pace(first_steps=32), seed=1)
    (fitted,) = one.fit(picture(), [FACE], [])
    made = fitted.perturbation
    assert fitted.track == 1
    assert made.reach <= shipped.header.eps
    assert displacement.largest(made.displacement) <= shipped.header.shift * (1 + 1e-4)
    assert displacement.strain(made.displacement) <= shipped.header.strain * (1 + 1e-4)
    canvas = Canvas(face_crop(picture().image, PLACE, FINE_PX))
    pair = [np.rint(canvas.clean), canvas.paint(made.static, made.displacement)]
    for path in artifacts.models():
        judge = OnnxClassifier(path, "cpu")
        if judge.card.is_clip:
            continue
        clean, sent = judge.logits(np.stack(pair).astype(np.uint8))
        said = clean.argmax()
        before, after = (one[said] - np.delete(one, said).max() for one in (clean, sent))
        assert after < before - 0.5, judge.card.name  # of a broad smile, in half a second


def test_what_changes_with_time_stays_and_what_is_fitted_reaches_no_more_than_the_still_part_did():
    circle = np.full((2, 6, 6), 3.0, np.float32)
    first = Perturbation(start().header, np.full((12, 12), 1.0, np.float32), circle)
    one = GradientTailor([Linear(np.ones((44, 44)))], Bank.of(first), pace=Pace(first_steps=30))
    (fitted,) = one.fit(grey(), [FACE], [])
    made = fitted.perturbation
    assert (made.circle == circle).all()
    assert np.abs(made.static).max() <= 1.0 + 1e-6
    assert made.reach <= 4.0


def test_a_face_is_looked_at_now_and_then_and_less_often_once_it_is_enough():
    model = Linear(np.ones((44, 44)), bias=-1000.0)
    one = GradientTailor([model], start())
    every = [step * 0.1 for step in range(60)]
    times = [at_s for at_s in every if one.fit(grey(at_s=at_s), [FACE], [])]
    assert np.diff(times).min() >= LIVE.every_s - 1e-9
    eased = Linear(np.ones((44, 44)) * 1.0)
    eased.bias = -float((grey().image[0, 0, 0] / 255.0) * 44 * 44) - 0.5  # just on this side
    quick = GradientTailor([eased], start())
    fits = [at_s for at_s in every if quick.fit(grey(at_s=at_s), [FACE], [])]
    assert len(fits) < len(times)
    asked = eased.asked
    assert quick.fit(grey(at_s=every[-1] + RESTING_S), [FACE], []) == ()
    assert eased.asked == asked + 1  # it looks, and leaves it


def test_who_is_only_guessed_at_is_not_fitted_and_no_more_than_some_at_once():
    one = GradientTailor([Linear(np.ones((44, 44)), -1000.0)], start())
    guessed = dataclasses.replace(FACE, sighting=Sighting.PREDICTED)
    assert one.fit(grey(), [guessed], []) == ()
    crowd = [Face(track, PLACE) for track in range(5)]
    seen = [
        {fitted.track for fitted in one.fit(grey(at_s=at_s), crowd, [])} for at_s in (0.0, 0.1, 0.2)
    ]
    assert [len(tracks) for tracks in seen] == [2, 2, 1]
    assert set.union(*seen) == {0, 1, 2, 3, 4}


def test_who_is_gone_is_forgotten_and_a_clock_set_back_does_no_harm():
    one = GradientTailor([Linear(np.ones((44, 44)), -1000.0)], start())
    assert one.fit(grey(at_s=100.0), [FACE], [])
    assert one.fit(grey(at_s=3.0), [FACE], [])
    assert one.fit(grey(at_s=3.0 + GONE_S + 1.0), [Face(2, PLACE)], [])
    assert set(one._wearers) == {2}


def test_the_same_seed_fits_the_same():
    models = [GradientModel(path) for path in artifacts.gradients()]
    shipped = bank.load(artifacts.perturbation("default"))
    made = [
        one.perturbation
        for _ in range(2)
        for one in GradientTailor(models, shipped, pace=Pace(), seed=4).fit(picture(), [FACE], [])
    ]
    assert (made[0].static == made[1].static).all()
    assert (made[0].displacement == made[1].displacement).all()


def test_without_gradients_or_with_such_of_other_classes_there_is_no_tailor():
    with pytest.raises(ValueError, match="at least one gradient"):
        GradientTailor([], start())
    one, other = Linear(np.ones((44, 44))), Linear(np.ones((44, 44)))
    other.card = dataclasses.replace(other.card, labels=("a", "c"))
    with pytest.raises(ValueError, match="same classes"):
        GradientTailor([one, other], start())


def test_a_pattern_becomes_weaker_on_smooth_skin():
    """A face of which one half is smooth, and which is led astray far enough now and then."""
    rgb = astronaut()[0:200, 100:380].copy()
    rgb[:, :140] = 128
    frame = Frame(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), 0.0, 0)
    model = Linear(np.random.default_rng(0).normal(0, 1, (44, 44)))
    one = GradientTailor([model], start(), pace=Pace(first_steps=40))
    one.fit(frame, [FACE], [])
    for index in range(1, 10):
        one._wearers[1].suit.smooth = 0.6
        (fitted,) = one.fit(dataclasses.replace(frame, captured_s=2.0 * index), [FACE], [])
    rows = np.abs(fitted.perturbation.static)
    smooth, busy = rows[:, : rows.shape[1] // 3].max(), rows[:, rows.shape[1] // 2 :].max()
    assert smooth < 4.0 * 0.7 + 0.02  # a step more, as it is hardly led astray
    assert busy == pytest.approx(4.0)


def verdicts(label, at_s=0.0, by="Net"):
    """What a classifier read in the face."""
    return [Verdict(by, 1, at_s, Reading(label, 0.9), Reading("b", 0.5), fooled=True)]


def pair_of_members():
    """A bank that answers one label more, at the other end of its budget."""
    header = dataclasses.replace(start().header, format=5, answers=("happy",), selector="Net")
    levels = {"any": 1.0, "happy": -4.0}
    return Bank(header, {
        label: Perturbation(header, np.full((12, 12), level, np.float32))
        for label, level in levels.items()
    })  # fmt: skip


def test_each_expression_has_a_fit_of_its_own_that_begins_as_the_member_that_answers_it():
    one = GradientTailor(
        [Linear(np.ones((44, 44)), -1000.0)],
        pair_of_members(),
        pace=Pace(first_steps=1, steps=1),
    )
    (first,) = one.fit(grey(at_s=0.0), [FACE], verdicts("sad"))
    (second,) = one.fit(grey(at_s=0.01), [FACE], verdicts("happy", 0.01))  # new: at once
    assert one.fit(grey(at_s=0.02), [FACE], verdicts("happy", 0.02)) == ()
    (third,) = one.fit(grey(at_s=1.0), [FACE], verdicts("happy", 1.0, by="another"))
    assert third.answers == "any"
    assert (first.answers, second.answers) == ("any", "happy")
    assert first.perturbation.static.max() > 1.0
    assert second.perturbation.static.max() < -1.0
    assert set(one._wearers[1].suits) == {"any", "happy"}


def test_a_fit_goes_on_where_what_it_begins_with_leads():
    """Reads a; b is likelier than c as captured, but c as sent at first, so c it is to be."""

    class Three(Linear):
        def __init__(self):
            super().__init__(np.ones((44, 44)))
            self.card = dataclasses.replace(self.card, labels=("a", "b", "c"))
            self.rivals = []

        def pull(self, crops, labels, rivals=None):
            brighter = crops.mean(axis=(1, 2)) * 255.0 - 128.0
            logits = np.stack([0 * brighter + 9.0, 0 * brighter + 2.0, brighter + 1.0], axis=1)
            if rivals is not None:
                self.rivals.append(rivals)
            return logits.astype(np.float32), np.ones_like(crops)

    model = Three()
    GradientTailor([model], start()).fit(grey(), [FACE], [])
    assert model.rivals
    assert all((one == [[False, False, True]] * 2).all() for one in model.rivals)


def test_no_network_is_led_to_what_another_one_often_reads():
    """One reads a, the other b; both go to c, though a and b are likelier."""

    class Reads(Linear):
        def __init__(self, label):
            super().__init__(np.ones((44, 44)))
            self.card = dataclasses.replace(self.card, labels=("a", "b", "c", "d"))
            self.logits = np.array([5.0, 4.0, 3.0, 0.0], np.float32)
            self.logits["abcd".index(label)] += 3.0
            self.rivals = []

        def pull(self, crops, labels, rivals=None):
            if rivals is not None:
                self.rivals.append(rivals)
            return np.stack([self.logits, self.logits]), np.ones_like(crops)

    models = [Reads("a"), Reads("b")]
    GradientTailor(models, start()).fit(grey(), [FACE], [])
    for model in models:
        assert model.rivals
        assert all((one == [[False, False, True, False]] * 2).all() for one in model.rivals)


def test_smooth_skin_has_less_where_all_are_led_far_enough_and_more_where_few_are():
    far, never = Linear(np.ones((44, 44)), 0.0), Linear(np.ones((44, 44)) * 1e-3, -1000.0)
    far.pull = lambda crops, labels, rivals=None: (
        np.array([[9.0, 0.0], [0.0, 9.0]], np.float32), np.zeros_like(crops)
    )  # fmt: skip
    found = {}
    for name, model in (("far", far), ("never", never)):
        one = GradientTailor([model], start())
        for index in range(12):
            fitted = one.fit(grey(at_s=2.0 * index), [FACE], [])
            found[name] = fitted[0].perturbation.reach if fitted else found[name]
        assert (fitted == ()) is (name == "far")
    assert found["far"] == pytest.approx(4.0 * SMOOTH_LEAST, rel=0.02)
    assert found["never"] == pytest.approx(4.0, rel=0.02)


def test_what_was_fitted_before_comes_down_on_smooth_skin_too_and_then_nothing_changes():
    class Turning(Linear):
        """Led nowhere at first, and then far enough."""

        def pull(self, crops, labels, rivals=None):
            _, gradients = super().pull(crops, labels, rivals)
            lead = 9.0 if self.asked > 40 else -0.5
            return np.array([[9.0, 0.0], [0.0, lead]], np.float32), gradients

    one = GradientTailor([Turning(np.ones((44, 44)))], start())
    reaches = [
        fitted.perturbation.reach
        for index in range(40)
        for fitted in one.fit(grey(at_s=2.0 * index), [FACE], [])
    ]
    assert max(reaches) == pytest.approx(4.0, rel=0.05)
    assert reaches[-1] == pytest.approx(4.0 * SMOOTH_LEAST, rel=0.1)
    assert one.fit(grey(at_s=100.0), [FACE], []) == ()


def test_all_networks_are_asked_again_when_an_expression_comes_back():
    models = [Linear(np.ones((44, 44)), -1000.0) for _ in range(2)]
    one = GradientTailor(models, pair_of_members(), pace=Pace(first_steps=1, steps=1))
    for at_s, label in ((0.0, "sad"), (1.0, "happy"), (2.0, "sad")):
        one.fit(grey(at_s=at_s), [FACE], verdicts(label, at_s))
        assert one._wearers[1].suit.looks == (2 if at_s == 2.0 else 1)
        assert (one._wearers[1].suit.logits[:, 0, 0] > 0.0).all()
        one._wearers[1].suit.logits[:] = np.nan


def test_what_would_change_no_pixel_is_not_handed_out():
    tiny = start(eps=1.0)
    model = Linear(np.zeros((44, 44)), -1000.0)  # no way up
    one = GradientTailor([model], tiny, pace=Pace(first_steps=1), from_scratch=True)
    assert one.fit(grey(), [FACE], []) == ()


def test_every_step_asks_about_moments_that_were_moved(monkeypatch):
    seen = []
    monkeypatch.setattr(ascent, "strayed", lambda crop, _rng: seen.append(crop) or crop)
    model = Linear(np.ones((44, 44)), -1000.0)
    GradientTailor([model], start(), pace=Pace(first_steps=3)).fit(grey(), [FACE], [])
    assert [crop.shape for crop in seen] == [(FINE_PX, FINE_PX)] * 6  # two moments a step


def test_networks_are_asked_what_they_read_in_turns():
    class Far(Linear):
        def pull(self, crops, labels, rivals=None):
            super().pull(crops, labels, rivals)
            return np.array([[9.0, 0.0], [0.0, 9.0]], np.float32), np.zeros_like(crops)

    models = [Far(np.ones((44, 44))) for _ in range(3)]
    one = GradientTailor(models, start())
    asked = []
    for index in range(4):
        before = [model.asked for model in models]
        one.fit(grey(at_s=2.0 * index), [FACE], [])
        asked.append([model.asked - old for model, old in zip(models, before, strict=True)])
    assert asked == [[1, 1, 1], [0, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_what_may_be_lost_is_handed_out_again_though_it_is_enough():
    class Turning(Linear):
        """Led nowhere, and then far enough."""

        def read(self, crops):
            super().read(crops)
            return np.array([[9.0, 0.0], [0.0, 9.0 if self.asked > 20 else -0.5]], np.float32)

    one = GradientTailor([Turning(np.ones((44, 44)))], start())
    assert one.fit(grey(), [FACE], [])
    one.hand_out_again()
    assert one.fit(grey(at_s=0.1), [FACE], []) == ()  # not before it is looked at
    made = [one.fit(grey(at_s=2.0 * index), [FACE], []) for index in range(1, 30)]
    assert made[-1] == made[-2] == ()
    one.hand_out_again()
    (again,) = one.fit(grey(at_s=100.0), [FACE], [])
    assert again.perturbation.static.any()
    assert one.fit(grey(at_s=102.0), [FACE], []) == ()


def test_what_was_never_handed_out_is_not_lost():
    far = Linear(np.ones((44, 44)))
    far.read = lambda _crops: np.array([[9.0, 0.0], [0.0, 9.0]], np.float32)
    weak = Perturbation(start().header, np.full((12, 12), 1.0, np.float32))
    one = GradientTailor([far], Bank.of(weak))  # less than what smooth skin may have
    one.fit(grey(), [FACE], [])
    one.hand_out_again()
    assert one.fit(grey(at_s=2.0), [FACE], []) == ()


def test_another_strength_goes_on_and_another_perturbation_begins_anew():
    one = GradientTailor([Linear(np.ones((44, 44)), -1000.0)], start())
    assert one.fit(grey(at_s=0.0), [FACE], [])
    (suit,) = one._wearers[1].suits.values()
    one.begin_with(start(), 1.5)
    (fitted,) = one.fit(grey(at_s=1.0), [FACE], [])
    assert one._wearers[1].suits["any"] is suit
    assert fitted.perturbation.header.eps == 4.0
    one.begin_with(start(eps=3.0), 1.5)
    (fitted,) = one.fit(grey(at_s=1.1), [FACE], [])
    assert one._wearers[1].suits["any"] is not suit
    assert fitted.perturbation.reach <= fitted.perturbation.header.eps == 3.0


def test_a_slow_machine_fits_less():
    """Each look at the clock is a tenth of a second later."""
    ticks = iter(range(10_000))
    model = Linear(np.ones((44, 44)), -1000.0)
    one = GradientTailor(
        [model], start(), pace=Pace(first_steps=50, spend_s=0.45), clock=lambda: next(ticks) / 10
    )
    crowd = [Face(track, PLACE) for track in range(3)]
    (fitted,) = one.fit(grey(), crowd, [])
    assert fitted.track == 0
    assert one._wearers[0].suits["any"].steps == 5
    assert [one.track for one in one.fit(grey(at_s=0.1), crowd, [])] == [1]  # the next one's turn
