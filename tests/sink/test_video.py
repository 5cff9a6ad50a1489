from fractions import Fraction

import av
import numpy as np
import pytest

from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink.original import Original
from facecloak.sink.video import SUFFIXES, VideoSink


def decode(path):
    """Return the video stream's facts, its times in seconds, and its pictures in BGR."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = list(container.decode(stream))
        facts = (stream.codec_context.name, stream.pix_fmt, stream.average_rate)
        images = [picture.to_ndarray(format="bgr24") for picture in pictures]
        return facts, [picture.time for picture in pictures], images


def write(path, frames, **options):
    options.setdefault("rate", Fraction(30))
    with VideoSink(path, **options) as sink:
        for frame in frames:
            sink.write(frame)


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(25, 2)])
@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_count_rate_and_times_are_kept(tmp_path, make_frames, suffix, rate):
    frames = make_frames(20, rate=rate, start_s=1000.5)
    path = tmp_path / f"out{suffix}"
    write(path, frames, rate=rate)
    (codec, pix_fmt, found), times, images = decode(path)
    assert codec in ("h264", "libdav1d", "vp9", "libvpx-vp9")
    assert pix_fmt == "yuv420p"
    assert found == rate
    tolerance = 1e-6 if suffix in (".mp4", ".mov") else 0.001
    assert times == pytest.approx([float(i / rate) for i in range(20)], abs=tolerance)
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(20 / rate * 1_000_000, abs=1500)
    moved = np.mean([np.abs(a.image - b.astype(int)) for a, b in zip(frames, images, strict=True)])
    assert moved < 5  # the seam of the rolled picture loses its chroma


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (1, 1)])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_odd_sizes_are_kept(tmp_path, make_frames, suffix, size):
    path = tmp_path / f"out{suffix}"
    write(path, make_frames(3, size=size))
    _, _, images = decode(path)
    assert {image.shape for image in images} == {(size[1], size[0], 3)}
    assert len(images) == 3


@pytest.mark.parametrize("size", [(64, 48), (63, 47), (1, 1)])
def test_lossless_decodes_to_the_same_bytes(tmp_path, size):
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8) for _ in range(5)]
    path = tmp_path / "out.mkv"
    write(path, [Frame(image, i / 30, i) for i, image in enumerate(noise)], lossless=True)
    (codec, _, rate), _, images = decode(path)
    assert codec == "ffv1"
    assert rate == 30
    for wanted, found in zip(noise, images, strict=True):
        assert np.array_equal(wanted, found)


def patches(side):
    """Twelve patches of one colour each, within what BT.601 and BT.709 both hold."""
    levels = np.random.default_rng(3).integers(30, 225, (12, 3), dtype=np.uint8)
    return np.repeat(np.repeat(levels.reshape(3, 4, 3), side, 0), side, 1)


@pytest.mark.parametrize(
    ("name", "side", "colours"),
    [("out.mp4", 16, 6), ("out.webm", 64, 6), ("out.mp4", 320, 1), ("out.webm", 320, 1)],
)
def test_colours_do_not_drift(tmp_path, name, side, colours):
    path, image = tmp_path / name, patches(side)
    write(path, [Frame(image, 0.0, 0)])
    exact = av.video.reformatter.Interpolation["BICUBIC"]
    exact |= av.video.reformatter.Interpolation["ACCURATE_RND"]
    exact |= av.video.reformatter.Interpolation["FULL_CHR_H_INT"]
    with av.open(str(path)) as container:
        (picture,) = container.decode(video=0)
        assert (picture.colorspace, picture.color_range) == (colours, 1)
        assert (picture.color_primaries, picture.color_trc) == (1, 1)
        found = picture.to_ndarray(format="bgr24", interpolation=exact)
    drift = (found.astype(int) - image)[side // 2 :: side, side // 2 :: side]
    assert np.abs(drift).max() <= 4
    assert np.abs(drift.mean()) < 0.6


def test_what_ignores_the_tags_of_a_small_video_sees_its_colours(tmp_path):
    path, image = tmp_path / "out.mp4", patches(64)
    write(path, [Frame(image, 0.0, 0)])
    with av.open(str(path)) as container:
        (picture,) = container.decode(video=0)
    found = picture.to_ndarray(format="bgr24", src_colorspace="ITU601").astype(int)
    assert np.abs(found - image)[32::64, 32::64].max() <= 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_pixels_keep_their_shape(tmp_path, make_frames, suffix):
    silent, path = tmp_path / "in.mp4", tmp_path / f"out{suffix}"
    write(silent, make_frames(3))
    write(path, make_frames(3), original=Original(silent, Fraction(16, 15)))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(16, 15)


@pytest.mark.warns_in_log
@pytest.mark.parametrize(("name", "lossless"), [("out.webm", False), ("out.mkv", True)])
def test_a_codec_that_cannot_say_the_shape_of_pixels_says_so_once(
    tmp_path, make_frames, caplog, name, lossless
):
    squeezed = Original(tmp_path / "in.mp4", Fraction(16, 15))
    write(tmp_path / name, make_frames(3), lossless=lossless, original=squeezed)
    assert caplog.text.count("cannot say that pixels are not square") == 1


def test_frames_off_the_beat_keep_their_times(tmp_path, make_frames):
    times = [0.0, 0.0123, 0.5, 0.5, 1.25]
    frames = [
        Frame(frame.image, at, i)
        for i, (frame, at) in enumerate(zip(make_frames(5), times, strict=True))
    ]
    write(tmp_path / "out.mp4", frames)
    _, found, _ = decode(tmp_path / "out.mp4")
    assert found == pytest.approx(times, abs=0.0002)
    assert len(set(found)) == 5


@pytest.mark.parametrize("written", [0, 3])
def test_an_exception_leaves_nothing(tmp_path, make_frames, written):
    path = tmp_path / "out.mp4"

    def fail_later():
        yield from make_frames(written)
        raise KeyError

    with pytest.raises(KeyError):
        write(path, fail_later())
    assert list(tmp_path.iterdir()) == []


def test_nothing_stands_under_the_name_before_the_end(tmp_path, make_frames):
    path = tmp_path / "out.mp4"
    path.write_text("what was there")
    with VideoSink(path, rate=Fraction(30)) as sink:
        sink.write(make_frames()[0])
        assert path.read_text() == "what was there"
    assert path.read_bytes()[4:8] == b"ftyp"
    assert [made.name for made in tmp_path.iterdir()] == ["out.mp4"]


def test_no_frame_no_file(tmp_path):
    with VideoSink(tmp_path / "out.mp4", rate=Fraction(30)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_one_file_has_one_size(tmp_path, make_frames):
    frames = [*make_frames(), *make_frames(size=(32, 24))]
    with pytest.raises(SinkUnavailable, match="changed from 64x48 to 32x24"):
        write(tmp_path / "out.mp4", frames)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(5)]
    frames = [Frame(image, i / 30, i) for i, image in enumerate(noise)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(SinkUnavailable, match="cannot be written: File too large"):
            write(tmp_path / "out.mkv", frames, lossless=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told(tmp_path):
    with (
        pytest.raises(SinkUnavailable, match="there is no such folder"),
        VideoSink(tmp_path / "no" / "out.mp4", rate=Fraction(30)),
    ):
        pass


def test_lossless_has_one_container():
    with pytest.raises(ConfigError, match=r"out.mp4 cannot be lossless. Name it with .mkv."):
        VideoSink("out.mp4", rate=Fraction(30), lossless=True)


@pytest.mark.parametrize("rate", [Fraction(0), Fraction(-1)])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ConfigError, match="positive number of frames"):
        VideoSink("out.mp4", rate=rate)
