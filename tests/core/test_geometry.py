"""The similarity transforms, in closed form and as properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core import geometry
from facecloak.core.errors import DegenerateFace


def transform(scale: float, degrees: float, x: float, y: float):
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return np.array([[cos, -sin, x], [sin, cos, y]])


shifts = st.floats(-2000, 2000)
transforms = st.builds(transform, st.floats(0.01, 100), st.floats(-180, 180), shifts, shifts)
clouds = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=9).map(
    lambda points: np.array([(-1.0, 0.0), (1.0, 0.5), *points])
)


@given(clouds, transforms)
def test_similarity_recovers_the_transform_that_made_the_points(points, made) -> None:
    found = geometry.similarity(points, geometry.apply(made, points))
    np.testing.assert_allclose(found, made, rtol=1e-9, atol=1e-8)


@given(transforms, clouds)
def test_there_and_back_is_where_it_began(matrix, points) -> None:
    identity = geometry.compose(geometry.invert(matrix), matrix)
    np.testing.assert_allclose(identity, np.eye(2, 3), atol=1e-7)
    back = geometry.apply(geometry.invert(matrix), geometry.apply(matrix, points))
    np.testing.assert_allclose(back, points, atol=1e-7)


@given(transforms, transforms, clouds)
def test_compose_applies_the_inner_one_first(outer, inner, points) -> None:
    stepwise = geometry.apply(outer, geometry.apply(inner, points))
    at_once = geometry.apply(geometry.compose(outer, inner), points)
    np.testing.assert_allclose(at_once, stepwise, rtol=1e-9, atol=1e-6)


def test_similarity_is_the_least_squares_one_and_never_a_reflection() -> None:
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    stretched = square * (3.0, 1.0)
    np.testing.assert_allclose(
        geometry.similarity(square, stretched), [[2, 0, 0.5], [0, 2, -0.5]], atol=1e-12
    )
    rectangle_mirrored = stretched * (1.0, -1.0)
    assert np.linalg.det(geometry.similarity(stretched, rectangle_mirrored)[:, :2]) > 0


@pytest.mark.parametrize("points", [np.ones((4, 2)), np.full((4, 2), np.nan)])
def test_points_without_extent_are_degenerate(points) -> None:
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    with pytest.raises(DegenerateFace):
        geometry.similarity(points, square)
    with pytest.raises(DegenerateFace):
        geometry.similarity(square, points)


def test_a_flat_transform_has_no_inverse_and_no_width() -> None:
    with pytest.raises(DegenerateFace):
        geometry.invert(np.zeros((2, 3)))
    with pytest.raises(DegenerateFace):
        geometry.face_width_px(np.zeros((2, 3)))


def test_a_crop_has_its_pixel_centres_at_whole_numbers() -> None:
    edges_and_middle = np.array([(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)])
    crop = geometry.apply(geometry.crop_from_face(48), edges_and_middle)
    np.testing.assert_allclose(crop, [(-0.5, -0.5), (47.5, 47.5), (23.5, 23.5)])


@given(st.floats(8, 4000), st.floats(-180, 180), shifts, shifts)
def test_face_width_is_the_side_of_the_square(width, degrees, x, y) -> None:
    face_from_frame = geometry.invert(transform(width, degrees, x, y))
    assert geometry.face_width_px(face_from_frame) == pytest.approx(width)


@pytest.mark.parametrize(
    ("points", "mirror"),
    [
        (geometry.TEMPLATE_POINTS, geometry.TEMPLATE_MIRROR),
        (geometry.KEYPOINT_POINTS, geometry.KEYPOINT_MIRROR),
    ],
)
def test_the_template_is_symmetric_and_read_only(points, mirror) -> None:
    np.testing.assert_allclose(points[list(mirror)], (1.0, 0.0) + points * (-1.0, 1.0))
    with pytest.raises(ValueError, match="read-only"):
        points[0] = 0.0
