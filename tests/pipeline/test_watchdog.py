"""A stage that hangs leaves no picture in the camera, and what it makes in the end never leaves."""

import itertools
import threading
import time

import numpy as np
import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Frame, Output
from facecloak.pipeline.live import Limits
from facecloak.pipeline.outlet import Outlet
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.runner import run_live
from facecloak.pipeline.watchdog import Watchdog
from tests.fakes.assembly import protector
from tests.fakes.stages import (
    CLOAKED,
    RAW,
    SLATE,
    FakeCloak,
    FakeFinder,
    FakeSink,
    ScriptedSource,
    faces,
    raw_frame,
)

pytestmark = pytest.mark.warns_in_log

HUNG = 5
PATIENT = Limits(hang_s=0.4, stall_s=0.1)


class WatchedSink(FakeSink):
    """Says when it has seen so many slates, or a frame with at least this index."""

    def __init__(self):
        super().__init__()
        self.slates = threading.Semaphore(0)
        self.recovered = threading.Event()

    def write(self, frame):
        super().write(frame)
        if (frame.image == SLATE).all():
            self.slates.release()
        elif frame.index > HUNG:
            self.recovered.set()


class Hanging:
    """Hangs on one frame until released; ``stage`` is what a fake calls."""

    def __init__(self, result):
        self.entered, self.released = threading.Event(), threading.Event()
        self._result = result

    def stage(self, frame):
        if frame.index == HUNG:
            self.entered.set()
            assert self.released.wait(30)
        return self._result


def stages(which, hanging):
    if which == "finder":
        return protector(finder=FakeFinder(hanging.stage))
    return protector(cloak=FakeCloak(hanging.stage))


@pytest.mark.parametrize("which", ["finder", "cloak"])
def test_a_stage_that_hangs_is_a_slate_and_its_late_picture_never_leaves(which):
    hanging = Hanging(faces(1) if which == "finder" else None)
    sink, stop, told, seen = WatchedSink(), threading.Event(), [], []
    source = ScriptedSource(raw_frame(index, index / 30) for index in itertools.count())

    def release():
        assert hanging.entered.wait(30)
        for _ in range(2):  # it goes on showing the slate
            assert sink.slates.acquire(timeout=30)
        hanging.released.set()
        assert sink.recovered.wait(30)
        stop.set()

    releasing = threading.Thread(target=release)
    releasing.start()
    run_live(
        source,
        sink.open,
        stages(which, hanging),
        stop=stop,
        limits=PATIENT,
        observe=lambda _clean, out: seen.append(out.frame.index),
        hangs=lambda: told.append(threading.current_thread().name),
    )
    releasing.join()
    assert RAW not in sink.marks
    marks = {(frame.index, int(frame.image[0, 0, 0])) for frame in sink.frames}
    assert (HUNG, SLATE) in marks
    assert (HUNG, CLOAKED) not in marks
    assert HUNG not in seen
    assert set(told) == {"facecloak-watchdog"}
    assert sink.marks[-1] == CLOAKED


def test_a_hang_while_protection_is_off_leaves_no_raw_picture_in_the_camera():
    sink, stop, hung = WatchedSink(), threading.Event(), threading.Event()
    subject = protector()
    subject.switch(on=False)

    def observe(clean, _out):
        if clean is not None and clean.index == HUNG:
            assert sink.slates.acquire(timeout=30)
            hung.set()
            stop.set()

    run_live(
        ScriptedSource(raw_frame(index, index / 30) for index in itertools.count()),
        sink.open,
        subject,
        stop=stop,
        limits=PATIENT,
        observe=observe,
    )
    assert hung.is_set()
    assert sink.marks[:1] == [RAW]
    assert sink.marks[-1] == SLATE


def test_a_first_picture_that_takes_long_is_no_hang():
    sink, told, slow = WatchedSink(), [], threading.Event()

    def sees(_frame):
        slow.wait(1.0) if not slow.is_set() else None
        slow.set()
        return faces(1)

    run_live(
        ScriptedSource(raw_frame(index, index / 30) for index in range(5)),
        sink.open,
        protector(finder=FakeFinder(sees)),
        stop=threading.Event(),
        limits=Limits(hang_s=0.2, stall_s=5.0),
        hangs=lambda: told.append(1),
    )
    assert not told
    assert SLATE not in sink.marks


def test_a_run_that_works_is_never_interrupted():
    sink, told = WatchedSink(), []
    run_live(
        ScriptedSource(raw_frame(index, index / 30) for index in range(100)),
        sink.open,
        protector(),
        stop=threading.Event(),
        limits=Limits(hang_s=20.0),
        hangs=lambda: told.append(1),
    )
    assert not told
    assert SLATE not in sink.marks


def slate():
    frame = Frame(np.full((6, 8, 3), SLATE, np.uint8), 0.0, 0)
    return Protected(frame, Output.SHIELD, Faces(), ())


def test_a_sink_that_hangs_itself_is_not_waited_for():
    released, entered = threading.Event(), threading.Event()

    class HangingSink(FakeSink):
        def write(self, frame):
            entered.set()
            assert released.wait(30)

    outlet = Outlet(HangingSink(), StageTimes())
    writing = threading.Thread(target=outlet.write, args=(slate(),))
    writing.start()
    assert entered.wait(30)
    assert not outlet.take_over(slate(), patience_s=0.01)
    released.set()
    writing.join()


def test_a_sink_that_fails_the_watchdog_does_not_end_it():
    failed = threading.Semaphore(0)

    class FailingSink(FakeSink):
        def write(self, frame):
            failed.release()
            msg = "It is gone."
            raise SinkUnavailable(msg, "Bring it back.")

    outlet = Outlet(FailingSink(), StageTimes())
    outlet.written_s = time.perf_counter()
    dog = Watchdog(outlet, slate, hang_s=0.03)
    for _ in range(3):
        assert failed.acquire(timeout=30)
    dog.close()
    dog.close()


def test_only_frames_begun_before_are_late():
    sink = FakeSink()
    sink.open((8, 6), 30.0)
    outlet = Outlet(sink, StageTimes())
    begun = outlet.turn
    assert outlet.take_over(slate(), patience_s=0.0)
    assert not outlet.write(slate(), turn=begun, handed_over_s=time.perf_counter())
    assert outlet.write(slate(), turn=outlet.turn)
    assert outlet.write(slate())
    assert len(sink.frames) == outlet.tally.frames_out == 3
