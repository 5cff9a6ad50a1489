from fractions import Fraction

import av
import numpy as np
import pytest

from facecloak.sink.original import Original
from facecloak.sink.video import VideoSink

RATE = 48000
PACKET_S = 1024 / RATE
"""The longest that a codec here makes."""


@pytest.fixture
def tone(tmp_path):
    """Write a second of a tone, and return the file."""

    def make(name, codec):
        path = tmp_path / name
        wave = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
        samples = (20_000 * wave).astype(np.int16).reshape(1, -1)
        resampler = None
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=RATE, layout="mono")
            context = stream.codec_context
            resampler = av.AudioResampler(context.format, "mono", RATE, frame_size=960)
            whole = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            whole.sample_rate, whole.pts = RATE, 0
            for part in (*resampler.resample(whole), *resampler.resample(None)):
                container.mux(stream.encode(part))
            container.mux(stream.encode())
        return path

    return make


def packets(path):
    """The sound's packets: their bytes, and their times in seconds."""
    with av.open(str(path)) as container:
        found = [p for p in container.demux(container.streams.audio[0]) if p.size]
        return [bytes(p) for p in found], [float(p.pts * p.time_base) for p in found]


def write(path, frames, source, **known):
    with VideoSink(path, rate=Fraction(30), original=Original(source, **known)) as sink:
        for frame in frames:
            sink.write(frame)


@pytest.mark.parametrize(
    ("source", "codec", "target"),
    [
        ("in.mp4", "aac", "out.mp4"),
        ("in.mp4", "aac", "out.mkv"),
        ("in.mp4", "aac", "out.mov"),
        ("in.webm", "libopus", "out.webm"),
        ("in.webm", "libopus", "out.mkv"),
    ],
)
def test_the_sound_is_copied_unchanged(tmp_path, tone, make_frames, source, codec, target):
    source = tone(source, codec)
    write(tmp_path / target, make_frames(30), source)
    before, before_s = packets(source)
    after, after_s = packets(tmp_path / target)
    assert after == before
    assert np.diff(after_s) == pytest.approx(np.diff(before_s), abs=0.0021)
    with av.open(str(tmp_path / target)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "aac"), ("webm", "libopus")])
def test_sound_that_outlasts_the_frames_is_kept_only_where_the_file_was_read_to_its_end(
    tmp_path, tone, make_frames, suffix, codec, ended
):
    source, target = tone(f"in.{suffix}", codec), tmp_path / f"out.{suffix}"
    write(target, make_frames(6), source, ended=lambda: ended)
    before = packets(source)[0]
    after, after_s = packets(target)
    if ended:
        assert after == before
    else:
        assert after == before[: len(after)]
        assert 6 / 30 - PACKET_S < after_s[-1] <= 6 / 30


@pytest.mark.warns_in_log
def test_a_format_that_cannot_hold_it_is_silent_and_says_so_once(
    tmp_path, tone, make_frames, caplog
):
    write(tmp_path / "out.webm", make_frames(3), tone("in.mp4", "aac"))
    with av.open(str(tmp_path / "out.webm")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
    assert [record.getMessage() for record in caplog.records] == [
        "webm cannot hold the aac sound: the output is silent"
    ]


@pytest.mark.warns_in_log
def test_sound_that_cannot_be_read_does_not_stop_the_video(tmp_path, make_frames, caplog):
    write(tmp_path / "out.mp4", make_frames(3), tmp_path / "missing.mp4")
    assert (tmp_path / "out.mp4").exists()
    assert "cannot be read" in caplog.text


def test_a_silent_input_is_no_news(tmp_path, make_frames):
    with VideoSink(tmp_path / "in.mp4", rate=Fraction(30)) as sink:
        sink.write(make_frames()[0])
    write(tmp_path / "out.mp4", make_frames(3), tmp_path / "in.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
