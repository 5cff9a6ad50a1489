import cv2
import numpy as np
import pytest

from facecloak.capture.picture import SUFFIXES, PictureSource
from facecloak.core.errors import SourceUnavailable
from facecloak.core.ports import EndOfSource


def read(path):
    with PictureSource(path) as source:
        frame = source.read(0)
        with pytest.raises(EndOfSource):
            source.read(0)
        assert source.size == (frame.image.shape[1], frame.image.shape[0])
        assert not source.live
    return frame


def save(path, image, *options):
    path.write_bytes(cv2.imencode(path.suffix, image, *options)[1].tobytes())
    return path


def segment(marker, content):
    """A part of a JPEG, with its length."""
    return b"\xff" + bytes([marker]) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_format_gives_one_frame(tmp_path, picture, suffix):
    frame = read(save(tmp_path / f"Gesicht ä{suffix}", picture))
    assert frame.index == 0
    assert np.abs(frame.image.astype(int) - picture).mean() < 3


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.full((5, 7), 90, np.uint8), id="grey"),
        pytest.param(np.full((5, 7, 4), 90, np.uint8), id="alpha"),
        pytest.param(np.full((5, 7, 3), 90 * 257, np.uint16), id="16 bits"),
    ],
)
def test_grey_alpha_and_16_bit_become_bgr(tmp_path, image):
    frame = read(save(tmp_path / "in.png", image))
    assert frame.image.shape == (5, 7, 3)
    assert (frame.image == 90).all()


def test_exif_turns_the_picture_upright(tmp_path, picture):
    jpeg = save(tmp_path / "in.jpg", picture).read_bytes()
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6
    exif = segment(0xE1, b"Exif\0\0" + tiff)
    (tmp_path / "in.jpg").write_bytes(jpeg[:2] + exif + jpeg[2:])
    frame = read(tmp_path / "in.jpg")
    assert np.abs(frame.image.astype(int) - np.rot90(picture, -1)).mean() < 4


PROGRESSIVE = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = (cv2.IMWRITE_JPEG_RST_INTERVAL, 1)


@pytest.mark.parametrize("options", [(), PROGRESSIVE, RESTARTS])
def test_what_a_phone_appends_to_a_photo_does_not_matter(tmp_path, picture, options):
    path = save(tmp_path / "in.jpg", picture, options)
    alone = read(path)
    path.write_bytes(path.read_bytes() + b"\0\0\0\x18ftypmp42" + bytes(200_000))
    assert np.array_equal(read(path).image, alone.image)


@pytest.mark.parametrize("options", [(), PROGRESSIVE, RESTARTS])
def test_a_cut_jpeg_does_not_end_with_the_thumbnail_in_it(tmp_path, picture, options):
    path = save(tmp_path / "in.jpg", picture, options)
    jpeg, thumbnail = path.read_bytes(), b"Exif\0\0" + b"\xff\xd8\xff\xd9"
    whole = jpeg[:2] + segment(0xE1, thumbnail) + jpeg[2:]
    path.write_bytes(whole)
    read(path)
    for length in range(len(whole) // 10, len(whole), len(whole) // 10):
        path.write_bytes(whole[:length])
        with pytest.raises(SourceUnavailable, match="stops in the middle"), PictureSource(path):
            pass


@pytest.mark.parametrize(
    ("story", "says"),
    [
        ("missing", "cannot be read: No such file"),
        ("directory", "cannot be read: Is a directory"),
        ("empty", "is not a picture"),
        ("text", "is not a picture"),
        ("cut png", "stops in the middle"),
        ("cut jpg", "stops in the middle"),
    ],
)
def test_bad_files_say_one_sentence(tmp_path, picture, capfd, story, says):
    path = tmp_path / f"in.{'jpg' if 'jpg' in story else 'png'}"
    if story == "directory":
        path.mkdir()
    elif story in ("empty", "text"):
        path.write_text("" if story == "empty" else "not a picture")
    elif story != "missing":
        encoded = save(path, picture).read_bytes()
        path.write_bytes(encoded[: len(encoded) // 2])
    with pytest.raises(SourceUnavailable, match=says) as caught, PictureSource(path):
        pass
    assert caught.value.remedy
    assert capfd.readouterr().err == ""
