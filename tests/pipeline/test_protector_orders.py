"""Orders from other threads: protection off and on again, another cloak."""

import dataclasses
import logging
import threading

import numpy as np
import pytest

from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Output
from facecloak.pipeline.guard import GuardSettings
from facecloak.pipeline.jury import Case, Round, ThreadJury
from tests.fakes.assembly import protector
from tests.fakes.stages import (
    CLOAKED,
    RAW,
    SIZE,
    SLATE,
    FakeCloak,
    FakeFinder,
    FakeJudge,
    faces,
    mark,
    raw_frame,
    verdict,
)

NEW, NEWER = 110, 120
GUARD = GuardSettings(hold_s=0.4, proof_s=2.0)


class DeskJury:
    """A jury whose judge answers when a test says so, in any order; as late as it likes.

    Args:
        at_once: whether a case is judged when it is submitted, as a file's are.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self.at_once = at_once
        self.desk: list[Case] = []
        self._rounds: list[Round] = []

    def submit(self, case):
        self.desk.append(case)
        if self.at_once:
            self.answer()

    def answer(self, which=-1, *, fooled=True, complete=True):
        case = self.desk.pop(which)
        heard = tuple(verdict(one.track, fooled=fooled, at_s=case.at_s) for one in case.faces)
        self._rounds.append(Round(case.at_s, heard, complete, case.term))

    def rounds(self):
        rounds, self._rounds = tuple(self._rounds), []
        return rounds

    def close(self):
        self.desk.clear()


class Paint(FakeCloak):
    """Paints everything in one colour, so that a picture shows which cloak made it."""

    def __init__(self, colour):
        super().__init__(lambda frame: frame.with_image(np.full_like(frame.image, colour)))


def fail(error):
    raise error


def started(**parts):
    """A protector that has let one cloaked frame out at 0 s, and its jury, which now is late."""
    jury = DeskJury(at_once=True)
    subject = protector(jury=jury, guard=GUARD, **parts)
    assert subject.protect(raw_frame(0, 0.0)).output is Output.CLOAKED
    jury.at_once = False
    return subject, jury


def shows(subject, at_s):
    out = subject.protect(raw_frame(round(100 * at_s), at_s))
    return out.output, mark(out.frame)


# Off, and on again.


def test_protection_is_on_until_it_is_switched_off():
    subject = protector()
    assert subject.protecting
    subject.switch(on=False)
    assert not subject.protecting
    subject.switch(on=True)
    assert subject.protecting


@pytest.mark.warns_in_log
def test_while_off_every_picture_leaves_as_captured_and_no_stage_works():
    worked = []
    finder = FakeFinder(lambda frame: worked.append(frame.index) or faces(1))
    subject = protector(finder=finder)
    subject.switch(on=False)
    frame = raw_frame(4, 0.5)
    out = subject.protect(frame)
    assert (out.output, out.faces, out.verdicts) == (Output.OFF, Faces(), ())
    assert out.frame.image is frame.image
    assert (out.frame.index, out.frame.captured_s) == (4, 0.5)
    assert not worked
    assert subject.times.summary() == {}


@pytest.mark.warns_in_log
def test_off_is_told_as_a_warning_once_and_its_end_too(caplog):
    caplog.set_level(logging.INFO)
    subject = protector()
    for index, on in enumerate([True, False, False, True]):
        subject.switch(on=on)
        subject.protect(raw_frame(index, index / 10))
    told = [(r.levelname, r.getMessage()) for r in caplog.records if "output" in r.getMessage()]
    assert told == [
        ("INFO", "output: cloaked"),
        ("WARNING", "output: cloaked -> off after 0.1 s"),
        ("INFO", "output: off -> cloaked after 0.2 s"),
    ]


@pytest.mark.warns_in_log
def test_a_stand_in_while_off_is_the_shield_and_no_picture_from_before():
    subject, _ = started()
    subject.switch(on=False)
    before = subject.stand_in(SIZE, captured_s=0.1, index=0, now_s=0.1)
    subject.protect(raw_frame(2, 0.2))
    after = subject.stand_in(SIZE, captured_s=0.3, index=0, now_s=0.3)
    assert [(out.output, mark(out.frame)) for out in (before, after)] == [
        (Output.SHIELD, SLATE)
    ] * 2


@pytest.mark.warns_in_log
def test_a_file_is_cloaked_again_from_the_first_frame_it_is_judged_on():
    subject = protector()
    subject.switch(on=False)
    assert shows(subject, 0.0) == (Output.OFF, RAW)
    subject.switch(on=True)
    assert shows(subject, 0.1) == (Output.CLOAKED, CLOAKED)


@pytest.mark.warns_in_log
def test_on_again_is_the_shield_until_a_picture_cloaked_since_was_judged():
    subject, jury = started()
    assert shows(subject, 0.1) == (Output.CLOAKED, CLOAKED)
    subject.switch(on=False)
    assert shows(subject, 0.2) == (Output.OFF, RAW)
    subject.switch(on=True)
    assert shows(subject, 0.3) == (Output.SHIELD, SLATE)
    jury.answer(0)
    assert shows(subject, 0.4) == (Output.SHIELD, SLATE), "a round on a picture from before"
    jury.answer(0)
    assert shows(subject, 0.5) == (Output.CLOAKED, CLOAKED)


@pytest.mark.warns_in_log
def test_on_again_holds_no_picture_from_before():
    subject = protector(finder=FakeFinder(lambda frame: faces(1, missing=frame.index)))
    assert shows(subject, 0.0) == (Output.CLOAKED, CLOAKED)
    subject.switch(on=False)
    assert shows(subject, 0.1) == (Output.OFF, RAW)
    assert subject._held is None
    subject.switch(on=True)
    assert shows(subject, 0.2) == (Output.SHIELD, SLATE)


@pytest.mark.warns_in_log
def test_verdicts_from_before_are_not_told_after():
    subject, jury = started()
    shows(subject, 0.1)
    subject.switch(on=False)
    shows(subject, 0.2)
    subject.switch(on=True)
    jury.answer()
    assert subject.protect(raw_frame(3, 0.3)).verdicts == ()


@pytest.mark.warns_in_log
def test_the_wait_for_an_empty_room_begins_anew():
    nobody = FakeFinder(lambda _frame: Faces())
    subject = protector(finder=nobody, guard=GuardSettings(empty_room="pass", empty_after_s=3))
    assert [shows(subject, at_s)[0] for at_s in (0, 3)] == [Output.SHIELD, Output.UNTOUCHED]
    subject.switch(on=False)
    assert shows(subject, 4)[0] is Output.OFF
    subject.switch(on=True)
    outputs = [shows(subject, at_s)[0] for at_s in (5, 7.9, 8)]
    assert outputs == [Output.SHIELD, Output.SHIELD, Output.UNTOUCHED]


def test_off_and_on_between_two_frames_lets_nothing_out_but_forgets_all_the_same():
    subject, _ = started()
    subject.switch(on=False)
    subject.switch(on=True)
    assert shows(subject, 0.1) == (Output.SHIELD, SLATE)


def test_switching_on_what_is_on_changes_nothing():
    subject, _ = started()
    subject.switch(on=True)
    assert shows(subject, 0.1) == (Output.CLOAKED, CLOAKED)


@pytest.mark.warns_in_log
def test_an_order_given_twice_is_not_lost():
    subject, _ = started()
    for on, shown in ((False, Output.OFF), (True, Output.SHIELD)):
        subject.switch(on=on)
        subject.switch(on=on)
        assert shows(subject, 0.1)[0] is shown


@pytest.mark.parametrize("off_first", [True, False])
@pytest.mark.warns_in_log
def test_an_order_during_a_frame_takes_effect_with_the_next(off_first):
    subject = protector(finder=FakeFinder(lambda _: order() or faces(1)))

    def order():
        switching = threading.Thread(target=lambda: subject.switch(on=not subject.protecting))
        switching.start()
        switching.join()

    if off_first:
        subject.switch(on=False)
        assert shows(subject, 0.0)[0] is Output.OFF
        subject.switch(on=True)
    assert [shows(subject, at_s)[0] for at_s in (0.1, 0.2)] == [Output.CLOAKED, Output.OFF]


@pytest.mark.warns_in_log
def test_orders_from_many_threads_let_nothing_raw_out_under_another_name():
    judge = FakeJudge()
    judge.judge = lambda _clean, _cloaked, found: tuple(verdict(one.track) for one in found)
    subject = protector(judge=judge, guard=GUARD)
    done = threading.Event()

    def order(colour):
        while not done.wait(0.0005):
            subject.renew(Paint(colour))
            subject.switch(on=not subject.protecting)

    threads = [threading.Thread(target=order, args=(colour,)) for colour in (NEW, NEWER)]
    for thread in threads:
        thread.start()
    kinds = {shows(subject, index / 100) for index in range(300)}
    done.set()
    for thread in threads:
        thread.join()
    assert {output for output, colour in kinds if colour == RAW} <= {Output.OFF}
    subject.switch(on=True)
    assert shows(subject, 9.0)[0] is Output.CLOAKED


# Another cloak.


def test_the_old_cloak_goes_on_until_the_new_one_is_proven():
    subject, jury = started()
    subject.renew(Paint(NEW))
    assert [shows(subject, at_s) for at_s in (0.1, 0.2)] == [(Output.CLOAKED, CLOAKED)] * 2
    assert (jury.desk[-1].cloaked.image == NEW).all(), "what is judged is made by the new one"
    jury.answer()
    assert shows(subject, 0.3) == (Output.CLOAKED, NEW)


def test_in_a_file_the_new_cloak_is_used_at_once():
    subject = protector(judge=SilentJudge())
    assert shows(subject, 0.0) == (Output.CLOAKED, CLOAKED)
    subject.renew(Paint(NEW))
    assert shows(subject, 0.1) == (Output.CLOAKED, NEW)


class SilentJudge(FakeJudge):
    """Does not look at colours."""

    def judge(self, clean, cloaked, faces):
        return tuple(verdict(one.track, at_s=clean.captured_s) for one in faces)


def test_the_old_cloaks_proof_does_not_vouch_for_the_new_one():
    subject, jury = started()
    shows(subject, 0.1)
    subject.renew(Paint(NEW))
    shows(subject, 0.2)
    jury.answer()
    assert shows(subject, 0.3) == (Output.CLOAKED, NEW)
    jury.answer(0)
    assert [shows(subject, at_s)[0] for at_s in (2.2, 2.3)] == [Output.CLOAKED, Output.HELD]


def test_a_late_round_on_the_old_cloak_proves_nothing_for_the_new_one():
    subject, jury = started()
    shows(subject, 1.0)
    subject.renew(Paint(NEW))
    shows(subject, 1.1)
    jury.answer()
    assert shows(subject, 3.0) == (Output.CLOAKED, NEW)
    (old,) = [number for number, case in enumerate(jury.desk) if case.at_s == 1.0]
    jury.desk[old] = dataclasses.replace(jury.desk[old], at_s=3.1)
    jury.answer(old)
    out = subject.protect(raw_frame(9, 3.2))
    assert (out.output, mark(out.frame), out.verdicts) == (Output.HELD, NEW, ())


def test_an_incomplete_round_does_not_bring_the_new_cloak():
    subject, jury = started()
    subject.renew(Paint(NEW))
    shows(subject, 0.1)
    jury.answer(complete=False)
    assert shows(subject, 0.2) == (Output.CLOAKED, CLOAKED)


def test_where_the_new_cloak_is_never_judged_the_old_ones_proof_runs_out():
    subject, _ = started()
    subject.renew(Paint(NEW))
    seen = [shows(subject, at_s) for at_s in (2.0, 2.1, 2.5)]
    assert seen == [(Output.CLOAKED, CLOAKED), (Output.HELD, CLOAKED), (Output.SHIELD, SLATE)]


def test_a_picture_of_the_old_cloak_is_held_after_the_new_one_came():
    misses = {20}
    subject, jury = started(finder=FakeFinder(lambda f: faces(1, missing=f.index in misses)))
    subject.renew(Paint(NEW))
    shows(subject, 0.1)
    jury.answer()
    assert shows(subject, 0.2) == (Output.HELD, CLOAKED)
    assert shows(subject, 0.3) == (Output.CLOAKED, NEW)


def test_of_many_new_cloaks_the_first_is_tried_and_then_the_newest():
    subject, jury = started()
    for index in range(20):
        subject.renew(Paint(NEW if index == 0 else NEWER - 20 + index))
        assert shows(subject, 0.01 * (index + 1)) == (Output.CLOAKED, CLOAKED)
    jury.answer()
    assert shows(subject, 0.3) == (Output.CLOAKED, NEW)
    assert shows(subject, 0.4) == (Output.CLOAKED, NEW)
    jury.answer()
    assert shows(subject, 0.5) == (Output.CLOAKED, NEWER - 1)


@pytest.mark.warns_in_log
def test_a_new_cloak_that_fails_shields_and_the_next_one_replaces_it():
    subject, jury = started()
    subject.renew(FakeCloak(lambda _frame: fail(ValueError())))
    assert [shows(subject, at_s)[0] for at_s in (0.1, 0.5)] == [Output.HELD, Output.SHIELD]
    subject.renew(Paint(NEW))
    assert shows(subject, 0.6) == (Output.CLOAKED, CLOAKED)
    jury.answer()
    assert shows(subject, 0.7) == (Output.CLOAKED, NEW)


@pytest.mark.warns_in_log
def test_a_cloak_ordered_while_off_is_the_one_that_is_used_when_on_again():
    subject, jury = started()
    subject.switch(on=False)
    shows(subject, 0.1)
    for colour in (NEW, NEWER):
        subject.renew(Paint(colour))
        shows(subject, 0.2)
    subject.switch(on=True)
    assert shows(subject, 0.3) == (Output.SHIELD, SLATE)
    jury.answer()
    assert shows(subject, 0.4) == (Output.CLOAKED, NEWER)


def test_a_cloak_on_trial_is_the_one_that_is_used_when_on_again():
    subject, jury = started()
    subject.renew(Paint(NEW))
    shows(subject, 0.1)
    subject.switch(on=False)
    subject.switch(on=True)
    shows(subject, 0.2)
    jury.answer()
    assert shows(subject, 0.3) == (Output.CLOAKED, NEW)


def test_the_verdicts_on_the_old_cloak_do_not_count_where_unfooled_is_hidden():
    jury = DeskJury()
    subject = protector(jury=jury, guard=GuardSettings(unfooled="shield"))
    shows(subject, 0.0)
    jury.answer()
    assert shows(subject, 0.1) == (Output.CLOAKED, CLOAKED)
    subject.renew(Paint(NEW))
    shows(subject, 0.2)
    jury.answer(fooled=False)
    assert shows(subject, 0.3) == (Output.SHIELD, SLATE)


def test_a_jury_with_a_thread_proves_the_new_cloak_by_a_picture_of_its_own():
    judge, judged = FakeJudge(), threading.Event()

    def look(clean, cloaked, found):
        if (cloaked.image == NEW).all():
            judged.set()
        return tuple(verdict(one.track, at_s=clean.captured_s) for one in found)

    judge.judge = look
    subject = protector(jury=ThreadJury(judge, StageTimes(), every_s=0), guard=GUARD)
    subject.renew(Paint(NEW))
    shows(subject, 0.0)
    assert judged.wait(1)
    pause = threading.Event()
    seen = [shows(subject, 0.01)]
    while seen[-1][1] == SLATE and len(seen) < 200:
        pause.wait(0.005)
        seen.append(shows(subject, 0.01))
    assert seen[-1] == (Output.CLOAKED, NEW)
    subject.close()
