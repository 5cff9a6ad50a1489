import cv2
import numpy as np
import pytest

from facecloak.core import geometry
from facecloak.verify.crop import face_crop


def square_at(left, top, side):
    """A face square whose edges are at these edges of pixels."""
    return geometry.invert(np.array([[side, 0, left - 0.5], [0, side, top - 0.5]], float))


def test_a_face_of_the_crop_s_own_size_is_copied():
    picture = np.random.default_rng(0).integers(0, 256, (90, 80), dtype=np.uint8)
    crop = face_crop(np.repeat(picture[..., None], 3, 2), square_at(10, 20, 48), 48)
    assert np.abs(crop.astype(int) - picture[20:68, 10:58]).max() <= 1


@pytest.mark.parametrize("factor", [2, 3, 5, 8])
def test_a_large_face_is_averaged_not_sampled(factor):
    picture = np.random.default_rng(factor).integers(0, 256, (500, 500), dtype=np.uint8)
    crop = face_crop(np.repeat(picture[..., None], 3, 2), square_at(30, 40, 48 * factor), 48)
    part = picture[40 : 40 + 48 * factor, 30 : 30 + 48 * factor]
    mean = cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - mean).max() <= 1


def test_a_face_beyond_the_frame_repeats_the_border():
    crop = face_crop(np.full((60, 60, 3), 77, np.uint8), square_at(-40, -40, 90), 48)
    assert (crop == 77).all()
