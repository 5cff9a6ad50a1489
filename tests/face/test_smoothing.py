"""The One-Euro filter: steady at rest, quick on the move, the same at every size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core import geometry
from facecloak.face.smoothing import OneEuro, PlaceFilter, SmoothingConfig

WIDTH_PX = 200.0
FRAME_S = 1 / 30


def run(values, unit=WIDTH_PX, step_s=FRAME_S):
    one_euro = OneEuro(SmoothingConfig())
    return np.array(
        [one_euro.filter(np.array([v]), i * step_s, unit)[0] for i, v in enumerate(values)]
    )


@given(st.floats(-4000, 4000), st.floats(0.001, 1.0))
def test_what_rests_stays(value, step_s) -> None:
    np.testing.assert_allclose(run([value] * 20, step_s=step_s), value, rtol=1e-12, atol=1e-9)


@given(st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_a_step_is_reached_and_not_overshot(start, end) -> None:
    out = run([start] * 5 + [end] * 60)
    assert abs(out[-1] - end) <= 0.01 * abs(end - start) + 1e-9
    assert out.min() >= min(start, end) - 1e-6
    assert out.max() <= max(start, end) + 1e-6


def test_noise_comes_out_calmer() -> None:
    noise = np.random.default_rng(0).normal(500.0, 0.004 * WIDTH_PX, 300)
    assert np.abs(np.diff(run(noise))).mean() < 0.5 * np.abs(np.diff(noise)).mean()


def test_a_fast_move_lags_by_little() -> None:
    one_width_a_second = np.arange(60) * FRAME_S * WIDTH_PX
    lag_px = (one_width_a_second - run(one_width_a_second))[-1]
    assert 0 <= lag_px < 0.05 * WIDTH_PX


@given(st.floats(0.05, 20))
def test_a_near_and_a_distant_face_are_smoothed_alike(zoom) -> None:
    path = np.random.default_rng(1).normal(0.0, 5.0, 40).cumsum()
    np.testing.assert_allclose(run(zoom * path, zoom * WIDTH_PX), zoom * run(path), rtol=1e-6)


def test_time_counts_not_frames() -> None:
    seldom, often = run([0.0] + [1.0] * 5, step_s=0.1), run([0.0] + [1.0] * 50, step_s=0.01)
    assert seldom[-1] == pytest.approx(often[-1], abs=0.05)


def test_a_moment_that_is_not_later_repeats_the_answer() -> None:
    one_euro = OneEuro(SmoothingConfig())
    first = one_euro.filter(np.array([1.0]), 5.0, 1.0)
    assert one_euro.filter(np.array([9.0]), 5.0, 1.0) == first
    assert one_euro.filter(np.array([9.0]), 4.0, 1.0) == 9.0  # time ran backwards: start anew


@given(st.floats(16, 2000), st.floats(-3, 3), st.floats(-500, 500), st.floats(-500, 500))
def test_a_place_at_rest_is_unchanged(width, turn, x, y) -> None:
    cos, sin = width * np.cos(turn), width * np.sin(turn)
    face_from_frame = geometry.invert(np.array([[cos, -sin, x], [sin, cos, y]]))
    place_filter = PlaceFilter(SmoothingConfig())
    for i in range(4):
        out = place_filter.filter(face_from_frame, i * FRAME_S)
    np.testing.assert_allclose(out, face_from_frame, atol=1e-9)


@pytest.mark.parametrize("fault", [{"min_cutoff_hz": 0}, {"beta": -1}, {"speed_cutoff_hz": -1}])
def test_a_nonsensical_config_is_refused(fault) -> None:
    with pytest.raises(ValueError, match="smoothing"):
        SmoothingConfig(**fault)
