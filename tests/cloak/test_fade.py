"""Both compositors with a bank: what a face gets while it has a member, and while it changes."""

import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from facecloak.cloak.dose import Dose
from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.cloak.selector import FADE_S
from facecloak.core import displacement
from facecloak.core.bank import Bank
from facecloak.core.errors import ConfigError, DeviceError
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Frame
from tests.cloak.test_opencv_cloak import change, face_at, slope
from tests.cloak.test_selector import says

HEADER = Header(
    eps=6.0, method="t", seed=0, datasets=(), victims=(), shift=0.0101, strain=0.2, period_s=0.7,
    format=5, answers=("happy", "sad", "angry"), selector="Net",
)  # fmt: skip
NONE = np.zeros((2, 1, 1), np.float32)


def random(seed, share=1.0):
    """Signs on a grid of their own, and a field of the whole shift."""
    rng = np.random.default_rng(seed)
    field = rng.normal(0, 1, (2, 6, 6)).astype(np.float32)
    field *= np.float32(0.01 / displacement.largest(field))
    size = 16 * seed
    return np.float32(6 * share) * np.where(rng.random((size, size)) < 0.5, 1, -1).astype(
        np.float32
    ), field


def bank(*, moved=True, circling=True):
    """Members with grids of different sizes, which change with time; one moves nothing."""
    (any_, a), (happy, b), (sad, _), (angry, c) = (
        random(1), random(2), random(3), random(1, 0.5),
    )  # fmt: skip
    circle = np.float32([2, -2, -1, 1])[:, None, None] * np.ones((4, 4), np.float32) * circling
    a, b, c = (a, b, c) if moved else (NONE, NONE, NONE)
    return Bank(
        HEADER,
        {
            "any": Perturbation(HEADER, any_, circle, a.copy()),
            "happy": Perturbation(HEADER, happy, circle, b.copy()),
            "sad": Perturbation(HEADER, sad, circle),
            "angry": Perturbation(HEADER, angry, circle, c.copy()),
        },
    )


BANK, STILL = bank(), bank(moved=False)
FACE, OTHER = face_at(280, 80, 150, track=1), face_at(330, 130, 140, 0.2, track=2)
SHARES = [0.0, 0.3, 0.5, 0.8, 1.0]


@pytest.fixture(params=["opencv", "onnx on cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def compositor(request):
    if request.param == "opencv":
        return OpenCvCloak
    device = "cuda" if request.param == "cuda" else "cpu"
    try:
        OnnxCloak(BANK, 1.0, device)
    except DeviceError as exc:
        pytest.skip(str(exc))
    return lambda given, strength=1.0: OnnxCloak(given, strength, device)


@pytest.fixture(scope="module")
def portrait():
    """A real face: the NASA portrait that scikit-image carries."""
    picture = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)
    return cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)


def fading(cloak, image, share, labels=("happy", "sad"), *, faces=(FACE, OTHER)):
    """The frame at which each face has come so far from ``"any"`` to its member."""
    cloak.apply(Frame(image, 5.0, 0), faces)
    cloak.hear([says(label, 5.0, track=n + 1) for n, label in enumerate(labels)])
    return Frame(image, 5.0 + share * FADE_S, 1)


def alone(label, given=BANK):
    """A bank that has this member for every face."""
    header = dataclasses.replace(HEADER, format=4, answers=(), selector="")
    return Bank.of(dataclasses.replace(given.member(label), header=header))


@pytest.mark.parametrize("label", BANK.labels)
@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_a_face_on_a_member_looks_as_if_there_were_no_other(compositor, portrait, label, strength):
    cloak, only = compositor(BANK, strength), compositor(alone(label), strength)
    cloak.hear([says(label, 4.9)])
    frame = Frame(portrait, 5.0, 0)
    for show in ("apply", "displaced"):
        expected = getattr(only, show)(frame, [FACE]).image
        np.testing.assert_array_equal(getattr(cloak, show)(frame, [FACE]).image, expected)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("labels", [("happy", "sad"), ("angry", "angry")])
def test_both_compositors_fade_alike(compositor, portrait, share, labels):
    ours, opencv = compositor(STILL), OpenCvCloak(STILL)
    one, other = (
        cloak.apply(fading(cloak, portrait, share, labels), [FACE, OTHER])
        for cloak in (ours, opencv)
    )
    difference = np.abs(change(one, other))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("share", SHARES)
def test_both_compositors_move_alike_while_a_face_changes(compositor, portrait, share):
    """Within what ``test_onnx_cloak`` grants to a face that is moved."""
    one, other = (
        cloak.displaced(fading(cloak, portrait, share), [FACE, OTHER])
        for cloak in (compositor(BANK), OpenCvCloak(BANK))
    )
    difference = cv2.absdiff(one.image, other.image)
    around = np.ones((5, 5), np.uint8)
    contrast = cv2.dilate(other.image, around) - cv2.erode(other.image, around)
    assert (difference <= 1 + 2.0 * 2 * contrast / 32).all()
    assert (difference > 1).mean() < 5e-3


def test_a_pattern_fades_evenly(compositor):
    """Between +4 and -4 levels, so that half way nothing is added."""
    header = dataclasses.replace(HEADER, answers=("happy",))
    flat = {"any": 4, "happy": -4}
    given = Bank(
        header,
        {
            name: Perturbation(header, np.full((2, 2), levels, np.float32))
            for name, levels in flat.items()
        },
    )
    cloak, grey = compositor(given), np.full((200, 300, 3), 128, np.uint8)
    face = face_at(150, 100, 120)
    added = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        frame = fading(cloak, grey, share, ("happy",), faces=[face])
        added.append(int(cloak.apply(frame, [face]).image[100, 150, 0]) - 128)
        cloak = compositor(given)
    assert added == [4, 2, 0, -2, -4]


@pytest.mark.parametrize("share", [0.1, 0.3, 1 / 3, 0.6, 0.9])
@pytest.mark.parametrize("face_px", [40, 150, 700])
def test_a_mix_of_two_alike_is_either_of_them(share, face_px):
    """So a mix is rounded, not cut off."""
    header = dataclasses.replace(HEADER, answers=("happy",))
    static, field = random(2)
    dose = Dose(
        Bank(
            header,
            {name: Perturbation(header, static, displacement=field) for name in ("any", "happy")},
        ),
        1.0,
    )
    mix = {"any": share, "happy": 1 - share}
    face = face_at(400, 400, face_px)
    expected = dose.steps({"any": 1.0}, face, 0.0)
    np.testing.assert_array_equal(dose.steps(mix, face, 0.0), expected)
    np.testing.assert_allclose(dose.shift(mix), dose.shift({"any": 1.0}), atol=1e-8)


def test_a_shift_fades_evenly(compositor):
    right = np.array([[[0.01]], [[0.0]]], np.float32)
    header = dataclasses.replace(HEADER, answers=("happy",))
    given = Bank(
        header,
        {
            "any": Perturbation(header, np.full((1, 1), 3, np.float32)),
            "happy": Perturbation(header, np.full((1, 1), 3, np.float32), displacement=right),
        },
    )
    frame, face, moved = slope(), face_at(125, 125, 200), []
    for share in (0.0, 0.5, 1.0):
        cloak = compositor(given, 1.8)
        later = fading(cloak, frame.image, share, ("happy",), faces=[face])
        moved.append(change(later, cloak.displaced(later, [face]))[115:135, 115:135].mean())
    assert moved == pytest.approx([0.0, 1.8, 3.6], abs=0.51)


pictures = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
)
places = st.builds(
    face_at, st.floats(-30, 110), st.floats(-30, 90), st.floats(4, 200), st.floats(-3, 3)
)


@pytest.mark.parametrize("kind", [OpenCvCloak, lambda *a: OnnxCloak(*a, "cpu")], ids=["cv", "onnx"])
@given(
    image=pictures,
    found=st.lists(places, min_size=1, max_size=3),
    labels=st.lists(st.sampled_from(BANK.labels), min_size=3, max_size=3),
    share=st.floats(0, 1),
    strength=st.floats(0.34, 1.9),
)
def test_every_mix_keeps_the_budget_and_the_rest_of_the_picture(
    kind, image, found, labels, share, strength
):
    found = [dataclasses.replace(one, track=n + 1) for n, one in enumerate(found)]
    cloak = kind(BANK, strength)
    frame = fading(cloak, image, share, labels, faces=found)
    out = cloak.apply(frame, found)
    assert np.abs(change(cloak.displaced(frame, found), out)).max() <= cloak.budget
    changed = out.image != image
    for one in found:
        left, top, right, bottom = face_box(one.face_from_frame, 80, 60)
        changed[top:bottom, left:right] = False
    assert not changed.any()


def test_what_is_moved_is_told_of_the_frame_as_shown_also_after_verdicts_came(compositor, portrait):
    """Measuring happens after the protector has passed on what the judges read."""
    cloak = compositor(BANK)
    frame = fading(cloak, portrait, 0.4)
    cloak.apply(frame, [FACE, OTHER])
    before = cloak.displaced(frame, [FACE, OTHER])
    cloak.hear([says(label, 9.0, track=track) for track in (1, 2) for label in ("angry",)])
    np.testing.assert_array_equal(cloak.displaced(frame, [FACE, OTHER]).image, before.image)


def test_looking_at_a_frame_of_before_does_not_turn_the_clock_back(portrait):
    cloak = OpenCvCloak(BANK)
    frame = fading(cloak, portrait, 0.6)
    cloak.apply(frame, [FACE])
    mixes = cloak.mixes(frame, [FACE])
    cloak.displaced(Frame(portrait, 1.0, 0), [FACE])
    assert cloak.mixes(frame, [FACE]) == mixes


def test_a_settled_face_costs_no_painting(monkeypatch, portrait):
    """Patterns that stand still are painted once for each member and size, fields beforehand."""
    cloak, painted = OpenCvCloak(bank(circling=False)), []
    render = Perturbation.render
    monkeypatch.setattr(Perturbation, "render", lambda *a: painted.append(a) or render(*a))
    monkeypatch.setattr(displacement, "render", lambda *_a: pytest.fail("a field is rendered"))
    for index in range(50):
        label = ("happy", "sad")[index // 25]
        cloak.apply(Frame(portrait, index / 10, index), [FACE])
        cloak.hear([says(label, index / 10)])
    assert len(painted) == 3


@pytest.mark.parametrize("strength", [0.2, 0.3])
def test_a_strength_at_which_one_member_would_change_nothing_is_refused(strength):
    with pytest.raises(ConfigError, match=r"no pixel.*at least 0\.333"):
        Dose(
            Bank(
                dataclasses.replace(HEADER, answers=("happy",)),
                {
                    name: Perturbation(
                        dataclasses.replace(HEADER, answers=("happy",)),
                        np.full((2, 2), level, np.float32),
                    )
                    for name, level in {"any": 6, "happy": 3}.items()
                },
            ),
            strength,
        )
