"""Stories of a bank: the protector passes on what the judges read, and the pattern follows."""

from dataclasses import replace

import numpy as np
import pytest

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.cloak.selector import FADE_S
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Fitted, Frame, Output, Reading, Verdict
from facecloak.pipeline.guard import GuardSettings
from facecloak.pipeline.jury import InlineJury, Round
from tests.cloak.test_opencv_cloak import face_at
from tests.fakes.assembly import protector
from tests.fakes.desk import DeskJury, fail, shows, started
from tests.fakes.stages import FakeCloak, FakeFinder, FakeJudge, verdict

HEADER = Header(
    eps=8.0,
    method="t",
    seed=0,
    datasets=(),
    victims=(),
    format=5,
    answers=("happy", "sad"),
    selector="Net",
)
LEVELS = {"any": 2, "happy": 6, "sad": -6}
LEFT, RIGHT = face_at(50, 60, 80, track=1), face_at(150, 60, 80, track=2)


def painted(levels):
    return Bank(
        HEADER,
        {
            label: Perturbation(HEADER, np.full((2, 2), level, np.float32))
            for label, level in levels.items()
        },
    )


class Reader(FakeJudge):
    """Reads on each face what ``says`` gives for its track, as the classifier ``name``."""

    def __init__(self, says, name="Net"):
        super().__init__()
        self.says, self.name = says, name

    def judge(self, clean, _cloaked, faces):
        return tuple(
            Verdict(
                self.name,
                one.track,
                clean.captured_s,
                Reading(self.says[one.track], 0.9),
                Reading("neutral", 0.6),
                True,
            )
            for one in faces
        )


def film(found, judge, **parts):
    """A protector of these faces, and what it adds in their middles at a time, by track."""
    cloak = parts.pop("cloak", None) or OpenCvCloak(painted(LEVELS))
    subject = protector(
        finder=FakeFinder(lambda _frame: Faces(tuple(found))), cloak=cloak, judge=judge, **parts
    )

    def added(at_s):
        frame = Frame(np.full((120, 200, 3), 128, np.uint8), at_s, round(30 * at_s))
        out = subject.protect(frame)
        assert out.output is Output.CLOAKED
        return {one.track: int(out.frame.image[60, 50 if one is LEFT else 150, 0]) - 128
                for one in found}  # fmt: skip

    return subject, added


def test_a_new_expression_brings_its_member_within_the_fade_and_no_step_is_large():
    says = {1: "happy"}
    _, added = film([LEFT], Reader(says))
    first = [added(index / 30)[1] for index in range(60)]
    assert first[0] == LEVELS["any"], "nothing was read before the first frame"
    assert first[round(30 * FADE_S) + 1 :] == [LEVELS["happy"]] * (59 - round(30 * FADE_S))
    says[1] = "sad"
    then = [added(2 + index / 30)[1] for index in range(60)]
    assert then[0] == LEVELS["happy"]
    assert then[40:] == [LEVELS["sad"]] * 20
    assert np.abs(np.diff([*first, *then])).max() <= 2, "12 levels in 7 frames"


def test_a_label_without_a_member_goes_back_to_the_one_for_every_face():
    says = {1: "happy"}
    _, added = film([LEFT], Reader(says))
    shown = [added(index / 30)[1] for index in range(60)]
    says[1] = "surprised"
    shown += [added(2 + index / 30)[1] for index in range(60)]
    assert (shown[59], shown[-1]) == (LEVELS["happy"], LEVELS["any"])


def test_without_the_selector_among_the_judges_every_face_gets_the_same():
    _, added = film([LEFT, RIGHT], Reader({1: "happy", 2: "sad"}, name="Other"))
    for index in range(60):
        assert set(added(index / 30).values()) == {LEVELS["any"]}


def test_two_faces_with_two_expressions_get_two_members():
    _, added = film([LEFT, RIGHT], Reader({1: "happy", 2: "sad"}))
    for index in range(60):
        shown = added(index / 30)
    assert shown == {1: LEVELS["happy"], 2: LEVELS["sad"]}


def test_readings_that_change_in_every_frame_do_not_make_the_pattern_flip():
    says = {1: "happy"}
    _, added = film([LEFT], Reader(says))
    for index in range(30):
        added(index / 30)
    for index in range(30, 120):
        says[1] = ("sad", "happy")[index % 2]
        assert added(index / 30)[1] == LEVELS["happy"]


def test_a_new_strength_goes_on_with_the_member_that_a_face_has():
    """The judges fall silent with the change; the new cloak knows the face from the old one."""
    says = {1: "happy"}
    subject, added = film([LEFT], Reader(says))
    for index in range(60):
        added(index / 30)
    subject.renew(OpenCvCloak(painted(LEVELS), 0.5))
    assert added(2.0)[1] == LEVELS["happy"] / 2


def test_a_new_cloak_in_the_middle_of_a_fade_goes_on_with_it():
    says = {1: "happy"}
    subject, added = film([LEFT], Reader(says))
    for index in range(8):
        before = added(index / 30)[1]
    subject.renew(OpenCvCloak(painted(LEVELS)))
    assert 0 <= added(8 / 30)[1] - before <= 1


def test_another_bank_takes_the_labels_that_it_knows():
    subject, added = film([LEFT, RIGHT], Reader({1: "happy", 2: "sad"}))
    for index in range(60):
        added(index / 30)
    header = Header(
        eps=8.0, method="t", seed=0, datasets=(), victims=(), format=5, answers=("sad",),
        selector="Net",
    )  # fmt: skip
    flat = {"any": 3, "sad": 5}
    subject.renew(
        OpenCvCloak(
            Bank(
                header,
                {
                    name: Perturbation(header, np.full((2, 2), level, np.float32))
                    for name, level in flat.items()
                },
            )
        )
    )
    assert added(2.0) == {1: 3, 2: 5}


# What the protector owes to any cloak.


def test_verdicts_go_to_the_cloak_in_force_and_to_the_one_on_trial():
    old, new = FakeCloak(), FakeCloak()
    subject, jury = started(cloak=old)
    subject.renew(new)
    shows(subject, 0.1)
    jury.answer(complete=False)
    shows(subject, 0.2)
    assert [len(old.heard), len(new.heard)] == [2, 1]
    jury.answer()
    shows(subject, 0.3)
    assert [len(old.heard), len(new.heard)] == [2, 2], "the old one is gone"


def test_a_new_cloak_follows_the_one_in_force_once_and_before_it_cloaks():
    followed = []

    class Follower(FakeCloak):
        def follow(self, former):
            assert not self.applied
            followed.append((self, former))

        def __init__(self):
            super().__init__(lambda _frame: setattr(self, "applied", True))
            self.applied = False

    old, new, newer = Follower(), Follower(), Follower()
    subject, jury = started(cloak=old)
    subject.renew(new)
    shows(subject, 0.1)
    jury.answer()
    shows(subject, 0.2)
    subject.renew(newer)
    shows(subject, 0.3)
    assert followed == [(new, old), (newer, new)]


@pytest.mark.warns_in_log
def test_no_cloak_hears_anything_while_protection_is_off():
    cloak = FakeCloak()
    subject, jury = started(cloak=cloak)
    shows(subject, 0.1)
    jury.answer()
    subject.switch(on=False)
    shows(subject, 0.2)
    assert len(cloak.heard) == 1


@pytest.mark.warns_in_log
@pytest.mark.parametrize("method", ["hear", "follow"])
def test_a_cloak_that_fails_over_what_it_is_told_holds_and_then_shields(method):
    jury = DeskJury(at_once=True)
    cloak = FakeCloak()
    subject = protector(jury=jury, cloak=cloak, guard=GuardSettings(hold_s=0.4, proof_s=2.0))
    assert shows(subject, 0.0)[0] is Output.CLOAKED
    broken = FakeCloak()
    setattr(broken if method == "follow" else cloak, method, lambda _told: fail(KeyError("track")))
    if method == "follow":
        jury.submit = lambda _case: None
        outputs = []
        for at_s in (0.1, 0.4, 0.5):
            subject.renew(broken)
            outputs.append(shows(subject, at_s)[0])
    else:
        outputs = [shows(subject, at_s)[0] for at_s in (0.1, 0.4, 0.5)]
    assert outputs == [Output.HELD, Output.HELD, Output.SHIELD]


@pytest.mark.warns_in_log
def test_a_cloak_that_fails_to_hear_while_no_picture_comes_does_not_end_the_run():
    cloak = FakeCloak()
    subject, jury = started(cloak=cloak)
    shows(subject, 0.1)
    jury.answer()
    cloak.hear = lambda _verdicts: fail(ValueError())
    held = subject.stand_in((8, 6), captured_s=0.2, index=3, now_s=0.2)
    assert held.output is Output.HELD
    del cloak.hear
    assert shows(subject, 0.3)[0] is Output.CLOAKED


def test_readings_of_a_cloak_that_was_replaced_are_not_passed_on():
    """As they are no proof either: their term is over."""
    cloak = FakeCloak()
    subject, jury = started(cloak=cloak)
    for term in (-1, 0):
        jury._rounds.append(Round(0.1, (verdict(track=9 + term),), True, term))
    shows(subject, 0.2)
    assert [one.track for one in cloak.heard] == [0, 9]


# What is made to measure.


def test_what_is_made_to_measure_goes_to_the_cloak_in_force_and_to_the_one_on_trial():
    old, new = FakeCloak(), FakeCloak()
    subject, jury = started(cloak=old)
    subject.renew(new)
    shows(subject, 0.1)
    jury._rounds.append(Round(0.1, (), False, jury.desk[-1].term, ("a fit",)))
    shows(subject, 0.2)
    assert (old.worn, new.worn) == (["a fit"], ["a fit"])
    jury._rounds.append(Round(0.1, (), False, 99, ("of another term",)))
    shows(subject, 0.3)
    assert (old.worn, new.worn) == (["a fit"], ["a fit"])


def test_what_is_made_to_measure_is_no_proof():
    jury = DeskJury()
    subject = protector(jury=jury, guard=GuardSettings(hold_s=0.0, proof_s=1.0))
    for index in range(9):
        jury._rounds.append(Round(index / 10, (), False, 0, ("a fit",)))
        assert shows(subject, index / 10)[0] is Output.SHIELD


def test_a_face_fades_to_what_was_made_for_it_in_the_pipeline():
    class Fits:
        def fit(self, clean, faces, _verdicts):
            if clean.index != 30:
                return ()
            own = Perturbation(replace(HEADER, format=4, answers=(), selector=""),
                               np.full((2, 2), -5, np.float32))  # fmt: skip
            return tuple(Fitted(one.track, own, "happy") for one in faces if one.track == 1)

        def hand_out_again(self):
            """What was handed out arrived."""

    judge = Reader({1: "happy", 2: "sad"})
    jury = InlineJury(judge, StageTimes(), tailor=Fits())
    _, added = film([LEFT, RIGHT], judge, jury=jury)
    shown = [added(index / 30) for index in range(70)]
    assert shown[30] == {1: LEVELS["happy"], 2: LEVELS["sad"]}
    assert shown[-1] == {1: -5, 2: LEVELS["sad"]}
    assert max(abs(step) for step in np.diff([one[1] for one in shown])) <= 2
