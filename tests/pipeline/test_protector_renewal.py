"""Orders from other threads: another cloak, which has to prove itself first."""

import dataclasses
import threading

import pytest

from facecloak.core.stats import StageTimes
from facecloak.core.types import Output
from facecloak.pipeline.guard import GuardSettings
from facecloak.pipeline.jury import ThreadJury
from tests.fakes.assembly import protector
from tests.fakes.desk import GUARD, NEW, NEWER, DeskJury, Paint, fail, shows, started
from tests.fakes.stages import (
    CLOAKED,
    SLATE,
    FakeCloak,
    FakeFinder,
    FakeJudge,
    faces,
    mark,
    raw_frame,
    verdict,
)

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
