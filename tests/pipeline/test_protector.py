"""One frame after the other through fakes; the mark of a raw picture must never come out."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core.errors import DegenerateFace
from facecloak.core.types import Faces, Output
from facecloak.pipeline.guard import GuardSettings
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
)

GUARD = GuardSettings(hold_s=0.4, proof_s=2.0)


def fail(error):
    raise error


def from_second_frame(step):
    """The regular thing for frame 0, ``step(frame)`` from then on."""
    return lambda frame: step(frame) if frame.index else None


@pytest.mark.parametrize(("count", "shown"), [(1, CLOAKED), (3, CLOAKED), (0, SLATE)])
def test_the_first_frame_of_a_file_is_cloaked_and_an_empty_one_shielded(count, shown):
    out = protector(finder=FakeFinder(lambda _frame: faces(count))).protect(raw_frame())
    assert mark(out.frame) == shown
    assert len(out.faces.found) == len(out.verdicts) == count


def test_an_empty_room_is_shown_only_where_asked_for():
    nobody = FakeFinder(lambda _frame: Faces())
    open_room = protector(finder=nobody, guard=GuardSettings(empty_room="pass", empty_after_s=0))
    assert open_room.protect(raw_frame()).output is Output.UNTOUCHED


FAULTS = [
    pytest.param({"finder": FakeFinder(lambda f: fail(RuntimeError()) if f.index else faces(1))},
                 id="the finder raises"),
    pytest.param({"finder": FakeFinder(lambda f: faces(1, missing=f.index))},
                 id="a face is missed"),
    pytest.param({"cloak": FakeCloak(from_second_frame(lambda _: fail(DegenerateFace("it"))))},
                 id="the cloak raises"),
    pytest.param({"cloak": FakeCloak(from_second_frame(lambda f: f))},
                 id="the cloak returns the frame"),
    pytest.param({"cloak": FakeCloak(from_second_frame(lambda f: f.with_image(f.image[::-1])))},
                 id="the cloak returns a view of the picture"),
    pytest.param({"cloak": FakeCloak(from_second_frame(lambda _: raw_frame(size=(4, 4))))},
                 id="the cloak returns another size"),
]  # fmt: skip


@pytest.mark.warns_in_log
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_holds_then_shields(fault):
    protect = protector(guard=GUARD, **fault).protect
    marks = [mark(protect(raw_frame(index, index / 5)).frame) for index in range(4)]
    assert marks == [CLOAKED, CLOAKED, CLOAKED, SLATE]


def test_a_judge_that_dies_lets_the_proof_run_out():
    judge = FakeJudge()
    subject = protector(judge=judge, guard=GuardSettings(hold_s=0.4, proof_s=1.0))
    subject.protect(raw_frame(0, 0.0))
    judge.judge = lambda *_: ()
    outputs = [subject.protect(raw_frame(i, i / 4)).output for i in range(1, 7)]
    cloaked, held, shield = Output.CLOAKED, Output.HELD, Output.SHIELD
    assert outputs == [cloaked] * 4 + [held] + [shield]


def test_a_held_frame_has_the_time_and_index_of_the_present_one():
    subject = protector(finder=FakeFinder(lambda frame: faces(1, missing=frame.index)))
    subject.protect(raw_frame(0, 0.0))
    held = subject.protect(raw_frame(1, 0.25))
    assert held.output is Output.HELD
    assert (held.frame.index, held.frame.captured_s) == (1, 0.25)


def test_a_held_frame_is_dropped_when_the_size_changes():
    subject = protector(finder=FakeFinder(lambda frame: faces(1, missing=frame.index)))
    subject.protect(raw_frame(0, 0.0))
    other = subject.protect(raw_frame(1, 0.1, size=(4, 4)))
    back = subject.protect(raw_frame(2, 0.2))
    assert [mark(other.frame), mark(back.frame)] == [SLATE, SLATE]
    assert other.frame.image.shape == (4, 4, 3)


def test_stand_ins_hold_then_shield_and_never_pass():
    subject = protector(guard=GuardSettings(hold_s=0.4, empty_room="pass", empty_after_s=0))
    subject.protect(raw_frame(3, 0.0))
    shown = [
        subject.stand_in(SIZE, captured_s=now_s, index=3, now_s=now_s).output
        for now_s in (0.1, 0.4, 0.5, 9.0)
    ]
    assert shown == [Output.HELD, Output.HELD, Output.SHIELD, Output.SHIELD]


def test_a_stand_in_of_another_size_is_a_slate():
    subject = protector()
    subject.protect(raw_frame())
    out = subject.stand_in((4, 2), captured_s=1.0, index=3, now_s=0.1)
    assert out.output is Output.SHIELD
    assert (mark(out.frame), out.frame.image.shape) == (SLATE, (2, 4, 3))


def test_closing_forgets_the_held_picture():
    subject = protector()
    subject.protect(raw_frame())
    subject.close()
    out = subject.stand_in(SIZE, captured_s=1.0, index=3, now_s=0.1)
    assert mark(out.frame) == SLATE


def test_a_round_that_leaves_out_a_face_is_no_proof():
    judge = FakeJudge()
    judge_all = judge.judge
    judge.judge = lambda *case: judge_all(*case)[:1]
    out = protector(judge=judge, finder=FakeFinder(lambda _: faces(2))).protect(raw_frame())
    assert (out.output, len(out.verdicts)) == (Output.SHIELD, 1)


@pytest.mark.warns_in_log
def test_a_failing_stage_is_told_when_it_changes_and_without_its_text(caplog):
    caplog.set_level(logging.INFO)
    finder = FakeFinder(lambda f: fail(ValueError("at 0.3, 0.7")) if 0 < f.index < 9 else faces(1))
    subject = protector(finder=finder, guard=GUARD)
    for index in range(11):
        subject.protect(raw_frame(index, index / 10))
    assert [m for m in caplog.messages if m.startswith("stages")] == [
        "stages: working -> failing (ValueError) after 0.1 s",
        "stages: failing (ValueError) -> working after 0.8 s",
    ]
    assert "0.3, 0.7" not in caplog.text


def test_the_guard_may_be_asked_by_another_clock_than_the_frames():
    subject = protector(guard=GUARD)
    subject.protect(raw_frame(0, 1000.0), now_s=0.0)
    assert subject.stand_in(SIZE, captured_s=0, index=0, now_s=0.1).output is Output.HELD


moments = st.tuples(
    st.floats(0, 1),
    st.sampled_from(["one", "two", "none", "missing", "raises"]),
    st.sampled_from(["works", "raises", "same", "view", "size"]),
    st.sampled_from(["judges", "silent", "raises"]),
    st.sampled_from([SIZE, (4, 4)]),
)
SEES = {"one": faces(1), "two": faces(2), "none": faces(0), "missing": faces(1, missing=1)}
DOES = {
    "works": lambda _frame: None,
    "same": lambda frame: frame,
    "view": lambda frame: frame.with_image(frame.image[:]),
    "size": lambda _frame: raw_frame(size=(2, 2)),
    "raises": lambda _frame: fail(ValueError()),
}


@pytest.mark.warns_in_log
@given(st.lists(moments, max_size=30))
def test_no_order_of_faults_lets_a_raw_picture_out(story):
    at = {}
    judge = FakeJudge()
    judge_well = judge.judge
    subject = protector(
        finder=FakeFinder(lambda _: SEES.get(at["finder"]) or fail(LookupError())),
        cloak=FakeCloak(lambda frame: at["cloak"](frame)),  # noqa: PLW0108 - looked up at each call
        judge=judge,
        guard=GuardSettings(proof_s=1.0),
    )
    judging = {
        "judges": judge_well,
        "silent": lambda *_: (),
        "raises": lambda *_: fail(RuntimeError()),
    }
    now_s = 0.0
    for index, (passed_s, sees, does, judges, size) in enumerate(story):
        now_s += passed_s
        at |= {"finder": sees, "cloak": DOES[does]}
        judge.judge = judging[judges]
        out = subject.protect(raw_frame(index, now_s, size))
        shown = mark(out.frame)
        assert shown != RAW
        assert (shown == SLATE) == (out.output is Output.SHIELD)
        assert out.frame.image.shape[1::-1] == size
        assert (out.frame.index, out.frame.captured_s) == (index, now_s)
        if out.output is Output.CLOAKED:
            assert (sees, does) in {("one", "works"), ("two", "works")}
            assert judges != "raises"
