"""Optical flow on a textured picture whose motion is known."""

import cv2
import numpy as np
import pytest

from facecloak.core import geometry
from facecloak.face.flow import follow


@pytest.fixture(scope="module")
def texture():
    rough = np.random.default_rng(0).integers(0, 255, (18, 32), dtype=np.uint8)
    return cv2.resize(rough, (640, 360), interpolation=cv2.INTER_CUBIC)


FACE_FROM_FRAME = geometry.invert(np.array([[120.0, 0, 200], [0, 120.0, 100]]))


@pytest.mark.parametrize(("degrees", "zoom", "shift"), [(0, 1, 0), (3, 1.03, 12), (-4, 0.96, 15)])
def test_the_motion_is_recovered(texture, degrees, zoom, shift) -> None:
    motion = cv2.getRotationMatrix2D((260, 160), degrees, zoom)
    motion[:, 2] += shift
    after = cv2.warpAffine(texture, motion, (640, 360))
    moved = follow(texture, after, FACE_FROM_FRAME)
    assert moved is not None
    corners = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    expected = geometry.apply(motion, geometry.apply(geometry.invert(FACE_FROM_FRAME), corners))
    got = geometry.apply(geometry.invert(moved), corners)
    np.testing.assert_allclose(got, expected, atol=1.0)


def test_another_scene_is_not_followed(texture) -> None:
    rough = np.random.default_rng(1).integers(0, 255, (18, 32), dtype=np.uint8)
    other = cv2.resize(rough, (640, 360), interpolation=cv2.INTER_CUBIC)
    assert follow(texture, other, FACE_FROM_FRAME) is None


def test_nothing_to_follow_outside_the_picture_or_in_another_size(texture) -> None:
    outside = geometry.invert(np.array([[120.0, 0, 2000], [0, 120.0, 100]]))
    assert follow(texture, texture, outside) is None
    assert follow(texture, texture[:300], FACE_FROM_FRAME) is None
