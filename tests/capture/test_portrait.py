import numpy as np
import pytest

from facecloak.capture import portrait
from facecloak.capture.portrait import PERIOD_S, Portrait


def test_it_needs_no_network(monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    picture = Portrait().picture(0.0)
    assert (picture.dtype, picture.shape) == (np.uint8, (720, 1280, 3))


def test_the_loop_has_no_seam():
    moving = Portrait()
    assert np.array_equal(moving.picture(0.0), moving.picture(PERIOD_S))
    nearly = PERIOD_S - 1e-6
    assert portrait._view(nearly) == pytest.approx(portrait._view(0.0), abs=1e-2)
    assert portrait._weights(nearly) == pytest.approx(portrait._weights(0.0), abs=1e-4)


def test_the_camera_never_leaves_the_photograph():
    corners = np.array([[0, 0], [1279, 0], [0, 719], [1279, 719]])
    for time_s in np.arange(0, PERIOD_S, 1 / 30):
        matrix = portrait._view(time_s)
        plate = np.linalg.solve(matrix[:, :2], (corners - matrix[:, 2]).T)
        assert plate.min() >= 0
        assert plate.max() <= 512 * portrait._PLATE_SCALE - 1


def test_no_field_tears_the_face_or_reaches_the_border():
    fields = portrait._fields()
    border = [fields[:, 0], fields[:, -1], fields[:, :, 0], fields[:, :, -1]]
    assert max(np.abs(line).max() for line in border) == 0
    # Where a pixel is taken from has to advance from pixel to pixel: a step >= 1 is a fold.
    assert np.diff(fields[..., 0], axis=2).max() < 1
    assert np.diff(fields[..., 1], axis=1).max() < 1
