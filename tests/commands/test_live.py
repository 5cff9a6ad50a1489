"""``facecloak run``: who paces it, and how it ends."""

import os
import signal

import av
import pytest

from facecloak import endpoints
from facecloak.capture import VideoSource
from facecloak.commands.live import run, watched
from facecloak.core.errors import SourceUnavailable
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Faces
from facecloak.settings import Settings
from facecloak.sink import SinkClosed
from tests.fakes.stages import FakeSink


def frames_of(path):
    with VideoSource(path) as source:
        count = 0
        try:
            while source.read(1.0):
                count += 1
        except EndOfSource:
            return count, source.size, source.rate


def into(monkeypatch, sink):
    monkeypatch.setattr(endpoints, "sink_of", lambda _name, _source: sink.open)
    return sink


def test_a_camera_or_a_window_is_watched_and_a_file_is_not():
    assert all(map(watched, ("virtual", "preview", "/dev/video9")))
    assert not any(map(watched, ("null", "-", "out.mkv")))


def test_from_file_to_file_every_frame_goes(fakes, clip, tmp_path):
    fakes()
    out = tmp_path / "out.mkv"
    report = run(Settings(source=str(clip("in.mp4")), sink=str(out)))
    assert (report.frames_out, report.dropped) == (10, 0)
    assert frames_of(out) == (10, (401, 351), 25)


def test_seconds_cut_a_file_too(fakes, clip):
    fakes()
    report = run(Settings(source=str(clip("in.mp4")), sink="null"), seconds=0.2)
    assert report.frames_out == 5


@pytest.fixture
def with_sound(tmp_path):
    """Two seconds of a grey video, with three seconds of silence."""
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48000, layout="mono")
        for _ in range(50):
            container.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(video.encode())
        silence = av.AudioFrame(format="fltp", layout="mono", samples=3 * 48000)
        silence.sample_rate = 48000
        silence.planes[0].update(bytes(silence.planes[0].buffer_size))
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
    return path


def seconds_of(path):
    """Of the picture and of the sound."""
    with av.open(str(path)) as container:
        streams = (container.streams.video[0], container.streams.audio[0])
        return [float(stream.duration * stream.time_base) for stream in streams]


@pytest.mark.parametrize(("seconds", "sounds"), [(None, 3.0), (9.0, 3.0), (0.4, 0.4)])
def test_the_sound_ends_with_a_file_that_is_cut_and_else_is_kept(
    fakes, with_sound, tmp_path, seconds, sounds
):
    fakes()
    out = tmp_path / "out.mp4"
    run(Settings(source=str(with_sound), sink=str(out)), seconds=seconds)
    assert seconds_of(out) == pytest.approx([min(seconds or 9, 2.0), sounds], abs=0.05)


def test_a_watched_file_keeps_its_pace_and_ends(fakes, clip, monkeypatch):
    fakes()
    sink = into(monkeypatch, FakeSink())
    report = run(Settings(source=str(clip("in.mp4")), sink="preview"))
    assert report.seconds > 9 / 25
    assert sink.frames
    assert sink.left_by is None


@pytest.mark.parametrize("source", ["demo", "a file"])
def test_whoever_watched_may_leave(fakes, clip, monkeypatch, caplog, source):
    fakes()
    caplog.set_level("INFO", "facecloak")
    sink = into(monkeypatch, FakeSink(fails_with=SinkClosed("It was closed."), fails_after=3))
    report = run(Settings(source="demo" if source == "demo" else str(clip("in.mp4")), sink="-"))
    assert report.frames_out >= 3
    assert sink.left_by is None
    assert "It was closed." in caplog.text
    assert "frames in" in caplog.messages[-1]


def test_it_says_what_it_does_only_once_it_does_it(fakes, caplog, tmp_path):
    fakes()
    caplog.set_level("INFO", "facecloak")
    with pytest.raises(SourceUnavailable):
        run(Settings(source=str(tmp_path / "missing.mp4"), sink="null"))
    assert not caplog.text


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_finishes_the_file(fakes, tmp_path, number):
    todo = [number]

    def sees(frame):
        if frame.index >= 3 and todo:
            os.kill(os.getpid(), todo.pop())
        return Faces()

    fakes(sees)
    out = tmp_path / "out.mkv"
    before = signal.getsignal(number)
    report = run(Settings(source="demo", sink=str(out)))
    assert signal.getsignal(number) is before
    count, size, _rate = frames_of(out)
    assert (count, size) == (report.frames_out, (1280, 720))
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


@pytest.mark.skipif(os.name != "posix", reason="sends itself a signal")
def test_a_second_ctrl_c_ends_it_at_once_and_leaves_nothing(fakes, tmp_path):
    def sees(_frame):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        return Faces()

    fakes(sees)
    with pytest.raises(KeyboardInterrupt):
        run(Settings(source="demo", sink=str(tmp_path / "out.mkv")))
    assert not list(tmp_path.iterdir())
