import threading

import pytest

from facecloak.capture import open_source
from facecloak.capture.paced import REPEAT_S, PacedSource
from facecloak.core.errors import SourceLost
from facecloak.core.ports import EndOfSource
from tests.fakes.stages import ManualClock, ScriptedSource, raw_frame


def scripted(*times_s, then=()):
    frames = [raw_frame(index, at_s) for index, at_s in enumerate(times_s)]
    source = ScriptedSource([*frames, *then], live=False)
    source.fps = 25.0
    return source


@pytest.fixture
def clock():
    made = ManualClock()
    made.now_s = 50.0
    return made


def at(clock, source, now_s):
    """Index and stamp of what comes at a moment; None where nothing does."""
    clock.now_s = 50.0 + now_s
    frame = source.read(0)
    return frame and (frame.index, pytest.approx(frame.captured_s - 50.0))


def test_frames_come_at_their_time(clock):
    with PacedSource(scripted(1.0, 1.04, 1.08), clock=clock) as source:
        assert source.live
        assert at(clock, source, 0) == (0, 0)
        assert at(clock, source, 0.03) is None
        assert at(clock, source, 0.0401) == (1, 0.0401)
        assert at(clock, source, 0.0801) == (2, 0.0801)
        assert at(clock, source, 0.11) is None
        clock.now_s = 50.1201
        for _ in range(2):
            with pytest.raises(EndOfSource):
                source.read(0)


def test_a_late_reader_gets_what_is_due_at_once(clock):
    with PacedSource(scripted(0, 0.04, 0.08), clock=clock) as source:
        assert at(clock, source, 0) == (0, 0)
        assert at(clock, source, 0.2) == (1, 0.2)
        assert at(clock, source, 0.2) == (2, 0.2)


def test_a_frame_that_lasts_is_repeated_so_that_nobody_takes_the_camera_for_lost(clock):
    with PacedSource(scripted(0, 1.0), clock=clock) as source:
        assert source.fps == 25
        assert at(clock, source, 0) == (0, 0)
        assert at(clock, source, 0.99 * REPEAT_S) is None
        assert at(clock, source, 1.01 * REPEAT_S) == (0, 1.01 * REPEAT_S)
        assert at(clock, source, 1.5 * REPEAT_S) is None
        assert at(clock, source, 1.0) == (1, 1.0)


def test_a_picture_stays(clock):
    with PacedSource(scripted(0), stays=True, clock=clock) as source:
        source._source.fps = 1.0
        assert source.fps == 1 / REPEAT_S
        assert at(clock, source, 0) == (0, 0)
        assert at(clock, source, 3600) == (0, 3600)


def test_it_can_be_opened_again(clock):
    source = PacedSource(scripted(0, 0.04), clock=clock)
    with source:
        assert at(clock, source, 0) == (0, 0)
    assert source._source.closed
    clock.now_s, source._source = 60.0, scripted(0)
    with source:
        assert source.read(0).captured_s == 60.0


def test_a_fault_of_the_file_comes_through(clock):
    with PacedSource(scripted(0, then=[SourceLost("damaged")]), clock=clock) as source:
        assert at(clock, source, 0) == (0, 0)
        with pytest.raises(SourceLost):
            source.read(0)


def test_closing_wakes_a_waiting_reader(clock):
    source = PacedSource(scripted(0, 60.0), clock=clock)
    source.__enter__()
    source.read(0)
    got = []
    reader = threading.Thread(target=lambda: got.append(source.read(600)))
    reader.start()
    source.__exit__(None, None, None)
    reader.join(5)
    assert got == [None]


@pytest.mark.parametrize(("name", "stays"), [("call.mp4", False), ("face.png", True)])
def test_a_file_is_paced_where_it_is_watched(name, stays):
    source = open_source(name, live=True)
    assert isinstance(source, PacedSource)
    assert source._stays is stays
    assert not open_source(name).live
