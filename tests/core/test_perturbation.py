import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open
from safetensors.numpy import save_file

from facecloak.core import bank, displacement
from facecloak.core.bank import Bank
from facecloak.core.errors import ArtifactError
from facecloak.core.interpolation import cubic_matrix, enlarge, oval
from facecloak.core.perturbation import Header, Perturbation, Victim

HEADER = Header(
    eps=8.0, method="test", seed=3, datasets=("none",), victims=(Victim("V", "0" * 64),)
)


def pattern(static, *, eps=8.0, circle=None, period_s=1.0):
    header = Header(
        eps=eps, method="test", seed=3, datasets=("none",), victims=(), period_s=period_s
    )
    moving = {} if circle is None else {"circle": circle}
    return Perturbation(header, static=static, **moving)


def load(path):
    """What is for every face in a file."""
    return bank.load(path).members["any"]


grids = st.integers(2, 24).flatmap(
    lambda cells: arrays.arrays(
        np.float32, (cells, cells), elements=st.floats(-8, 8, width=32, allow_subnormal=False)
    )
)


@given(grids, st.integers(4, 200), st.floats(0, 100))
def test_no_pixel_leaves_the_budget_at_any_size_and_time(grid, size_px, t_s):
    grid[0, 0] = 1.0
    moving = pattern(grid, circle=np.stack([grid[::-1], -grid, grid.T]))
    painted = moving.render(size_px, t_s)
    assert painted.shape == (size_px, size_px)
    assert painted.dtype == np.float32
    assert np.abs(painted).max() <= 8.0
    assert not painted[oval(size_px) == 0].any()


@given(st.integers(1, 300), st.integers(1, 64))
def test_interpolation_keeps_a_constant(size_px, cells):
    np.testing.assert_allclose(cubic_matrix(size_px, cells).sum(axis=1), 1.0, atol=1e-6)


def test_interpolation_is_exact_on_a_line_away_from_the_border():
    ramp = np.tile(np.arange(16, dtype=np.float32), (16, 1))
    fine = enlarge(ramp, 64)
    at = (np.arange(64) + 0.5) / 4 - 0.5
    np.testing.assert_allclose(fine[30, 8:-8], at[8:-8], atol=1e-4)


def test_a_circle_goes_round_with_time():
    frames = np.array([3, -4, 0, 5], np.float32)[:, None, None] * np.ones((4, 4), np.float32)
    moving = pattern(np.ones((2, 2), np.float32), circle=frames, period_s=2.0)
    times = (0.0, 0.2, 0.5, 1.0, 1.5, 1.7, 1.8, 2.0, 1e6)
    centre = [moving.render(32, t_s)[16, 16] for t_s in times]
    np.testing.assert_allclose(centre, [4, 4, -3, 1, 6, 6, 4, 4, 4], atol=1e-5)
    assert moving.moves
    assert moving.reach == 6.0
    assert moving.still_eps == 1.0
    still = pattern(np.ones((4, 4), np.float32))
    assert not still.moves
    assert still.still_eps == 8.0


@pytest.mark.parametrize("camera_fps", [30, 29.97, 25, 15])
def test_no_frame_of_a_circle_is_left_out_by_a_camera_that_is_fast_enough(camera_fps):
    frames = np.arange(1, 25, dtype=np.float32)[:, None, None] / 4
    moving = pattern(np.zeros((1, 1), np.float32), circle=frames, period_s=0.8)
    seen = [moving.render(32, number / camera_fps)[16, 16] for number in range(240)]
    steps = np.diff(np.rint(np.multiply(seen, 4)).astype(int)) % 24
    assert set(steps) <= {int(30 / camera_fps), -int(-30 // camera_fps)}


def test_files_with_a_quadrature_pair_are_read_as_its_circle(tmp_path):
    fields = json.loads(json.dumps(dataclasses.asdict(HEADER))) | {"format": 2, "period_s": 0.8}
    del fields["answers"], fields["selector"]
    tensors = {
        "static": np.full((4, 4), 1, np.float32),
        "cosine": np.full((2, 2), 3, np.float32),
        "sine": np.full((2, 2), 4, np.float32),
        "displacement": np.zeros((2, 1, 1), np.float32),
    }
    path = tmp_path / "old.safetensors"
    save_file(tensors, path, metadata={"facecloak": json.dumps(fields)})
    read = load(path)
    assert read.circle.shape == (24, 2, 2)
    for t_s in (0.0, 0.2, 0.4, 1.1):
        exact = 1 + 3 * np.cos(2 * np.pi * t_s / 0.8) + 4 * np.sin(2 * np.pi * t_s / 0.8)
        assert read.render(32, t_s)[16, 16] == pytest.approx(exact, abs=1e-3)
    Bank.of(read).save(tmp_path / "new.safetensors")
    again = load(tmp_path / "new.safetensors")
    assert again.header.format == 4
    np.testing.assert_array_equal(again.circle, read.circle)
    save_file(
        tensors | {"sine": np.zeros(2, np.float32)},
        path,
        metadata={"facecloak": json.dumps(fields)},
    )
    with pytest.raises(ArtifactError, match="sine must be"):
        load(path)


def test_oval_covers_the_face_and_spares_the_corners():
    mask = oval(96)
    assert mask[48, 48] == 1.0
    assert mask[30:80, 25:70].min() > 0.9
    for corner in (mask[:12, :12], mask[-12:, :12], mask[:12, -12:], mask[-12:, -12:]):
        assert not corner.any()
    np.testing.assert_allclose(mask, mask[:, ::-1], atol=1e-6)


def test_file_round_trip(tmp_path):
    static = np.random.default_rng(0).uniform(-5, 5, (32, 32)).astype(np.float32)
    made = Perturbation(HEADER, static, np.full((2, 8, 8), 2, np.float32))
    Bank.of(made).save(tmp_path / "p.safetensors")
    read = load(tmp_path / "p.safetensors")
    assert read.header == HEADER
    for name in ("static", "circle", "displacement"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert [path.name for path in tmp_path.iterdir()] == ["p.safetensors"]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        pytest.param("eps", 4.0, "more than its eps", id="smaller eps than the pattern"),
        pytest.param("eps", 200.0, "eps 200", id="eps out of range"),
        pytest.param("eps", "8", "str", id="eps of the wrong type"),
        pytest.param("format", 99, "format 99", id="another format"),
        pytest.param("period_s", 1e-320, "period_s", id="a period that nothing can follow"),
        pytest.param("period_s", 1e308, "period_s", id="an endless period"),
        pytest.param("period_s", float("nan"), "period_s", id="a period that is no number"),
        pytest.param("norm", "l2", "norm", id="another norm"),
        pytest.param("template", "mine", "template", id="another geometry"),
        pytest.param("colour", "red", "colour", id="unknown field"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path, field, value, reason):
    path = tmp_path / "p.safetensors"
    Bank.of(Perturbation(HEADER, np.full((8, 8), 8, np.float32))).save(path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["facecloak"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata={"facecloak": json.dumps(header | {field: value})})
    with pytest.raises(ArtifactError, match=reason):
        load(path)


MOVED = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), shift=0.01, strain=0.08)
RIGHT = np.array([[[0.01]], [[0.0]]], np.float32)


def test_a_displacement_round_trips_and_needs_no_pattern(tmp_path):
    made = Perturbation(MOVED, np.zeros((1, 1), np.float32), displacement=RIGHT)
    Bank.of(made).save(tmp_path / "p.safetensors")
    read = load(tmp_path / "p.safetensors")
    assert read.displaces
    assert read.header == MOVED
    np.testing.assert_array_equal(read.displacement, RIGHT)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"shift": 0.009}, "shift of 0.0100", id="smaller shift than the field"),
        pytest.param({"strain": 0.06}, "strain of 0.07", id="smaller strain than the field"),
        pytest.param({"shift": 0.5}, "shift 0.5", id="shift out of range"),
        pytest.param({"strain": float("nan")}, "strain nan", id="strain that is no number"),
        pytest.param({"format": 1}, "format 1", id="a format without displacement"),
    ],
)
def test_a_displacement_that_its_header_does_not_allow_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        Perturbation(
            dataclasses.replace(MOVED, **changes), np.zeros((1, 1), np.float32), displacement=RIGHT
        )


@pytest.mark.parametrize(
    "field", [np.zeros((2, 3, 4)), np.zeros((3, 3)), np.full((2, 2, 2), np.inf)]
)
def test_a_displacement_of_the_wrong_form_is_refused(field):
    with pytest.raises(ValueError, match="displacement"):
        Perturbation(MOVED, np.ones((1, 1), np.float32), displacement=field.astype(np.float32))


@pytest.mark.parametrize("content", [b"", b"not a file", b"\x80\x04pickle" * 30])
def test_what_is_not_a_perturbation_is_refused(tmp_path, content):
    path = tmp_path / "p.safetensors"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="damaged"):
        load(path)


def test_missing_file_and_missing_tensor(tmp_path):
    with pytest.raises(ArtifactError, match="no such file"):
        load(tmp_path / "none.safetensors")
    save_file({"static": np.zeros((2, 2), np.float32)}, tmp_path / "q.safetensors")
    with pytest.raises(ArtifactError, match="facecloak"):
        load(tmp_path / "q.safetensors")


def test_a_pattern_that_changes_nothing_is_refused():
    with pytest.raises(ValueError, match="would change no pixel"):
        pattern(np.full((4, 4), 0.4, np.float32))


def test_the_golden_file_of_format_1_is_still_read():
    """Never made again: a reader that cannot read it breaks every shipped perturbation."""
    golden = load(Path(__file__).parents[1] / "golden" / "perturbation-1.safetensors")
    assert golden.header.eps == 6.0
    assert golden.header.victims == (Victim("Golden", "ab" * 32),)
    assert golden.header.measured == {"fooling_rate": 0.5}
    expected = [[3.0, -3.0], [1.5, 0.0]]
    np.testing.assert_array_equal(golden.static, np.array(expected, np.float32))
    np.testing.assert_allclose(golden.render(8, 0.2)[4, 3:5], [2.1436, 1.0490], atol=1e-3)


def test_the_golden_file_of_format_2_is_still_read():
    """Never made again, as that of format 1."""
    golden = load(Path(__file__).parents[1] / "golden" / "perturbation-2.safetensors")
    assert (golden.header.format, golden.header.shift, golden.header.strain) == (4, 0.01, 0.1)
    assert displacement.largest(golden.displacement) == pytest.approx(0.009, rel=0.01)
    np.testing.assert_array_equal(golden.static, np.array([[2.0, -2.0], [2.0, 1.0]], np.float32))


def test_the_golden_file_of_format_4_is_still_read():
    """Never made again, as that of format 1."""
    golden = load(Path(__file__).parents[1] / "golden" / "perturbation-4.safetensors")
    assert (golden.header.format, golden.header.period_s) == (4, 0.1)
    np.testing.assert_array_equal(golden.static, np.array([[2.0, -2.0], [2.0, 1.0]], np.float32))
    np.testing.assert_array_equal(golden.circle[:, 0, 0], np.float32([1, -2, 3]))


@pytest.mark.parametrize(
    "static",
    [
        np.full((4, 4), np.nan, np.float32),
        np.zeros((4, 5), np.float32),
        np.zeros((4, 4), np.float64),
        np.zeros((0, 0), np.float32),
        np.full((4, 4), 8.1, np.float32),
    ],
)
def test_a_pattern_of_the_wrong_form_is_refused(static):
    with pytest.raises(ValueError, match=r"static|eps"):
        pattern(static)
