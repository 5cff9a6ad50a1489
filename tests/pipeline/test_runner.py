"""Whole runs with faults: no raw picture reaches the sink, everything closes, every thread ends."""

import itertools
import math
import threading

import numpy as np
import pytest

from facecloak.cloak.selector import FADE_S
from facecloak.core.errors import FaceCloakError, SinkUnavailable, SourceLost, SourceUnavailable
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Output
from facecloak.pipeline.guard import GuardSettings
from facecloak.pipeline.jury import ThreadJury
from facecloak.pipeline.live import Limits
from facecloak.pipeline.runner import REHEARSED_S, run_file, run_live
from tests.fakes.assembly import protector
from tests.fakes.stages import (
    CLOAKED,
    RAW,
    SIZE,
    SLATE,
    FakeCloak,
    FakeFinder,
    FakeJudge,
    FakeSink,
    ScriptedSource,
    faces,
    mark,
    raw_frame,
)

HASTY = Limits(stall_s=0.02, lost_after_s=0.04, start_s=0.05)
GUARD = GuardSettings(hold_s=0.0)


def clip(count, first=0, size=SIZE):
    return [raw_frame(index, index / 30, size) for index in range(first, first + count)]


def live(source, sink, subject=None, *, limits=HASTY, stop=None, observe=None):
    return run_live(
        source,
        sink.open,
        subject or protector(guard=GUARD),
        stop=stop or threading.Event(),
        limits=limits,
        observe=observe and (lambda clean, out: clean and observe(clean, out)),
    )


def assert_safe(source, sink):
    assert RAW not in sink.marks
    assert source.closed
    assert sink.closed


# A file: every picture, in order.


def test_a_file_is_protected_picture_by_picture():
    source, sink, done, seen = ScriptedSource(clip(5), live=False), FakeSink(), [], []
    report = run_file(
        source,
        sink.open,
        protector(),
        progress=done.append,
        observe=lambda clean, out: seen.append((clean.index, out.frame.index)),
    )
    assert_safe(source, sink)
    assert sink.marks == [CLOAKED] * 5
    assert [frame.index for frame in sink.frames] == [0, 1, 2, 3, 4]
    assert done == [1, 2, 3, 4, 5]
    assert seen == [(index, index) for index in range(5)]
    assert sink.opened_with == (SIZE, 200.0)
    assert sink.left_by is None
    assert (report.frames_in, report.frames_out, report.dropped, report.faces) == (5, 5, 0, 1)
    assert report.outputs == {"cloaked": 5, "held": 0, "shield": 0, "untouched": 0, "off": 0}
    assert (report.classifiers["net"].judged, report.classifiers["net"].rate) == (5, 1.0)
    assert set(report.stages) == {"find", "cloak", "judge", "sink", "added"}


def test_a_file_can_be_protected_in_part():
    source, sink = ScriptedSource(clip(5), live=False), FakeSink()
    assert run_file(source, sink.open, protector(), frames=2).frames_out == 2


def test_rehearsals_show_the_stages_the_first_picture_before_and_unseen():
    source, sink, judge, seen = ScriptedSource(clip(3), live=False), FakeSink(), FakeJudge(), []
    cloak = FakeCloak(lambda frame: seen.append((frame.index, frame.captured_s)))
    subject = protector(judge=judge, cloak=cloak)
    report = run_file(source, sink.open, subject, rehearsals=2)
    first_s = seen[2][1]
    assert seen[:2] == [(0, first_s - 2 * REHEARSED_S), (0, first_s - REHEARSED_S)]
    assert judge.judged == [0, 0, 0, 1, 2]
    assert [frame.index for frame in sink.frames] == [0, 1, 2]
    assert (report.frames_in, report.frames_out) == (3, 3)
    assert report.classifiers["net"].judged == 3


def test_rehearsals_do_not_count_towards_an_empty_room():
    """A face that the finder misses at first would go out as captured with the first picture."""
    source, sink = ScriptedSource(clip(5), live=False), FakeSink()
    nobody = FakeFinder(lambda _frame: Faces())
    wait = GuardSettings(empty_room="pass", empty_after_s=2.5 / 30)
    subject = protector(finder=nobody, guard=wait)
    outputs = []
    run_file(
        source,
        sink.open,
        subject,
        rehearsals=4,
        observe=lambda _frame, protected: outputs.append(protected.output),
    )
    assert outputs == [Output.SHIELD] * 3 + [Output.UNTOUCHED] * 2


def test_a_rehearsal_is_longer_than_any_fade():
    assert REHEARSED_S > FADE_S


def test_an_empty_file_is_a_report_of_nothing():
    source, sink = ScriptedSource([], live=False), FakeSink()
    report = run_file(source, sink.open, protector())
    assert (report.frames_in, report.stages) == (0, {})


@pytest.mark.parametrize(
    ("script", "failing_sink", "error"),
    [
        ([*clip(2), SourceLost("The file is cut off.")], FakeSink(), SourceLost),
        ([*clip(2), None], FakeSink(), SourceLost),
        (clip(3), FakeSink(fails_with=SinkUnavailable("Full."), fails_after=1), SinkUnavailable),
    ],
)
def test_what_breaks_a_file_leaves_the_sink_by_an_exception(script, failing_sink, error):
    source = ScriptedSource(script, live=False)
    with pytest.raises(error):
        run_file(source, failing_sink.open, protector())
    assert_safe(source, failing_sink)
    assert failing_sink.left_by is error


# A camera: the newest picture, and a stand-in where there is none.


def test_a_camera_that_ends_ends_the_run():
    source, sink, seen = ScriptedSource(clip(20)), FakeSink(), []
    report = live(source, sink, observe=lambda clean, _out: seen.append(clean.index))
    assert_safe(source, sink)
    assert sink.left_by is None
    assert report.frames_in == 20
    assert report.outputs["cloaked"] >= 1
    assert len(seen) + report.dropped == 20
    assert seen == sorted(seen)
    assert report.stages["added"]["count"] == len(seen)


def test_gaps_in_the_indices_count_as_dropped():
    source, sink, seen = ScriptedSource([*clip(2), *clip(2, first=7)]), FakeSink(), []
    report = live(source, sink, observe=lambda clean, _out: seen.append(clean.index))
    assert len(seen) + report.dropped == 9


def test_a_slow_stage_drops_pictures_and_queues_none():
    pause = threading.Event()
    slow = FakeFinder(lambda _frame: pause.wait(0.02) or faces(1))
    source, sink, seen = ScriptedSource(clip(40), pace_s=0.002), FakeSink(), []
    report = live(
        source,
        sink,
        protector(finder=slow, guard=GUARD),
        observe=lambda clean, _out: seen.append(clean.index),
    )
    assert_safe(source, sink)
    assert report.dropped > 0
    assert len(seen) + report.dropped == 40


@pytest.mark.parametrize("limits", [Limits(frames=3), Limits(seconds=0.03)])
def test_a_limit_ends_the_run(limits):
    source, sink = ScriptedSource(clip(10_000), pace_s=0.001), FakeSink()
    report = live(source, sink, limits=limits)
    assert_safe(source, sink)
    assert limits.frames is None or report.frames_out == 3
    assert report.seconds < 5


def test_stop_ends_the_run_cleanly():
    stop, sink = threading.Event(), FakeSink()
    source = ScriptedSource(clip(10_000), pace_s=0.001)
    live(source, sink, stop=stop, observe=lambda *_: stop.set())
    assert_safe(source, sink)
    assert sink.left_by is None


def silence_until_slates(sink, index, count=3):
    """No picture, until the sink got so many slates in place of the one after ``index``."""
    while sum(f.index == index and mark(f) == SLATE for f in tuple(sink.frames)) < count:
        yield None


def test_a_stall_shows_the_slate_at_once_and_recovers():
    sink = FakeSink()
    source = ScriptedSource(
        itertools.chain(clip(3), silence_until_slates(sink, 2), clip(3, first=3))
    )
    live(source, sink, limits=Limits(stall_s=0.005, lost_after_s=5))
    assert_safe(source, sink)
    shown = [mark(frame) for frame in sink.frames if frame.index == 2]
    assert shown[0] == CLOAKED
    assert shown[-1] == SLATE
    assert CLOAKED in [mark(frame) for frame in sink.frames if frame.index > 2]


def test_two_stalls_do_not_add_up_to_a_lost_camera():
    sink = FakeSink()
    script = itertools.chain(
        clip(1), silence_until_slates(sink, 0), clip(110, first=1), silence_until_slates(sink, 110)
    )
    live(ScriptedSource(script), sink, limits=Limits(stall_s=0.005, lost_after_s=0.2))
    assert sink.left_by is None


LOST = [
    pytest.param([], True, id="never sends a picture"),
    pytest.param(clip(3), True, id="falls silent"),
    pytest.param([*clip(3), SourceLost("It was unplugged.")], False, id="says it is lost"),
    pytest.param([*clip(3), RuntimeError("driver")], False, id="raises something else"),
    pytest.param([*clip(3), np.zeros((6, 8, 3), np.uint8)], False, id="hands over garbage"),
    pytest.param([OSError()], False, id="fails at once"),
]


@pytest.mark.warns_in_log
@pytest.mark.parametrize(("script", "then_silent"), LOST)
def test_a_lost_camera_is_stood_in_for_and_then_told(script, then_silent):
    source, sink = ScriptedSource(script, then_silent=then_silent), FakeSink()
    with pytest.raises(SourceLost):
        live(source, sink)
    assert_safe(source, sink)
    assert sink.marks[-1] == SLATE
    assert sink.marks.count(SLATE) >= 1
    assert sink.left_by is SourceLost


def test_a_silent_camera_that_may_come_back_is_never_given_up():
    stop, sink = threading.Event(), FakeSink()
    patient = Limits(stall_s=0.001, lost_after_s=math.inf, start_s=math.inf, frames=40)
    report = live(ScriptedSource([], then_silent=True), sink, stop=stop, limits=patient)
    assert report.outputs["shield"] == 40


@pytest.mark.warns_in_log
def test_a_camera_that_failed_for_good_is_given_up_however_patient(monkeypatch):
    monkeypatch.setattr("facecloak.pipeline.live.FAILED_S", 0.04)
    patient = Limits(stall_s=0.001, lost_after_s=math.inf, start_s=math.inf)
    source, sink = ScriptedSource([*clip(1), RuntimeError("driver")]), FakeSink()
    with pytest.raises(SourceLost):
        live(source, sink, limits=patient)
    assert_safe(source, sink)


def test_stand_ins_go_on_in_time_and_in_the_size_of_the_last_picture():
    source, sink = ScriptedSource(clip(1, size=(4, 4)), then_silent=True), FakeSink()
    seen = []
    with pytest.raises(SourceLost):
        run_live(
            source,
            sink.open,
            protector(guard=GUARD),
            stop=threading.Event(),
            limits=HASTY,
            observe=lambda clean, out: seen.append((clean is None, out.frame)),
        )
    assert [frame for _, frame in seen] == sink.frames
    assert [stands_in for stands_in, _ in seen].count(False) == 1
    frames = sink.frames[sink.marks.index(CLOAKED) :]
    times = [frame.captured_s for frame in frames]
    assert len(times) > 1
    assert times == sorted(set(times))
    assert {frame.image.shape for frame in frames} == {(4, 4, 3)}


@pytest.mark.parametrize("stands", [True, False])
def test_where_a_frame_stands_a_slate_that_goes_on_is_written_seldom(monkeypatch, stands):
    """In a virtual camera; a picture ends the pause at once. What plays frames needs them all."""
    monkeypatch.setattr("facecloak.pipeline.live.REST_AFTER_S", 0.0)
    monkeypatch.setattr("facecloak.pipeline.live.REST_S", 3600.0)
    source, sink = ScriptedSource([*[None] * 100, *clip(1)]), FakeSink()
    patient = Limits(stall_s=0.001, start_s=math.inf, hang_s=3600.0 if stands else None)
    live(source, sink, limits=patient)
    slates = sink.marks.count(SLATE)
    assert (slates <= 2) if stands else (slates > 5)  # one before, perhaps one behind
    assert CLOAKED in sink.marks


_NO_PICTURES = []
STAGE_FAULTS = [
    pytest.param({"finder": FakeFinder(lambda _frame: 1 / 0)}, id="the finder raises"),
    pytest.param({"cloak": FakeCloak(lambda _frame: _NO_PICTURES[1])}, id="the cloak raises"),
    pytest.param({"cloak": FakeCloak(lambda frame: frame)}, id="the cloak does nothing"),
    pytest.param({"judge": FakeJudge(raises=FaceCloakError("No."))}, id="the judge raises"),
]


@pytest.mark.warns_in_log
@pytest.mark.parametrize("fault", STAGE_FAULTS)
def test_a_stage_that_never_works_is_a_slate(fault):
    source, sink = ScriptedSource(clip(10)), FakeSink()
    live(source, sink, protector(guard=GUARD, **fault))
    assert_safe(source, sink)
    assert set(sink.marks) == {SLATE}


def test_a_mistake_in_a_stage_ends_the_run_without_a_raw_picture():
    source, sink = ScriptedSource(clip(10)), FakeSink()
    with pytest.raises(TypeError):
        live(source, sink, protector(finder=FakeFinder(lambda: None)))
    assert_safe(source, sink)
    assert CLOAKED not in sink.marks


def test_a_sink_that_fails_ends_the_run_and_closes_all():
    source = ScriptedSource(clip(50))
    sink = FakeSink(fails_with=SinkUnavailable("The virtual camera is gone."), fails_after=2)
    with pytest.raises(SinkUnavailable):
        live(source, sink)
    assert_safe(source, sink)
    assert sink.left_by is SinkUnavailable


def test_a_sink_that_cannot_be_made_closes_the_source_and_dismisses_the_jury():
    times = StageTimes()
    jury = ThreadJury(FakeJudge(), times)
    source = ScriptedSource(clip(5))

    def no_sink(_size, _fps):
        raise SinkUnavailable(*("No virtual camera.", "Install one."))

    with pytest.raises(SinkUnavailable):
        run_live(source, no_sink, protector(jury=jury), stop=threading.Event())
    assert source.closed


def test_a_source_that_cannot_be_opened_never_makes_a_sink():
    missing = SourceUnavailable("No such camera.")

    class Missing(ScriptedSource):
        def __enter__(self):
            raise missing

    sink = FakeSink()
    with pytest.raises(SourceUnavailable):
        live(Missing([]), sink)
    assert sink.opened_with is None


def test_a_judge_in_a_thread_lets_the_picture_through_once_it_has_judged():
    going, stop = threading.Event(), threading.Event()
    jury = ThreadJury(FakeJudge(hangs=going), StageTimes(), every_s=0.01)
    source, sink = ScriptedSource(clip(5000)), FakeSink()

    def watch(clean, out):
        if clean.index >= 3:
            going.set()
        if out.output is Output.CLOAKED:
            stop.set()

    report = live(source, sink, protector(jury=jury, guard=GUARD), stop=stop, observe=watch)
    assert_safe(source, sink)
    assert sink.marks[0] == SLATE
    assert sink.marks[-1] == CLOAKED
    assert report.classifiers["net"].rate == 1.0


@pytest.mark.warns_in_log
def test_a_judge_that_dies_in_its_thread_is_a_slate():
    jury = ThreadJury(FakeJudge(raises=RuntimeError()), StageTimes())
    source, sink = ScriptedSource(clip(20)), FakeSink()
    live(source, sink, protector(jury=jury, guard=GUARD))
    assert set(sink.marks) == {SLATE}


@pytest.mark.warns_in_log
def test_a_judge_that_hangs_is_a_slate_and_does_not_hold_up_the_end():
    going = threading.Event()
    jury = ThreadJury(FakeJudge(hangs=going), StageTimes(), patience_s=0.02)
    source, sink = ScriptedSource(clip(20)), FakeSink()
    report = live(source, sink, protector(jury=jury, guard=GUARD))
    assert set(sink.marks) == {SLATE}
    assert report.classifiers == {}
    going.set()


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"seconds": -1.0}, {"stall_s": float("nan")}])
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=f"limits.{next(iter(wrong))} must be"):
        Limits(**wrong)
