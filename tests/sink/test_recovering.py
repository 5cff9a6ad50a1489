import logging

import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.sink.closed import SinkClosed
from facecloak.sink.recovering import RecoveringSink
from tests.fakes.stages import ManualClock, raw_frame


def gone():
    return SinkUnavailable("It is gone.", "Bring it back.")


class Device:
    """A sink that a test takes away and brings back."""

    def __init__(self):
        self.there = True
        self.fault = None
        self.opened = self.closed = 0
        self.frames = []

    def __enter__(self):
        if not self.there:
            raise gone()
        self.opened += 1
        return self

    def __exit__(self, *_exc):
        self.closed += 1

    def write(self, frame):
        if self.fault is not None:
            raise self.fault
        if not self.there:
            raise gone()
        self.frames.append(frame.index)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def device():
    return Device()


def recovering(device, clock, **options):
    return RecoveringSink(lambda: device, name="the camera", clock=clock, **options)


def test_frames_pass_through(device, clock):
    with recovering(device, clock) as sink:
        sink.write(raw_frame(0))
        sink.write(raw_frame(1))
        assert sink.problem is None
    assert device.frames == [0, 1]
    assert (device.opened, device.closed) == (1, 1)


@pytest.mark.warns_in_log
def test_one_that_disappears_is_found_again_and_said_once(device, clock, caplog):
    caplog.set_level(logging.INFO)
    with recovering(device, clock) as sink:
        device.there = False
        for step in range(40):  # four seconds
            clock.now_s = 0.1 * step
            sink.write(raw_frame(step))
        assert sink.problem.remedy == "Bring it back."
        device.there = True
        clock.now_s = 8.0
        sink.write(raw_frame(99))
        assert sink.problem is None
    assert device.frames == [99]
    assert [record.message for record in caplog.records] == [
        "the camera is lost and looked for: It is gone. Bring it back.",
        "the camera is back after 8.0 s",
    ]


@pytest.mark.warns_in_log
def test_the_pauses_between_two_tries_grow_up_to_four_seconds(device, clock):
    tried = []

    def make():
        tried.append(clock.now_s)
        return device

    device.there = False
    with RecoveringSink(make, name="the camera", patient=True, clock=clock) as sink:
        for step in range(1, 1200):
            clock.now_s = step / 64
            sink.write(raw_frame(step))
    assert tried == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5]


@pytest.mark.warns_in_log
def test_one_that_is_not_there_at_first_is_an_error_unless_patient(device, clock):
    device.there = False
    with pytest.raises(SinkUnavailable), recovering(device, clock):
        pass
    with recovering(device, clock, patient=True) as sink:
        sink.write(raw_frame(0))
        device.there = True
        clock.now_s = 1.0
        sink.write(raw_frame(1))
    assert device.frames == [1]


def test_one_that_was_closed_on_purpose_stays_closed(device, clock):
    with recovering(device, clock) as sink:
        device.fault = SinkClosed("Closed.")
        with pytest.raises(SinkClosed):
            sink.write(raw_frame(0))
