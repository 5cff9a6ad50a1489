"""A face in a call: where the near end knows it to be, and where the far end finds it."""

import cv2
import numpy as np
import pytest
from facecloak_train.measure.calls import (
    SIZE,
    camera_noise,
    capture,
    crops_of,
)
from facecloak_train.measure.finding import Finding
from skimage.data import astronaut

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import artifacts, bank, geometry


@pytest.fixture(scope="module")
def small_face():
    grey = cv2.cvtColor(astronaut()[37:157, 169:289], cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA)


@pytest.fixture
def finding():
    with Finding() as opened:
        yield opened


def test_pictures_that_follow_each_other_have_nothing_to_do_with_each_other(finding, small_face):
    call = capture(small_face, camera_noise(2.0, 8, 0), finding, start_s=0.0)
    portrait = call.frames[0].image
    first, again = finding.face(portrait), finding.face(portrait)
    elsewhere = finding.face(np.roll(portrait, 300, axis=1))
    assert finding.face(np.zeros_like(portrait)) is None
    there = geometry.apply(geometry.invert(first.face_from_frame), np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(geometry.apply(again.face_from_frame, there), 0.5, atol=0.03)
    assert elsewhere.track != first.track


@pytest.mark.parametrize("left", [350, 620, 1100])
def test_what_is_found_in_a_picture_does_not_hang_on_those_before(finding, left):
    """A face so small that only who looks at the right part of the frame finds it."""
    face = cv2.resize(astronaut()[:300, 100:400, ::-1], (76, 76), interpolation=cv2.INTER_AREA)
    picture = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    picture[220:296, left : left + 76] = face
    assert len({len(finding.faces(picture)) for _ in range(10)}) == 1


def test_the_place_of_the_face_moves_as_the_face_does(finding, small_face):
    call = capture(small_face, camera_noise(0.0, 8, 0), finding, start_s=7.0)
    assert len(call.frames) == len(call.faces) == 8
    assert call.frames[0].image.shape == (SIZE[1], SIZE[0], 3)
    assert call.frames[-1].captured_s == pytest.approx(7.0 + 7 / 30)
    crops = [crops_of(picture, finding, [48])[48].astype(float) for picture in call.pictures]
    middle = np.array([[0.5, 0.5]])
    xs = [
        geometry.apply(geometry.invert(face.face_from_frame), middle)[0, 0] for face in call.faces
    ]
    assert xs[2] - xs[0] == pytest.approx(3.0)
    assert xs[6] - xs[0] == pytest.approx(-3.0)
    assert max(np.abs(crop - crops[0]).mean() for crop in crops) < 4.0


def test_the_camera_has_noise_of_that_size(finding, small_face):
    still, noisy = (
        capture(small_face, camera_noise(levels, 1, 0), finding, start_s=0.0)
        for levels in (0.0, 2.0)
    )
    apart = noisy.frames[0].image.astype(float) - still.frames[0].image
    assert apart.std() == pytest.approx(2.0, abs=0.1)
    assert not np.array_equal(*(camera_noise(2.0, 1, seed) for seed in (0, 1)))


def test_only_the_face_is_cloaked_and_without_one_there_is_no_call(finding, small_face):
    cloak = OpenCvCloak(bank.load(artifacts.perturbation("default")))
    call = capture(small_face, camera_noise(2.0, 8, 0), finding, start_s=0.0)
    for before, after in zip(call.pictures, call.cloaked(cloak), strict=True):
        changed = np.abs(before.astype(int) - after)
        assert changed[:, :400].max() == 0
        assert changed.max() > 2
    nobody = np.full((48, 48), 90, np.uint8)
    assert capture(nobody, camera_noise(2.0, 8, 0), finding, start_s=0.0) is None
    assert crops_of(np.zeros((180, 320, 3), np.uint8), finding, [48]) is None
