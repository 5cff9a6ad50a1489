import itertools
import platform
import threading

import cv2
import numpy as np
import pytest

from facecloak.capture import camera
from facecloak.capture.camera import CameraSource, camera_unavailable
from facecloak.core.errors import SourceLost, SourceUnavailable

linux = pytest.mark.skipif(platform.system() != "Linux", reason="speaks of /dev/video*")


class Scripted:
    """A capture object that shows ``pictures`` one by one as ``show`` is called."""

    def __init__(self, pictures=(), *, opened=True, fps=25.0):
        self.opened, self.fps = opened, fps
        self.asked, self.released = {}, False
        self._pictures = iter(pictures)
        self._allowed = threading.Semaphore(0)
        self._reads = 0
        self._reading = threading.Condition()

    def isOpened(self):  # noqa: N802
        return self.opened

    def set(self, prop, value):
        self.asked[prop] = value
        return True

    def get(self, prop):
        return self.fps if prop == cv2.CAP_PROP_FPS else 0.0

    def release(self):
        self.released = True

    def read(self):
        with self._reading:
            self._reads += 1
            self._reading.notify_all()
        self._allowed.acquire(timeout=10)
        picture = next(self._pictures, None)
        if isinstance(picture, cv2.error):
            raise picture
        return picture is not None, picture

    def show(self, count):
        """Let ``count`` reads happen and return when the camera asks for one more."""
        with self._reading:
            asked = self._reads
        self._allowed.release(count)
        with self._reading:
            assert self._reading.wait_for(lambda: self._reads >= asked + count, 5)


def grey(level):
    return np.full((4, 6), level, np.uint8)


@pytest.fixture
def plugged_in():
    """Make a camera of a scripted capture object whose first picture is on its way."""
    captures = []

    def make(*pictures, clock=None, **kwargs):
        capture = Scripted(pictures, **kwargs)
        capture._allowed.release()
        captures.append(capture)
        extra = {} if clock is None else {"clock": clock}
        return CameraSource(0, opener=lambda _: capture, **extra), capture

    yield make
    for capture in captures:
        capture._allowed.release(1000)


def test_it_asks_for_motion_jpeg_and_takes_what_the_camera_gives(plugged_in):
    source, capture = plugged_in(grey(1), *[grey(2)] * 9)
    with source:
        assert source.live
        assert source.size == (6, 4)
        assert source.fps == 25.0
        frame = source.read(1)
        assert frame.index == 0
        assert frame.image.shape == (4, 6, 3)
        capture._allowed.release(9)
    assert capture.released
    assert next(iter(capture.asked)) == cv2.CAP_PROP_FOURCC
    assert capture.asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280


def test_size_and_rate_can_be_settled_without_reading_a_picture(plugged_in):
    source, capture = plugged_in(grey(1))
    source.agree()
    assert source.fps == 25.0
    assert source.size == (1280, 720)  # this one does not say
    assert capture.released
    assert not capture._reads
    refusing, _ = plugged_in(opened=False)
    with pytest.raises(SourceUnavailable):
        refusing.agree()


def test_the_newest_frame_wins_and_drops_show_in_the_index(plugged_in):
    source, capture = plugged_in(*[grey(level) for level in range(10)], *[grey(0)] * 9)
    with source:
        capture.show(4)
        newest = source.read(1)
        assert newest.index == 4
        assert (newest.image == 4).all()
        assert source.read(0.01) is None
        capture.show(1)
        assert source.read(1).index == 5
        capture._allowed.release(9)


def test_times_come_from_the_clock(plugged_in):
    ticks = itertools.count(100)
    source, capture = plugged_in(grey(1), grey(1), grey(1), clock=lambda: float(next(ticks)))
    with source:
        assert source.read(1).captured_s == 101.0
        capture._allowed.release(9)


@pytest.mark.parametrize(
    ("last", "says"),
    [
        pytest.param(None, "Camera 0 stopped. Reconnect it", id="a read fails"),
        pytest.param(np.zeros((0, 0, 3), np.uint8), "an empty picture", id="an empty picture"),
        pytest.param(cv2.error("x"), "can no longer read camera 0", id="OpenCV throws"),
    ],
)
def test_a_camera_that_stops_is_lost_after_its_last_frame(plugged_in, last, says):
    source, capture = plugged_in(grey(1), grey(2), *([] if last is None else [last]))
    with source:
        capture._allowed.release(2)
        source._thread.join(5)
        assert source.read(1).index == 1
        for _ in range(2):
            with pytest.raises(SourceLost, match=says):
                source.read(1)
    assert capture.released


def test_a_silent_camera_is_lost_after_two_seconds(plugged_in):
    now = [10.0]
    source, capture = plugged_in(grey(1), clock=lambda: now[0])
    with source:
        assert source.read(1).index == 0
        now[0] = 11.9
        assert source.read(0) is None
        now[0] = 12.6
        with pytest.raises(SourceLost, match="has shown nothing for 3 seconds"):
            source.read(0)
        capture._allowed.release(1)


def test_a_camera_that_does_not_open_is_released_and_told():
    capture = Scripted(opened=False)
    with (
        pytest.raises(SourceUnavailable),
        CameraSource(99, opener=lambda _: capture),
    ):
        pass
    assert capture.released


def test_a_camera_without_a_first_frame_is_told(monkeypatch):
    monkeypatch.setattr(camera, "FIRST_FRAME_S", 0.05)
    monkeypatch.setattr(camera, "SILENCE_S", 0.05)
    capture = Scripted()
    with pytest.raises(SourceUnavailable), CameraSource(99, opener=lambda _: capture):
        pass
    capture._allowed.release()


@linux
def test_a_missing_camera_names_those_that_exist(tmp_path):
    assert "No " in camera_unavailable(3, dev=tmp_path).remedy
    (tmp_path / "video0").touch()
    told = camera_unavailable(3, dev=tmp_path)
    assert told.what == f"There is no camera {tmp_path}/video3."
    assert told.remedy == f"These exist: {tmp_path}/video0."


@linux
def test_a_camera_that_is_there_but_does_not_open_is_busy(tmp_path):
    (tmp_path / "video0").touch()
    assert "is busy" in camera_unavailable(0, dev=tmp_path).what
    assert "fuser -v" in camera_unavailable(0, dev=tmp_path).remedy
    assert "shows no picture" in camera_unavailable(0, opened=True, dev=tmp_path).what


def test_a_real_missing_camera_says_one_sentence_and_opencv_none(capfd):
    with pytest.raises(SourceUnavailable) as caught, CameraSource(97):
        pass
    assert "97" in caught.value.what
    assert caught.value.remedy
    assert capfd.readouterr().err == ""


@pytest.mark.camera
def test_a_real_camera_shows_frames():
    try:
        with CameraSource(0) as source:
            first, second = source.read(2), source.read(2)
    except SourceUnavailable as exc:
        pytest.skip(str(exc))
    assert second.index > first.index
    assert second.captured_s > first.captured_s
