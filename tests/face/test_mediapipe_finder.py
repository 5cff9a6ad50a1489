"""The finder on a real face: the NASA portrait of scikit-image."""

import math
import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data

from facecloak.core import geometry
from facecloak.core.errors import ArtifactError
from facecloak.core.types import Frame
from facecloak.face import mediapipe_finder
from facecloak.face.mediapipe_finder import MediaPipeFinder, MeshModel

FACE_PX = 119
FACE_CENTRE = np.array((224.5, 115.4))
SHARED = Path(os.environ.get("FACECLOAK_SHARED", Path(__file__).parents[3] / "shared"))
VIDEOS = sorted((SHARED / "data" / "video").glob("*.*"))


@pytest.fixture
def portrait():
    return data.astronaut()[..., ::-1].copy()


@pytest.fixture
def finder():
    with MediaPipeFinder() as opened:
        yield opened


def frame(image, index: int = 0) -> Frame:
    return Frame(np.ascontiguousarray(image), index / 30, index)


def canvas(portrait, width: int, x: int, y: int):
    """A grey 1280x720 frame with the portrait in it, its face ``width`` pixels wide."""
    zoom = width / FACE_PX
    small = cv2.resize(portrait, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    out = np.full((720, 1280, 3), 110, np.uint8)
    target = out[y : y + small.shape[0], x : x + small.shape[1]]
    target[:] = small[: target.shape[0], : target.shape[1]]
    return out


def tilt(face_from_frame) -> float:
    return math.degrees(math.atan2(face_from_frame[1, 0], face_from_frame[0, 0]))


def centre(face) -> np.ndarray:
    return geometry.apply(geometry.invert(face.face_from_frame), np.array([[0.5, 0.5]]))[0]


@pytest.mark.parametrize("degrees", [0, 10, 20, -20])
def test_a_tilted_face_is_aligned_upright(finder, portrait, degrees) -> None:
    upright = tilt(finder.find(frame(portrait)).found[0].face_from_frame)
    turn = cv2.getRotationMatrix2D(tuple(FACE_CENTRE), degrees, 1.0)
    turned = cv2.warpAffine(portrait, turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    with MediaPipeFinder() as fresh:
        faces = fresh.find(frame(turned)).found
    assert len(faces) == 1
    assert tilt(faces[0].face_from_frame) - upright == pytest.approx(degrees, abs=2.5)


@pytest.mark.parametrize("width", [30, 40, 60, 120, 200])
def test_a_face_is_found_at_every_size_and_keeps_its_number(finder, portrait, width) -> None:
    picture = canvas(portrait, width, 500, 100)
    expected = FACE_CENTRE * (width / FACE_PX) + (500, 100)
    for index in range(12):
        faces = finder.find(frame(picture, index))
        assert [face.track for face in faces.found] == [0]
        assert faces.missing == 0
    np.testing.assert_allclose(centre(faces.found[0]), expected, atol=0.12 * width)
    assert geometry.face_width_px(faces.found[0].face_from_frame) == pytest.approx(width, rel=0.12)


def test_a_face_half_over_the_border_is_found(finder, portrait) -> None:
    right_half = portrait[:, round(FACE_CENTRE[0]) :]
    for index in range(5):
        (face,) = finder.find(frame(right_half, index)).found
    np.testing.assert_allclose(centre(face), FACE_CENTRE - (224, 0), atol=0.2 * FACE_PX)


def test_two_faces_are_two(finder, portrait) -> None:
    picture = canvas(portrait, 120, 100, 100)
    picture[:, 640:] = picture[:, :640]
    for index in range(6):
        faces = finder.find(frame(picture, index))
        assert sorted(face.track for face in faces.found) == [0, 1]


@pytest.mark.parametrize("scene", ["noise", "black", "grating"])
def test_nothing_is_found_where_nobody_is(finder, scene) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    grating = np.indices((720, 1280)).sum(0) % 64 * 4
    image = {"noise": noise, "black": noise * 0, "grating": np.dstack([grating] * 3)}[scene]
    for index in range(8):
        faces = finder.find(frame(image.astype(np.uint8), index))
        assert faces.found == ()
        assert faces.missing == 0


def test_a_face_that_moves_keeps_its_number_and_is_followed(finder, portrait) -> None:
    for index in range(20):
        x = 100 + 15 * index
        (face,) = finder.find(frame(canvas(portrait, 120, x, 100), index)).found
        assert face.track == 0
    lag_px = np.abs(centre(face) - FACE_CENTRE * (120 / FACE_PX) - (x, 100)).max()
    assert lag_px < 0.15 * 120


def test_a_face_that_vanishes_is_missing_until_it_is_forgotten(finder, portrait) -> None:
    for index in range(5):
        finder.find(frame(portrait, index))
    empty = np.zeros_like(portrait)
    assert finder.find(frame(empty, 6)).missing == 1
    assert finder.find(frame(empty, 60)).missing == 0


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (3000, 20)])
def test_odd_frames_do_no_harm(finder, size) -> None:
    assert finder.find(frame(np.zeros((size[1], size[0], 3), np.uint8))).found == ()


def test_a_missing_model_file_is_one_clear_sentence(monkeypatch) -> None:
    def missing(**_options):
        raise FileNotFoundError

    monkeypatch.setattr(mediapipe_finder, "_Mesh", missing)
    with pytest.raises(ArtifactError, match="pip install"):
        MeshModel(faces=1, video=True)


def test_closing_twice_is_harmless() -> None:
    finder = MediaPipeFinder()
    finder.close()
    finder.close()


@pytest.mark.shared_data
@pytest.mark.slow
@pytest.mark.skipif(not VIDEOS, reason="no face videos in FACECLOAK_SHARED")
@pytest.mark.parametrize("path", VIDEOS, ids=lambda path: path.stem)
def test_somebody_is_found_in_every_frame_of_the_videos(finder, path) -> None:
    people = 2 if path.stem in {"intel_headpose_female-and-male", "intel_asl_bird"} else 1
    with av.open(str(path)) as file:
        for index, picture in enumerate(file.decode(video=0)):
            moment = Frame(picture.to_ndarray(format="bgr24"), float(picture.time), index)
            faces = finder.find(moment)
            assert len(faces.found) >= people
            assert faces.missing == 0
