import itertools
import threading

import numpy as np
import pytest

from facecloak.capture.recovering import FIRST_RETRY_S, LAST_RETRY_S, RecoveringSource
from facecloak.core.errors import SourceLost, SourceUnavailable
from tests.fakes.stages import SIZE, ManualClock, ScriptedSource, raw_frame

GONE = SourceLost("It was unplugged.")
ABSENT = SourceUnavailable("No such camera.")


class Camera(ScriptedSource):
    """A scripted source that can settle its size, and refuse to open."""

    def __init__(self, script):
        self.refuses = isinstance(script, Exception)
        super().__init__(() if self.refuses else script, then_silent=True)

    def agree(self):
        if self.refuses:
            raise ABSENT

    def __enter__(self):
        self.agree()
        return super().__enter__()


class Plugged:
    """Makes one scripted camera after the other; ``ABSENT`` in place of a script refuses."""

    def __init__(self, *scripts):
        self.clock = ManualClock()
        self.made, self.tried_s = [], []
        self.wanted = True
        self._scripts = iter([(), *scripts])

    def __call__(self):
        self.made.append(Camera(next(self._scripts, ABSENT)))
        if len(self.made) > 1:  # the first one only settles the size
            self.tried_s.append(self.clock.now_s)
        return self.made[-1]

    @property
    def on(self):
        return [camera for camera in self.made if camera.opened and not camera.closed]

    def sleep(self, seconds):
        assert 0 < seconds <= 0.1
        self.clock.now_s += seconds

    def source(self, **options):
        return RecoveringSource(
            self,
            name="camera 0",
            wanted=lambda: self.wanted,
            clock=self.clock,
            sleep=self.sleep,
            **options,
        )


def pictures(count, size=SIZE):
    return [raw_frame(index, size=size) for index in range(count)]


def read_until(source, *, frames, limit=2000):
    """The next so many frames."""
    taken = []
    for _ in itertools.takewhile(lambda _: len(taken) < frames, range(limit)):
        frame = source.read(0.1)
        if frame is not None:
            taken.append(frame)
    assert len(taken) == frames
    return taken


@pytest.mark.warns_in_log
def test_a_camera_that_comes_back_goes_on_and_is_told_once(caplog):
    caplog.set_level("INFO", "facecloak")
    plugged = Plugged([*pictures(3), GONE], ABSENT, ABSENT, pictures(2))
    with plugged.source() as source:
        assert (source.size, source.fps) == (SIZE, 200.0)
        frames = read_until(source, frames=5)
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "camera 0 is on",
        "camera 0 is lost and looked for: It was unplugged.",
        "camera 0 is back after 3.5 s",
    ]
    assert not plugged.on


@pytest.mark.warns_in_log
def test_the_pauses_double_up_to_the_last(caplog):
    plugged = Plugged([GONE])
    with plugged.source() as source:
        while plugged.clock.now_s < 30:
            assert source.read(0.1) is None
    pauses = np.diff(plugged.tried_s)
    assert pauses[:4] == pytest.approx([FIRST_RETRY_S, 1, 2, LAST_RETRY_S])
    assert pauses[3:] == pytest.approx([LAST_RETRY_S] * len(pauses[3:]))
    assert len(caplog.records) == 1  # of warnings


@pytest.mark.warns_in_log
def test_a_picture_makes_the_next_pause_short_again():
    plugged = Plugged([GONE], ABSENT, ABSENT, [*pictures(1), GONE], pictures(1))
    with plugged.source() as source:
        read_until(source, frames=2)
    assert plugged.tried_s[-1] - plugged.tried_s[-2] == pytest.approx(FIRST_RETRY_S)


@pytest.mark.warns_in_log
def test_a_camera_that_opens_but_shows_nothing_is_not_tried_without_pause():
    plugged = Plugged(*[[GONE]] * 20)
    with plugged.source() as source:
        while plugged.clock.now_s < 10:
            source.read(0.1)
    assert len(plugged.tried_s) <= 6


@pytest.mark.warns_in_log
def test_another_size_is_fitted_into_the_first():
    plugged = Plugged([*pictures(1), GONE], pictures(1, size=(16, 6)))
    with plugged.source() as source:
        _, after = read_until(source, frames=2)
    assert after.image.shape == (SIZE[1], SIZE[0], 3)
    assert not after.image[0].any()


def test_a_camera_that_is_not_there_at_first_is_an_error():
    plugged = Plugged()
    plugged._scripts = iter(())
    with pytest.raises(SourceUnavailable), plugged.source():
        pass


@pytest.mark.warns_in_log
def test_a_patient_one_looks_for_a_camera_that_is_not_there_at_first(caplog):
    plugged = Plugged((raw_frame(0),))
    plugged._scripts = iter([ABSENT, ABSENT, [raw_frame(0, size=(4, 4))]])
    with plugged.source(patient=((16, 12), 25.0)) as source:
        assert (source.size, source.fps) == ((16, 12), 25.0)
        assert isinstance(source.problem, SourceUnavailable)
        (frame,) = read_until(source, frames=1)
        assert frame.image.shape == (12, 16, 3)
        assert source.problem is None
    assert caplog.text.count("lost and looked for") == 1


@pytest.mark.warns_in_log
def test_it_can_be_left_while_the_camera_is_away():
    plugged = Plugged([GONE])
    with plugged.source() as source:
        source.read(0.1)
    assert plugged.made[-1].closed
    assert not plugged.on


def test_the_camera_is_on_only_while_it_is_wanted(caplog):
    caplog.set_level("INFO", "facecloak")
    plugged = Plugged(pictures(50), pictures(50))
    plugged.wanted = False
    with plugged.source() as source:
        assert source.size == SIZE
        assert source.read(0.1) is None
        assert not plugged.on
        plugged.wanted = True
        first = read_until(source, frames=3)
        assert len(plugged.on) == 1
        plugged.wanted = False
        assert source.read(0.1) is None
        assert not plugged.on
        plugged.wanted = True
        again = read_until(source, frames=2)
    assert [frame.index for frame in first + again] == [0, 1, 2, 3, 4]
    told = [record.getMessage().removeprefix("camera 0 is ") for record in caplog.records]
    assert told == ["on", "off: nobody watches", "on"]


@pytest.mark.warns_in_log
def test_a_camera_that_was_lost_is_tried_at_once_when_it_is_wanted_anew():
    plugged = Plugged([GONE], *[ABSENT] * 5, pictures(1))
    with plugged.source() as source:
        while len(plugged.tried_s) < 6:
            source.read(0.1)
        plugged.wanted = False
        source.read(0.1)
        plugged.wanted = True
        source.read(0.1)
        assert plugged.on


@pytest.mark.parametrize("script", [(raw_frame(0),), ABSENT])
def test_a_camera_that_is_open_only_after_it_was_left_is_closed_at_once(caplog, script):
    caplog.set_level("INFO", "facecloak")
    opening, left = threading.Event(), threading.Event()

    class Slow(Camera):
        def __enter__(self):
            opening.set()
            assert left.wait(10)
            return super().__enter__()

    plugged, read = Plugged(), []
    source = RecoveringSource(plugged, name="camera 0")
    with source:
        plugged.made.append(Slow(script))
        source._make = lambda: plugged.made[-1]
        reader = threading.Thread(target=lambda: read.append(source.read(0.1)))
        reader.start()
        assert opening.wait(10)
    left.set()
    reader.join()
    assert read == [None]
    assert not plugged.on
    assert source.problem is None
    assert not caplog.records


def test_after_it_was_left_no_camera_is_opened():
    plugged = Plugged(pictures(2), pictures(2))
    with plugged.source() as source:
        read_until(source, frames=1)
    assert source.read(0.1) is None
    assert not plugged.on
    assert len(plugged.made) == 2


@pytest.mark.warns_in_log
def test_one_that_cannot_even_be_made_counts_as_one_that_is_not_there():
    def make():
        raise ABSENT

    with pytest.raises(SourceUnavailable), RecoveringSource(make, name="camera 0"):
        pass
    with RecoveringSource(make, name="camera 0", patient=(SIZE, 25.0)) as source:
        source._retry_at_s = 0.0
        assert source.read(0.1) is None
        assert source.problem is ABSENT
