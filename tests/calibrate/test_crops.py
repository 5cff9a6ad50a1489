"""What is kept of a frame stands for it: judges read the same, with and without the cloak."""

import math

import cv2
import numpy as np
import pytest

from facecloak.calibrate.crops import CROP_PX, FACE_FROM_CROP, FACE_PX, as_frame, cut
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import geometry
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Face, Frame
from facecloak.verify.crop import face_crop


@pytest.fixture
def seen():
    """A smooth grey picture of 300 x 400 pixels, with a turned face of 170 pixels in it."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(40, 215, (10, 14), dtype=np.uint8)
    grey = cv2.resize(coarse, (400, 300), interpolation=cv2.INTER_CUBIC)
    cos, sin = 170 * math.cos(0.2), 170 * math.sin(0.2)
    linear = np.array([[cos, -sin], [sin, cos]])
    frame_from_face = np.hstack([linear, (np.array([200, 150]) - linear @ [0.5, 0.5])[:, None]])
    face = Face(4, geometry.invert(frame_from_face))
    return Frame(np.repeat(grey[..., None], 3, axis=2), 1.5, 7), face


def difference(one, other):
    return np.abs(one.astype(int) - other.astype(int)).max()


def test_the_face_fills_the_middle_of_a_crop():
    corners = geometry.apply(geometry.invert(FACE_FROM_CROP), np.array([[0.0, 0.0], [1.0, 1.0]]))
    margin = (CROP_PX - FACE_PX) / 2 - 0.5
    np.testing.assert_allclose(corners, [[margin] * 2, [margin + FACE_PX] * 2], atol=1e-9)


def test_judges_read_a_crop_as_they_read_the_frame(seen):
    frame, face = seen
    kept, there = as_frame(cut(frame, face), frame.captured_s)
    assert kept.captured_s == 1.5
    one = face_crop(frame.image, face.face_from_frame, 48)
    other = face_crop(kept.image, there.face_from_frame, 48)
    assert np.ptp(one) > 50
    assert difference(one, other) <= 2


def test_a_cloak_does_the_same_to_a_crop_as_to_the_frame(seen):
    frame, face = seen
    rng = np.random.default_rng(5)
    coarse = rng.uniform(-8, 8, (12, 12)).astype(np.float32)
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), shift=0.02, strain=0.4)
    field = rng.normal(0, 0.003, (2, 4, 4)).astype(np.float32)
    cloak = OpenCvCloak(Bank.of(Perturbation(header, coarse, displacement=field)))
    kept, there = as_frame(cut(frame, face), frame.captured_s)
    changes = []
    for picture, found in ((frame, face), (kept, there)):
        clean, cloaked = (
            face_crop(image, found.face_from_frame, 48).astype(int)
            for image in (picture.image, cloak.apply(picture, [found]).image)
        )
        changes.append(cloaked - clean)
    assert np.abs(changes[0]).max() >= 6
    assert difference(*changes) <= 3
    assert np.abs(changes[0] - changes[1]).mean() < 0.6
