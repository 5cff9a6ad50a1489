import dataclasses
import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import geometry
from facecloak.core.bank import Bank
from facecloak.core.errors import ConfigError
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Face, Frame


def perturbation(static, eps=8.0, field=None):
    budgets = {} if field is None else {"shift": 0.01, "strain": 0.2}
    header = Header(eps=eps, method="test", seed=0, datasets=(), victims=(), **budgets)
    moved = {} if field is None else {"displacement": np.array(field, np.float32)}
    return Bank.of(Perturbation(header, static=static.astype(np.float32), **moved))


def face_at(x, y, side, angle=0.0, track=1):
    """A face whose square has this centre, side and turn, in pixels and radians."""
    cos, sin = math.cos(angle) * side, math.sin(angle) * side
    linear = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([x, y]) - linear @ [0.5, 0.5]
    return Face(track, geometry.invert(np.hstack([linear, shift[:, None]])))


def grey(height=120, width=160, value=128):
    return Frame(np.full((height, width, 3), value, np.uint8), 0.0, 0)


def change(before, after):
    return after.image.astype(int) - before.image.astype(int)


RANDOM = np.where(np.random.default_rng(1).random((16, 16)) < 0.5, 8.0, -8.0)

faces = st.builds(
    face_at, st.floats(-60, 220), st.floats(-60, 180), st.floats(4, 400), st.floats(-3.2, 3.2)
)
pictures = st.integers(0, 2**32 - 1).map(
    lambda seed: Frame(
        np.random.default_rng(seed).integers(0, 256, (120, 160, 3), dtype=np.uint8), 0.0, 0
    )
)


@given(pictures, st.lists(faces, min_size=1, max_size=4), st.floats(0.126, 2.0))
def test_the_budget_holds_and_nothing_changes_elsewhere(frame, found, strength):
    cloak = OpenCvCloak(perturbation(RANDOM), strength)
    moved = change(frame, cloak.apply(frame, found))
    assert np.abs(moved).max() <= cloak.budget <= 8 * strength + 1e-6
    for face in found:
        left, top, right, bottom = face_box(face.face_from_frame, 160, 120)
        moved[top:bottom, left:right] = 0
    assert not moved.any()


def test_a_constant_pattern_moves_the_face_by_exactly_that():
    frame = grey()
    moved = change(
        frame, OpenCvCloak(perturbation(np.full((8, 8), 5.0))).apply(frame, [face_at(80, 60, 80)])
    )
    assert (moved[50:70, 70:90] == 5).all()
    assert (moved[..., 0] == moved[..., 1]).all()
    assert (moved[..., 0] == moved[..., 2]).all()
    assert not moved[:15].any()


def test_the_pattern_sits_where_the_face_is():
    """A pattern bright on the left half of the face only, on a face turned by a quarter."""
    static = np.zeros((16, 16))
    static[:, :8] = 8.0
    frame = grey(200, 200)
    upright = change(
        frame, OpenCvCloak(perturbation(static)).apply(frame, [face_at(100, 100, 120)])
    )
    assert upright[100, 70, 0] == 8
    assert upright[100, 130, 0] == 0
    turned = change(
        frame,
        OpenCvCloak(perturbation(static)).apply(frame, [face_at(100, 100, 120, angle=math.pi / 2)]),
    )
    assert turned[70, 100, 0] == 8
    assert turned[130, 100, 0] == 0


def test_black_and_white_do_not_wrap_around():
    for value, extreme in ((255, 8.0), (0, -8.0)):
        frame = grey(value=value)
        out = OpenCvCloak(perturbation(np.full((4, 4), extreme))).apply(
            frame, [face_at(80, 60, 90)]
        )
        assert (out.image == value).all()


def test_strength_scales_the_pattern():
    frame = grey()
    half, double = (
        change(
            frame,
            OpenCvCloak(perturbation(RANDOM, 8.0), strength).apply(frame, [face_at(80, 60, 90)]),
        )
        for strength in (0.5, 2.0)
    )
    assert np.abs(half).max() == 4
    assert np.abs(double).max() == 16


@pytest.mark.parametrize("strength", [0.0, -1.0, 2.5, float("nan")])
def test_an_impossible_strength_is_refused(strength):
    with pytest.raises(ConfigError, match="strength"):
        OpenCvCloak(perturbation(RANDOM), strength)


@pytest.mark.parametrize("strength", [0.01, 0.1, 0.124])
def test_a_strength_that_would_change_nothing_is_refused(strength):
    with pytest.raises(ConfigError, match=r"no pixel.*at least 0\.125"):
        OpenCvCloak(perturbation(RANDOM), strength)


@given(faces, st.floats(0.13, 2.0))
def test_a_visible_face_is_never_left_as_it_was(face, strength):
    frame = grey()
    left, top, right, bottom = face_box(face.face_from_frame, 160, 120)
    if geometry.face_width_px(face.face_from_frame) < 16 or not (left < 70 and right > 90):
        return
    if top < 50 and bottom > 70:
        assert change(frame, OpenCvCloak(perturbation(RANDOM), strength).apply(frame, [face])).any()


def test_a_strength_that_breaks_the_limit_is_refused_with_the_largest_possible():
    with pytest.raises(ConfigError, match=r"at most 1\.33"):
        OpenCvCloak(perturbation(RANDOM, 12.0), 1.5)


def test_the_captured_frame_is_never_written_to():
    frame = grey()
    out = OpenCvCloak(perturbation(RANDOM)).apply(frame, [face_at(80, 60, 90)])
    assert (frame.image == 128).all()
    assert not np.may_share_memory(out.image, frame.image)
    assert (out.captured_s, out.index) == (frame.captured_s, frame.index)


def test_a_moving_pattern_follows_the_time_of_the_frame():
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), period_s=1.0)
    pulse = Perturbation(
        header,
        np.zeros((2, 2), np.float32),
        np.float32([8, 0, -8, 4])[:, None, None] * np.ones((2, 2), np.float32),
    )
    cloak = OpenCvCloak(Bank.of(pulse))
    centre = [
        change(frame, cloak.apply(frame, [face_at(80, 60, 90)]))[60, 80, 0]
        for frame in (Frame(grey().image.copy(), t_s, 0) for t_s in (0.0, 0.25, 0.5))
    ]
    assert centre == [8, 0, -8]


NOTHING = np.zeros((1, 1))
RIGHT = [[[0.01]], [[0.0]]]
WAVY = np.random.default_rng(2).normal(0, 0.002, (2, 6, 6))


def slope():
    """Grey that rises by a level with each pixel to the right."""
    row = np.arange(250, dtype=np.uint8)
    return Frame(np.repeat(np.tile(row, (250, 1))[..., None], 3, 2), 0.0, 0)


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("angle", [0.0, 0.5, math.pi])
def test_a_face_shows_what_is_beside_it_and_the_shift_turns_with_it(strength, angle):
    frame, side = slope(), 200
    cloak = OpenCvCloak(perturbation(NOTHING, field=RIGHT), strength)
    moved = change(frame, cloak.displaced(frame, [face_at(125, 125, side, angle)]))
    expected = 0.01 * strength * side * math.cos(angle)
    assert moved[115:135, 115:135].mean() == pytest.approx(expected, abs=0.51)


def test_how_far_a_face_is_moved_is_told_as_it_is_done():
    frame, face = slope(), face_at(125, 125, 200)
    cloak = OpenCvCloak(perturbation(NOTHING, field=WAVY), 2.0)
    (shift,) = cloak.shifts(frame, [face])
    moved = change(frame, cloak.displaced(frame, [face]))[25:225, 25:225, 0]
    right = cv2.resize(shift[..., 0], (200, 200)) * 200  # a slope rises by a level a pixel
    assert np.abs(moved - right).max() < 1.0
    assert np.abs(moved).max() > 1
    assert OpenCvCloak(perturbation(RANDOM)).shifts(frame, [face]) == [None]


@given(pictures, st.lists(faces, min_size=1, max_size=4), st.floats(0.126, 2.0))
def test_the_budget_holds_on_top_of_the_moved_faces(frame, found, strength):
    cloak = OpenCvCloak(perturbation(RANDOM, field=WAVY), strength)
    added = change(cloak.displaced(frame, found), cloak.apply(frame, found))
    assert np.abs(added).max() <= cloak.budget <= 8 * strength + 1e-6
    changed = change(frame, cloak.apply(frame, found))
    for face in found:
        left, top, right, bottom = face_box(face.face_from_frame, 160, 120)
        changed[top:bottom, left:right] = 0
    assert not changed.any()


@given(faces)
def test_a_flat_picture_stays_flat_however_a_face_moves(face):
    frame = grey()
    cloak = OpenCvCloak(perturbation(NOTHING, field=WAVY), 2.0)
    assert (cloak.displaced(frame, [face]).image == 128).all()


def test_the_corners_of_a_moved_face_stay_where_they_are():
    rng = np.random.default_rng(0)
    frame = Frame(rng.integers(0, 256, (300, 300, 3), dtype=np.uint8), 0.0, 0)
    cloak = OpenCvCloak(perturbation(NOTHING, field=RIGHT), 1.0)
    moved = change(frame, cloak.displaced(frame, [face_at(150, 150, 200)]))
    assert moved[100:200, 100:200].any()
    for rows in (slice(50, 65), slice(236, 250)):
        for columns in (slice(50, 65), slice(236, 250)):
            assert not moved[rows, columns].any()


def test_two_faces_that_overlap_are_both_moved():
    frame, both = slope(), [face_at(85, 125, 150), face_at(165, 125, 150)]
    cloak = OpenCvCloak(perturbation(NOTHING, field=RIGHT), 2.0)
    moved = change(frame, cloak.displaced(frame, both))
    assert moved[125, 65:75].mean() == pytest.approx(3.0, abs=0.5)
    assert moved[125, 175:185].mean() == pytest.approx(3.0, abs=0.5)


def test_a_strength_that_bends_faces_too_far_is_refused_with_the_largest_possible():
    header = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), shift=0.016, strain=0.1)
    wide = Perturbation(header, RANDOM.astype(np.float32), displacement=np.array(RIGHT, np.float32))
    with pytest.raises(ConfigError, match=r"bend faces.*at most 1\.25"):
        OpenCvCloak(Bank.of(wide), 1.5)


def turned(left, right):
    return dataclasses.replace(face_at(125, 125, 200), sides=(left, right))


@pytest.mark.parametrize("cloak", [OpenCvCloak, lambda bank: OnnxCloak(bank, 1.0, "cpu")])
def test_beside_a_head_that_is_turned_nothing_is_added_and_on_it_all_is(cloak):
    made = cloak(perturbation(np.full((4, 4), 8.0)))
    frame = grey(250, 250)

    def added(face):
        return change(frame, made.apply(frame, [face]))[125, :, 0]

    ahead = added(face_at(125, 125, 200))
    np.testing.assert_array_equal(added(turned(0.12, 0.88)), ahead)
    np.testing.assert_array_equal(added(turned(0.05, 0.85)), ahead)
    assert ahead[60] == 8
    for row in (added(turned(0.35, 0.97)), added(turned(0.03, 0.65))[::-1]):
        assert not row[: 25 + 58].any()  # up to 0.3 of the face's 200 pixels, less one
        np.testing.assert_array_equal(row[25 + 71 : 200], ahead[25 + 71 : 200])
        rises = row[25 + 58 : 25 + 71]
        assert (np.diff(rises) >= 0).all()
    assert (added(turned(0.9, 0.1))[120:130] == 8).all()


def test_the_sides_of_a_head_come_in_without_a_jump():
    cloak = OpenCvCloak(perturbation(np.full((4, 4), 8.0)))
    frame = grey(250, 250)
    rows = [
        change(frame, cloak.apply(frame, [turned(side, 0.9)]))[125, :, 0]
        for side in np.arange(0.1, 0.45, 1 / 128)
    ]
    assert max(np.abs(np.diff(rows, axis=0)).max(axis=1)) <= 5
    assert rows[-1].sum() < 0.8 * rows[0].sum()
