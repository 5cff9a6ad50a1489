import cv2
import numpy as np
import pytest

from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink.picture import LOSSLESS_SUFFIXES, SUFFIXES, PictureSink


def read(path):
    return cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)


def write(path, frames):
    with PictureSink(path) as sink:
        for frame in frames:
            sink.write(frame)
            assert not path.exists()


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_one_frame_becomes_one_picture(tmp_path, make_frames, suffix):
    path = tmp_path / f"Gesicht ä{suffix}"
    (frame,) = make_frames(size=(63, 47))
    write(path, [frame])
    assert [made.name for made in tmp_path.iterdir()] == [path.name]
    moved = np.abs(read(path).astype(int) - frame.image)
    assert moved.max() <= (0 if suffix in LOSSLESS_SUFFIXES else 25)
    assert moved.mean() < 2


def test_a_second_frame_is_refused_and_nothing_is_left(tmp_path, make_frames):
    with pytest.raises(SinkUnavailable, match="holds one frame, and there are more"):
        write(tmp_path / "out.png", make_frames(2))
    assert list(tmp_path.iterdir()) == []


def test_no_frame_no_file(tmp_path):
    with PictureSink(tmp_path / "out.png"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_picture_too_large_for_its_format_is_told(tmp_path):
    wide = Frame(np.zeros((1, 70_000, 3), np.uint8), 0.0, 0)
    with (
        pytest.raises(SinkUnavailable, match="cannot hold 70000x1 pixels"),
        PictureSink(tmp_path / "out.jpg") as sink,
    ):
        sink.write(wide)
    assert list(tmp_path.iterdir()) == []
