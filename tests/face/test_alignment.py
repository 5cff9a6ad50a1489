"""Where a face is, from landmarks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core import geometry
from facecloak.core.types import Face, Sighting
from facecloak.face.alignment import from_keypoints, from_mesh
from facecloak.face.smoothing import SmoothingConfig
from facecloak.face.tracking import Tracker, TrackingConfig


def placed(points, side=200.0, angle=0.0):
    """Points of the face in a picture, in which the face is so large and so turned."""
    cos, sin = side * np.cos(angle), side * np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]]) + (320.0, 240.0)


@given(st.floats(20, 900), st.floats(-3, 3))
def test_a_face_that_looks_ahead_ends_at_its_temples(side, angle):
    place = from_mesh(placed(geometry.TEMPLATE_POINTS, side, angle))
    assert place.sides == pytest.approx((0.1219, 0.8781), abs=1e-6)
    assert place.width_px == pytest.approx(side)


def seen_turned(radians):
    """The landmarks of a head that is turned, which is taken for a ball."""
    points = geometry.TEMPLATE_POINTS.copy()
    across = (points[:, 0] - 0.5) / 0.4
    points[:, 0] = 0.5 + 0.4 * np.sin(np.arcsin(across) + radians)
    return points


def test_a_head_that_is_turned_ends_sooner_on_one_side():
    lefts, rights = zip(
        *(from_mesh(placed(seen_turned(turn))).sides for turn in (0.0, 0.2, 0.4, 0.6)), strict=True
    )
    assert (np.diff(rights) < -0.04).all()
    assert max(lefts) < 0.13
    mirrored = from_mesh(placed(seen_turned(-0.6))).sides
    assert mirrored == pytest.approx((1 - rights[-1], 1 - lefts[-1]), abs=1e-6)


def test_where_a_face_ends_goes_with_it_and_is_not_known_of_a_few_points():
    tracker = Tracker(TrackingConfig(), SmoothingConfig())
    place = from_mesh(placed(seen_turned(0.5)))
    (face,) = tracker.update([place], {}, at_s=0.0).found
    assert face.sides == place.sides
    few = from_keypoints((placed(geometry.KEYPOINT_POINTS), 0.9))
    assert few.sides == (0.0, 1.0)
    assert few.sighting is Sighting.KEYPOINTS


def test_the_sides_of_a_face_come_and_go_without_a_jump():
    """A mesh that loses a head that is turned, and finds it again, must not let the edge blink."""
    tracker = Tracker(TrackingConfig(), SmoothingConfig())
    mesh = from_mesh(placed(seen_turned(0.6)))
    keypoints = replace(mesh, sighting=Sighting.KEYPOINTS, sides=(0.0, 1.0))
    rights = []
    for number, place in enumerate([mesh] * 5 + [keypoints] * 30 + [mesh] * 30):
        (face,) = tracker.update([place], {}, at_s=number / 30).found
        rights.append(face.sides[1])
    assert rights[:5] == pytest.approx([mesh.sides[1]] * 5)
    assert rights[34] > 0.99
    assert rights[-1] == pytest.approx(mesh.sides[1], abs=0.01)
    assert np.abs(np.diff(rights)).max() < 0.07


def test_the_sides_of_a_head_that_turns_are_followed_at_once():
    tracker = Tracker(TrackingConfig(), SmoothingConfig())
    for number, turn in enumerate(np.arange(0.1, 0.6, 0.05)):
        mesh = from_mesh(placed(seen_turned(turn)))
        (face,) = tracker.update([mesh], {}, at_s=number / 30).found
        assert face.sides == pytest.approx(mesh.sides)


def test_a_face_without_sides_that_are_numbers_is_refused():
    with pytest.raises(ValueError, match="finite"):
        Face(0, np.eye(2, 3), sides=(0.1, float("nan")))
