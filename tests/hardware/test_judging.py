"""The judge of the hardware tests itself: it must tell a raw face from a protected one."""

import cv2
import numpy as np
import pytest

from facecloak.cloak.slate import Slate
from tests.hardware import portrait, timecode
from tests.hardware.judging import sort
from tests.hardware.timecode import Code


@pytest.mark.parametrize("code", [Code(0, 0), Code(255, 2**24 - 1), Code(77, 0x5A17C3)])
def test_a_code_survives_a_lossy_codec_and_another_size(code):
    luma = np.full((480, 640), 130, np.uint8)
    timecode.draw(luma, code)
    for size in ((640, 480), (320, 240), (480, 360)):
        _, coded = cv2.imencode(".jpg", cv2.resize(luma, size), [cv2.IMWRITE_JPEG_QUALITY, 20])
        assert timecode.read(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)) == code


@pytest.mark.parametrize("level", [0, 110, 130, 255])
def test_a_picture_without_a_code_has_none(level):
    assert timecode.read(np.full((480, 640), level, np.uint8)) is None


@pytest.mark.slow
def test_raw_faces_slates_and_strange_pictures_are_told_apart():
    filmed = portrait.film(2)
    expected = portrait.expect(filmed, [0, 1], strength=1.0)
    strange = np.full((480, 640, 3), 128, np.uint8)
    nobody = np.full_like(filmed[0], 128)
    portrait.stamp(nobody, Code(portrait.NOBODY, 0))
    torn = expected[0].raw.copy()
    torn[40:90, :200] = 128
    pictures = [
        expected[0].raw,
        expected[1].protected,
        Slate().slate(640, 480),
        strange,
        portrait.as_seen(nobody),
        torn,
    ]
    seen = sort(pictures, filmed, strength=1.0)
    raw, protected, guessed = seen.judged
    assert (raw.index, protected.index) == (0, 1)
    assert (raw.likeness, raw.face_change) == (0, 0)
    assert not any(raw.fooled.values())
    assert protected.likeness == pytest.approx(1)
    assert protected.elsewhere_change == 0
    assert guessed.guessed
    assert guessed.torn
    assert abs(guessed.likeness) <= 0.15
    assert seen.slates == 1
    assert seen.unknown == [3, 4]
