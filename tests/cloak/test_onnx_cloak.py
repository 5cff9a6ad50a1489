"""The compositor's graphs against OpenCV, on the CPU here and on CUDA where there is one."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from facecloak import inference
from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core import displacement
from facecloak.core.bank import Bank
from facecloak.core.errors import ConfigError, DeviceError
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Frame
from tests.cloak.test_opencv_cloak import face_at

FIELD = np.random.default_rng(5).normal(0, 1, (2, 6, 6)).astype(np.float32)
FIELD *= np.float32(0.01 / displacement.largest(FIELD))
STATIC = np.where(np.random.default_rng(1).random((48, 48)) < 0.5, 8, -8).astype(np.float32)
HEADER = Header(eps=8.0, method="t", seed=0, datasets=(), victims=(), shift=0.0101, strain=0.2)

PATTERN = Bank.of(Perturbation(HEADER, STATIC.copy()))
BOTH = Bank.of(Perturbation(HEADER, STATIC.copy(), displacement=FIELD.copy()))
CIRCLING = Perturbation(HEADER, STATIC / 2, np.stack([STATIC[:8, :8], STATIC[8:16, :8]]) / 4)
MOVING = Bank.of(CIRCLING)


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request):
    if request.param == "cuda":
        try:
            OnnxCloak(BOTH, 1.0, "cuda")
        except DeviceError as exc:
            pytest.skip(str(exc))
    return request.param


@pytest.fixture(scope="module")
def portrait():
    """A real face: the NASA portrait that scikit-image carries."""
    picture = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)
    return Frame(cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA), 0.3, 0)


def apart(one, other):
    """Largest difference of two frames, and the share of values that differ at all."""
    difference = np.abs(one.image.astype(int) - other.image)
    return int(difference.max()), float((difference > 0).mean())


PLACES = {
    "one": [face_at(280, 80, 150)],
    "turned": [face_at(280, 80, 140, 0.6)],
    "tiny": [face_at(280, 80, 18)],
    "huge": [face_at(320, 180, 750, -0.2)],
    "at the border": [face_at(10, 5, 130), face_at(635, 350, 100, 2.0)],
    "outside": [face_at(-450, 45, 100)],
    "apart": [face_at(150, 150, 110), face_at(450, 200, 90, 0.3)],
    "overlapping": [face_at(250, 125, 150), face_at(320, 150, 140, 0.2), face_at(300, 200, 45)],
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("pattern", [PATTERN, MOVING], ids=["still", "moving"])
def test_the_graphs_add_what_opencv_adds_within_one_level(device, portrait, pattern, where):
    for strength in (0.5, 1.0):
        ours = OnnxCloak(pattern, strength, device).apply(portrait, PLACES[where])
        most, share = apart(ours, OpenCvCloak(pattern, strength).apply(portrait, PLACES[where]))
        assert most <= 1
        assert share < 0.01


@pytest.mark.parametrize("where", PLACES)
def test_the_graphs_move_what_opencv_moves_within_one_level(device, portrait, where):
    """And, for each move, 2 / 32 of what the pixels around differ by: OpenCV looks at 32nds."""
    ours = OnnxCloak(BOTH, 1.0, device).displaced(portrait, PLACES[where])
    opencv = OpenCvCloak(BOTH, 1.0).displaced(portrait, PLACES[where])
    difference = cv2.absdiff(ours.image, opencv.image)
    around = np.ones((5, 5), np.uint8)
    contrast = cv2.dilate(opencv.image, around) - cv2.erode(opencv.image, around)
    assert (difference <= 1 + 2.0 * len(PLACES[where]) * contrast / 32).all()
    assert (difference > 1).mean() < 5e-3
    assert (
        apart(
            OnnxCloak(BOTH, 1.0, device).apply(portrait, PLACES[where]),
            OpenCvCloak(BOTH, 1.0).apply(portrait, PLACES[where]),
        )[1]
        < 0.03
    )


@pytest.mark.parametrize("value", [0, 3, 252, 255])
def test_black_and_white_are_treated_alike(device, value):
    frame = Frame(np.full((200, 240, 3), value, np.uint8), 0.0, 0)
    for where in ([face_at(120, 100, 150)], [face_at(100, 100, 120), face_at(140, 100, 120)]):
        ours = OnnxCloak(BOTH, 1.0, device).apply(frame, where)
        assert apart(ours, OpenCvCloak(BOTH, 1.0).apply(frame, where))[0] <= 1


@given(
    st.integers(0, 2**32 - 1),
    st.lists(
        st.builds(
            face_at, st.floats(-30, 110), st.floats(-30, 90), st.floats(4, 200), st.floats(-3, 3)
        ),
        min_size=1,
        max_size=3,
    ),
    st.floats(0.126, 1.9),
)
def test_the_budget_holds_and_nothing_changes_elsewhere(seed, found, strength):
    image = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    frame = Frame(image, 0.0, 0)
    cloak = OnnxCloak(BOTH, strength, "cpu")
    out = cloak.apply(frame, found)
    assert apart(out, cloak.displaced(frame, found))[0] <= cloak.budget
    changed = out.image != frame.image
    for face in found:
        left, top, right, bottom = face_box(face.face_from_frame, 80, 60)
        changed[top:bottom, left:right] = False
    assert not changed.any()


@pytest.mark.parametrize("where", PLACES)
def test_the_budget_holds_on_the_device(device, portrait, where):
    cloak = OnnxCloak(BOTH, 1.0, device)
    out = cloak.apply(portrait, PLACES[where])
    assert apart(out, cloak.displaced(portrait, PLACES[where]))[0] <= cloak.budget
    changed = out.image != portrait.image
    for face in PLACES[where]:
        left, top, right, bottom = face_box(face.face_from_frame, 640, 360)
        changed[top:bottom, left:right] = False
    assert not changed.any()


def test_a_picture_that_cannot_be_brought_back_is_an_error_of_ours(portrait):
    class Lost:
        def numpy(self):
            raise RuntimeError

    cloak = OnnxCloak(BOTH, 1.0, "cpu")
    with pytest.raises(DeviceError, match=r"finish\.onnx cannot be read from cpu"):
        cloak._finish.fetch(Lost())


def test_the_picture_is_another_and_the_captured_one_is_as_it_was(device, portrait):
    before = portrait.image.copy()
    out = OnnxCloak(BOTH, 1.0, device).apply(portrait, PLACES["one"])
    assert (portrait.image == before).all()
    assert not np.may_share_memory(out.image, portrait.image)
    assert (out.captured_s, out.index) == (portrait.captured_s, portrait.index)
    assert OnnxCloak(BOTH, 1.0, device).apply(portrait, []) is portrait


def test_the_same_strengths_are_refused_as_on_the_cpu():
    for strength in (0.0, 0.01, 3.0, math.nan):
        with pytest.raises(ConfigError) as ours:
            OnnxCloak(BOTH, strength, "cpu")
        with pytest.raises(ConfigError) as opencv:
            OpenCvCloak(BOTH, strength)
        assert str(ours.value) == str(opencv.value)


def test_a_graph_that_fails_is_an_error_of_ours(portrait, monkeypatch):
    cloak = OnnxCloak(BOTH, 1.0, "cpu")
    monkeypatch.setattr(cloak, "_per_level", np.zeros(3, np.float64))
    with pytest.raises(DeviceError, match=r"face\.onnx failed to run on cpu"):
        cloak.apply(portrait, PLACES["one"])


def test_values_stay_where_a_graph_runs_and_may_be_used_again(portrait):
    cloak = OnnxCloak(PATTERN, 1.0, "cpu")
    kept = cloak._finish.bring(portrait.image)
    levels = np.zeros((360, 640), np.float32)
    for _ in range(2):
        (out,) = cloak._finish.run(kept, levels, np.array(8, np.float32))
        assert isinstance(out, type(kept))
        np.testing.assert_array_equal(out.numpy(), portrait.image)


def test_an_unknown_device_is_named():
    with pytest.raises(ConfigError, match=r"tpu.*auto, cpu, cuda"):
        inference.Graph(b"", "tpu", "x")
