"""Orders from other threads: protection off, and on again."""

import logging
import threading

import pytest

from facecloak.core.types import Faces, Output
from facecloak.pipeline.guard import GuardSettings
from tests.fakes.assembly import protector
from tests.fakes.desk import GUARD, NEW, NEWER, Paint, shows, started
from tests.fakes.stages import (
    CLOAKED,
    RAW,
    SIZE,
    SLATE,
    FakeFinder,
    FakeJudge,
    faces,
    mark,
    raw_frame,
    verdict,
)

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
