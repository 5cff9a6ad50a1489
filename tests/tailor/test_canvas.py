import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.data import astronaut

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import displacement, geometry
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Face, Frame
from facecloak.tailor.canvas import FACE_PX, FINE_PX, Canvas
from facecloak.verify.crop import face_crop

WIDE_PX = 144
PLACE = geometry.invert(np.array([[WIDE_PX, 0.0, 47.5], [0.0, WIDE_PX, 22.5]]))
FACE = Face(0, PLACE)


def picture():
    """A real face in the middle of a frame."""
    rgb = astronaut()[0:200, 100:380]
    return Frame(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), 0.0, 0)


def canvas():
    return Canvas(face_crop(picture().image, PLACE, FINE_PX))


def some(seed, *, levels=5.0, shift=0.01):
    rng = np.random.default_rng(seed)
    field = rng.normal(0, 1, (2, 6, 6)).astype(np.float32)
    field *= np.float32(0.99 * shift / displacement.largest(field))
    return np.float32(levels) * rng.uniform(-1, 1, (48, 48)).astype(np.float32), field


@pytest.mark.parametrize("seed", range(3))
def test_a_painted_face_is_what_the_judges_see_of_the_compositor(seed):
    pattern, field = some(seed)
    header = Header(
        eps=5.0, shift=0.01, strain=0.4, method="t", seed=0, datasets=(), victims=()
    )  # fmt: skip
    cloak = OpenCvCloak(Bank.of(Perturbation(header, pattern, displacement=field)))
    sent = face_crop(cloak.apply(picture(), [FACE]).image, PLACE, FACE_PX).astype(float)
    clean = face_crop(picture().image, PLACE, FACE_PX).astype(float)
    painted, bare = canvas().paint(pattern, field), canvas().clean
    change, made = sent - clean, painted - bare
    assert np.abs(bare - clean).mean() < 1.0
    assert np.corrcoef(change.ravel(), made.ravel())[0, 1] > 0.95
    assert np.abs(change - made).mean() < 0.4 * np.abs(change).mean()


@given(seed=st.integers(0, 999))
def test_the_way_back_is_the_adjoint_of_the_pattern(seed):
    """<gradient, change of the face> = <gradient pulled back, change of the pattern>."""
    rng = np.random.default_rng(seed)
    one, (pattern, _), (other, _) = canvas(), some(seed), some(seed + 1)
    still = np.zeros((2, 6, 6), np.float32)
    gradient = rng.normal(0, 1, (FACE_PX, FACE_PX)).astype(np.float32)
    one._moving = one._moving * np.float32(0.2) + np.float32(100)  # no pixel is cut off
    before = one.paint(pattern, still)
    after = one.paint(pattern + other, still)
    pulled, _ = one.pull(gradient, 48, 6)
    rounding = 2.5 * np.linalg.norm(gradient)
    assert (gradient * (after - before)).sum() == pytest.approx(
        (pulled * other).sum(), abs=rounding
    )


def test_the_way_back_is_the_adjoint_of_a_small_displacement():
    one = canvas()
    rng = np.random.default_rng(0)
    none, field = np.zeros((48, 48), np.float32), some(1)[1]
    # Along what a small move of the same kind changes, so that rounding to levels is little.
    gradient = one.paint(none, 0.3 * field) - one.paint(none, -0.3 * field)
    one.paint(none, 0.0 * field)
    _, pulled = one.pull(gradient, 48, 6)
    told = (pulled * 0.6 * field).sum()
    assert told == pytest.approx((gradient * gradient).sum(), rel=0.25)
    assert abs((pulled * rng.permuted(field)).sum()) < told


def test_beside_a_head_that_is_turned_nothing_is_painted_and_no_gradient_is_asked_for():
    crop = np.full((FINE_PX, FINE_PX), 120, np.uint8)
    turned, ahead = Canvas(crop, (0.35, 0.97)), Canvas(crop)
    still = np.zeros((2, 6, 6), np.float32)
    made, usual = (one.paint(np.full((48, 48), 8, np.float32), still) for one in (turned, ahead))
    assert (made[:, :14] == 120).all()
    np.testing.assert_array_equal(made[:, 19:], usual[:, 19:])
    assert usual[24, 5] == 128
    pulled, _ = turned.pull(np.ones((FACE_PX, FACE_PX), np.float32), 48, 6)
    assert not pulled[:, :13].any()
    assert pulled[24, 24] > 0


def test_texture_hides_and_smooth_skin_does_not():
    crop = np.full((FINE_PX, FINE_PX), 120, np.uint8)
    crop[: FINE_PX // 2] += np.random.default_rng(0).integers(0, 2, (48, 96), np.uint8) * 100
    hidden = Canvas(crop).hides(48)
    assert hidden[:20].min() > 0.9
    assert hidden[-20:].max() == 0.0
    assert hidden.shape == (48, 48)
