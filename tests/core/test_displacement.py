"""The size and the strain of fields that are known in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core import displacement


def constant(x, y):
    return np.array([[[x]], [[y]]], np.float32)


def test_a_constant_field_is_as_large_as_it_says():
    assert displacement.largest(constant(0.006, 0.008)) == pytest.approx(0.01, rel=1e-3)


def test_the_strain_of_a_constant_field_is_the_slope_of_the_window():
    """The cubic step is steepest in its middle, and along the short axis of the ellipse."""
    slope = 1.5 / displacement.EDGE / 0.47
    for x, y in ((0.01, 0.0), (0.0, 0.01)):
        assert displacement.strain(constant(x, y)) == pytest.approx(0.01 * slope, rel=0.01)


def test_size_and_strain_scale_with_the_field():
    field = np.random.default_rng(0).normal(0, 0.003, (2, 6, 6)).astype(np.float32)
    for measure in (displacement.largest, displacement.strain):
        assert measure(2 * field) == pytest.approx(2 * measure(field), rel=1e-4)


def test_a_rotation_strains_by_its_angle():
    """d = a * (-y, x) turns the middle of the face by a radians: every singular value is a."""
    y, x = np.mgrid[-3.5:4.5, -3.5:4.5] / 8
    field = 0.01 * np.stack([-y, x]).astype(np.float32)
    shift = displacement.render(field, 128).astype(float)
    rows, columns = np.gradient(shift, 1 / 128, axis=(0, 1))
    middle = np.stack([columns[64, 64], rows[64, 64]], axis=-1)
    np.testing.assert_allclose(np.linalg.svd(middle, compute_uv=False), 0.01, rtol=0.02)


def test_nothing_moves_outside_of_the_face_and_the_edge_is_smooth():
    shift = displacement.render(constant(0.02, 0.02), 96)
    corners = (shift[:8, :8], shift[-8:, :8], shift[:8, -8:], shift[-8:, -8:])
    assert not any(corner.any() for corner in corners)
    assert np.abs(np.diff(shift, axis=0)).max() < 0.02 * 7.2 / 96


def test_the_strain_is_the_largest_singular_value_anywhere():
    field = np.random.default_rng(1).normal(0, 0.003, (2, 6, 6)).astype(np.float32)
    shift = displacement.render(field, displacement.MEASURED_PX).astype(float)
    rows, columns = np.gradient(shift, 1 / displacement.MEASURED_PX, axis=(0, 1))
    largest = np.linalg.svd(np.stack([columns, rows], axis=-1), compute_uv=False).max()
    assert displacement.strain(field) == pytest.approx(largest, rel=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_a_displacement_within_its_budgets_stays_as_it_is(seed):
    field = np.random.default_rng(seed).normal(0, 1e-4, (2, 6, 6)).astype(np.float32)
    np.testing.assert_array_equal(
        displacement.within(field, most_shift=0.02, most_strain=0.4), field
    )


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 0.02), st.floats(0.05, 0.4))
def test_any_displacement_is_brought_within_its_budgets(seed, shift, strain):
    field = np.random.default_rng(seed).normal(0, 0.05, (2, 6, 6)).astype(np.float32)
    bounded = displacement.within(field, most_shift=shift, most_strain=strain)
    assert bounded.dtype == np.float32
    assert displacement.largest(bounded) <= shift
    assert displacement.strain(bounded) <= strain
    assert bounded.any()
