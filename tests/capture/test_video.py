from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from facecloak.capture.video import VideoSource
from facecloak.core.errors import SourceLost, SourceUnavailable
from facecloak.core.ports import EndOfSource

IDENTITY = b"".join(
    value.to_bytes(4, "big", signed=True) for value in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
)
QUARTER_TURN = b"".join(
    value.to_bytes(4, "big", signed=True)
    for value in (0, 65536, 0, -65536, 0, 0, 48 * 65536, 0, 1 << 30)
)


def read_all(source):
    """Return the frames, and the exception that came instead of the next one."""
    frames = []
    while True:
        try:
            frames.append(source.read(0))
        except (EndOfSource, SourceLost) as end:
            return frames, end


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "rate"),
    [
        ("in.mp4", "libx264", "yuv420p", Fraction(30000, 1001)),
        ("in.mkv", "libx264", "yuv420p", Fraction(25)),
        ("in.mov", "libx264", "yuv444p", Fraction(30)),
        ("in.webm", "libvpx-vp9", "yuv420p", Fraction(24)),
        ("in.avi", "mpeg4", "yuv420p", Fraction(15)),
        ("in.gif", "gif", "rgb8", Fraction(25)),
        ("grey.mkv", "ffv1", "gray", Fraction(30)),
        ("alpha.mkv", "ffv1", "bgra", Fraction(30)),
        ("deep.mkv", "ffv1", "rgb48le", Fraction(30)),
    ],
)
def test_every_frame_comes_in_order_at_its_time(clip, picture, name, codec, pix_fmt, rate):
    path = clip(name, codec=codec, pix_fmt=pix_fmt, rate=rate, count=12)
    with VideoSource(path) as source:
        assert not source.live
        assert source.size == (64, 48)
        assert source.path == path
        assert source.rate == rate
        assert source.fps == float(rate)
        assert source.frame_count in (12, None)
        frames, end = read_all(source)
    assert isinstance(end, EndOfSource)
    assert [frame.index for frame in frames] == list(range(12))
    times = [float(index / rate) for index in range(12)]
    assert [frame.captured_s for frame in frames] == pytest.approx(times, abs=0.001)
    if codec in ("ffv1", "libvpx-vp9") and pix_fmt != "gray":
        assert np.abs(frames[0].image.astype(int) - picture).mean() < 3


def test_odd_sizes_are_kept(clip, picture):
    path = clip("in.mkv", codec="ffv1", pix_fmt="bgr0", image=picture[:47, :63], count=3)
    with VideoSource(path) as source:
        assert source.size == (63, 47)
        assert np.array_equal(source.read(0).image, picture[:47, :63])


def turn(path):
    """Let the file say that it is to be turned by a right angle."""
    encoded = path.read_bytes()
    at = encoded.index(IDENTITY, encoded.index(b"tkhd"))
    path.write_bytes(encoded[:at] + QUARTER_TURN + encoded[at + len(IDENTITY) :])


def test_a_phone_video_comes_upright(clip):
    path = clip("in.mp4", count=3)
    with VideoSource(path) as source:
        lying = source.read(0).image
    turn(path)
    with VideoSource(path) as source:
        assert source.size == (48, 64)
        assert np.array_equal(source.read(0).image, np.rot90(lying, -1))


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.mov"])
def test_pixels_that_are_not_square_are_known(clip, name):
    with VideoSource(clip(name, count=3, aspect=Fraction(16, 15))) as source:
        assert source.pixel_aspect == Fraction(16, 15)
    with VideoSource(clip(name, count=3)) as source:
        assert source.pixel_aspect == 1


def test_pixels_lie_where_the_picture_does(clip):
    path = clip("in.mp4", count=3, aspect=Fraction(16, 15))
    turn(path)
    with VideoSource(path) as source:
        assert source.size == (48, 64)
        assert source.pixel_aspect == Fraction(15, 16)


@pytest.mark.parametrize(
    ("size", "matrix"),
    [
        ((1280, 720), Colorspace.ITU709),
        ((1280, 544), Colorspace.ITU709),
        ((720, 576), Colorspace.ITU601),
    ],
)
def test_a_file_that_does_not_name_its_matrix_is_read_as_players_do(tmp_path, size, matrix):
    path, image = tmp_path / "in.mp4", np.full((size[1], size[0], 3), (40, 60, 220), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "5"})
        stream.width, stream.height = size
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix)))
        container.mux(stream.encode())
    with VideoSource(path) as source:
        assert np.abs(source.read(0).image.astype(int) - image).max() <= 3


def test_it_is_known_whether_all_of_it_was_read(clip):
    source = VideoSource(clip("in.mp4", count=3))
    with source:
        source.read(0)
        assert not source.ended
        read_all(source)
        assert source.ended
    with source:
        assert not source.ended


def test_a_file_that_an_edit_list_trims_is_whole(clip):
    path = clip("in.mp4")
    encoded = bytearray(path.read_bytes())
    at = encoded.index(b"elst") + 12
    assert int.from_bytes(encoded[at : at + 4], "big") == 2000  # milliseconds
    encoded[at : at + 4] = (1000).to_bytes(4, "big")
    path.write_bytes(encoded)
    with VideoSource(path) as source:
        frames, end = read_all(source)
    assert isinstance(end, EndOfSource)
    assert len(frames) == 30


@pytest.mark.parametrize("shown", [[*range(10), *range(20, 60)], [*range(30), 59]])
def test_a_file_with_empty_chunks_is_whole(tmp_path, picture, shown):
    path = tmp_path / "in.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.height, stream.width = picture.shape[:2]
        for index in shown:
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with VideoSource(path) as source:
        assert source.frame_count == 60
        frames, end = read_all(source)
    assert isinstance(end, EndOfSource)
    assert [frame.captured_s for frame in frames] == pytest.approx([one / 30 for one in shown])


def test_a_file_that_is_cut_between_two_frames_is_not_whole(clip):
    path = clip("in.avi", codec="mpeg4")
    encoded = path.read_bytes()
    end = encoded.index(b"movi") + 4
    for _ in range(50):
        length = int.from_bytes(encoded[end + 4 : end + 8], "little")
        end += 8 + length + length % 2
    path.write_bytes(encoded[:end])
    with VideoSource(path) as source:
        frames, end = read_all(source)
    assert isinstance(end, SourceLost)
    assert len(frames) == 50


@pytest.mark.parametrize("missing", [1, 4])
def test_an_mp4_whose_index_names_frames_that_are_not_there_is_not_whole(clip, tmp_path, missing):
    """Half copied, with its index in front, and less than a quarter of a second short."""
    path = tmp_path / "front.mp4"
    with (
        av.open(str(clip("in.mp4", count=30))) as given,
        av.open(str(path), "w", options={"movflags": "faststart"}) as made,
    ):
        stream = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    with av.open(str(path)) as whole:
        index = whole.streams.video[0].index_entries
        end = index[len(index) - missing].pos
    path.write_bytes(path.read_bytes()[:end])
    with VideoSource(path) as source:
        frames, ended = read_all(source)
    assert isinstance(ended, SourceLost)
    assert len(frames) == 30 - missing


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("in.mkv", "libx264", "yuv420p"),
        ("in.mkv", "ffv1", "bgr0"),
        ("in.webm", "libvpx-vp9", "yuv420p"),
        ("in.gif", "gif", "rgb8"),
    ],
)
def test_a_truncated_file_says_after_which_frame(clip, capfd, name, codec, pix_fmt):
    path = clip(name, codec=codec, pix_fmt=pix_fmt)
    encoded = path.read_bytes()
    path.write_bytes(encoded[: len(encoded) * 7 // 10])
    with VideoSource(path) as source:
        frames, end = read_all(source)
    assert isinstance(end, SourceLost)
    assert 1 < len(frames) < 60
    assert f"after frame {len(frames)}." in end.what
    assert end.remedy
    assert capfd.readouterr().err == ""


def test_flipped_bits_are_a_lost_source(clip):
    path = clip("in.mkv")
    encoded = bytearray(path.read_bytes())
    middle = len(encoded) // 2
    encoded[middle : middle + 200] = bytes(255 - byte for byte in encoded[middle : middle + 200])
    path.write_bytes(encoded)
    with VideoSource(path) as source:
        frames, end = read_all(source)
    assert isinstance(end, SourceLost)
    assert len(frames) < 60


@pytest.mark.parametrize(
    ("story", "says"),
    [
        ("missing", "cannot be read: No such file"),
        ("directory", "cannot be read: Is a directory"),
        ("empty", "is empty"),
        ("text", "is not a video"),
        ("cut", "is not a video"),
        ("sound", "has no picture, only sound"),
    ],
)
def test_bad_files_say_one_sentence(tmp_path, clip, capfd, story, says):
    path = tmp_path / "in.mp4"
    if story == "directory":
        path.mkdir()
    elif story in ("empty", "text"):
        path.write_text("" if story == "empty" else "not a video\n" * 50)
    elif story == "cut":
        encoded = clip("in.mp4").read_bytes()
        path.write_bytes(encoded[: len(encoded) // 2])
    elif story == "sound":
        with av.open(str(path), "w") as container:
            stream = container.add_stream("aac", rate=48000)
            silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            silence.sample_rate = 48000
            silence.planes[0].update(bytes(4096))
            container.mux(stream.encode(silence))
            container.mux(stream.encode())
    with pytest.raises(SourceUnavailable, match=says) as caught, VideoSource(path):
        pass
    assert caught.value.remedy
    assert capfd.readouterr().err == ""
