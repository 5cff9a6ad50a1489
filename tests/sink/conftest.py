"""Frames to write, and the place of a device."""

import cv2
import numpy as np
import pytest

from facecloak.core.types import Frame


@pytest.fixture
def make_frames():
    """Make ``count`` frames of a smooth picture that rolls to the right."""

    def make(count=1, *, size=(64, 48), rate=30, start_s=0.0):
        width, height = size
        coarse = np.random.default_rng(7).integers(20, 235, (4, 5, 3), dtype=np.uint8)
        image = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
        assert image.shape == (height, width, 3)
        return [
            Frame(np.ascontiguousarray(np.roll(image, i, 1)), float(start_s + i / rate), i)
            for i in range(count)
        ]

    return make


@pytest.fixture
def device(tmp_path):
    """A file in the place of a video device."""
    file = tmp_path / "video10"
    file.write_bytes(b"")
    return file
