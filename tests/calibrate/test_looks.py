import dataclasses

import numpy as np
import pytest

from facecloak.calibrate import looks
from facecloak.calibrate.crops import CROP_PX, FACE_FROM_CROP, as_frame
from facecloak.calibrate.looks import EXACT, Misalignment, draw
from facecloak.core import geometry
from facecloak.verify.crop import face_crop

CROPS = np.random.default_rng(0).integers(0, 256, (40, CROP_PX, CROP_PX), dtype=np.uint8)


class Black:
    """A cloak that leaves nothing of the picture."""

    def apply(self, frame, faces):
        assert len(faces) == 1
        return frame.with_image(np.zeros_like(frame.image))


def test_an_exact_look_is_what_our_own_judges_see():
    drawn = draw(CROPS[:2], np.random.default_rng(1), misalignment=EXACT)
    seen = looks.planes(drawn, None, 48)
    for plane, crop in zip(seen, CROPS, strict=False):
        frame, face = as_frame(crop, 0.0)
        np.testing.assert_array_equal(plane, face_crop(frame.image, face.face_from_frame, 48))
    assert not looks.planes(drawn, Black(), 48).any()


def test_a_look_differs_by_no_more_than_the_misalignment_says():
    most = Misalignment()
    drawn = draw(CROPS, np.random.default_rng(2), period_s=0.8)
    misaligned = [
        geometry.compose(look.face_from_frame, geometry.invert(FACE_FROM_CROP)) for look in drawn
    ]
    turns = [np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])) for matrix in misaligned]
    scales = [np.hypot(*matrix[:, 0]) for matrix in misaligned]
    shifts = [geometry.apply(matrix, np.array([[0.5, 0.5]]))[0] - 0.5 for matrix in misaligned]
    for values, bound in (
        (turns, most.rotation_deg),
        (np.array(scales) - 1, most.scale),
        (shifts, most.shift),
        ([look.contrast - 1 for look in drawn], most.contrast),
        ([look.brightness / 255 for look in drawn], most.brightness),
    ):
        assert 0.5 * bound < np.abs(values).max() <= bound + 1e-9
    times = [look.frame.captured_s for look in drawn]
    assert 0 <= min(times) < 0.2
    assert 0.6 < max(times) < 0.8


@pytest.mark.parametrize(("brightness", "expected"), [(-300.0, 0), (300.0, 255), (5.0, 105)])
def test_light_is_added_without_wrapping_around(brightness, expected):
    grey = np.full((1, CROP_PX, CROP_PX), 100, np.uint8)
    (look,) = draw(grey, np.random.default_rng(0), misalignment=EXACT)
    lit = dataclasses.replace(look, brightness=brightness)
    assert (lit.plane(None, 48) == expected).all()
