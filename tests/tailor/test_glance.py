import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.tailor.glance import Glance, draw, straight

FACE = np.random.default_rng(1).uniform(60, 190, (48, 48)).astype(np.float32)


def test_a_straight_look_is_the_middle():
    seen = straight(48, 44).look(FACE)
    np.testing.assert_allclose(seen, FACE[2:46, 2:46] / 255.0, atol=1e-6)


@given(seed=st.integers(0, 9999))
def test_the_way_back_is_nearly_the_adjoint_of_a_look(seed):
    rng = np.random.default_rng(seed)
    look = draw(rng, 48, 44)
    change = np.zeros((48, 48), np.float32)
    change[8:40, 8:40] = np.kron(rng.normal(0, 4, (8, 8)), np.ones((4, 4)))
    gradient = np.kron(rng.normal(0, 1, (11, 11)), np.ones((4, 4))).astype(np.float32)
    seen = (gradient * (look.look(FACE + change) - look.look(FACE))).sum()
    pulled = (look.pull(gradient, 48) * change).sum()
    scale = np.linalg.norm(gradient) * np.linalg.norm(change) / 255.0
    assert abs(seen - pulled) < 0.08 * scale


def test_looks_stay_within_what_aligners_differ_by():
    rng = np.random.default_rng(0)
    for _ in range(200):
        look = draw(rng, 48, 44)
        scale = np.sqrt(np.linalg.det(look.face_from_crop[:, :2]))
        middle = look.face_from_crop @ [21.5, 21.5, 1.0]
        assert 0.95 < scale < 1.14
        assert np.abs(middle - 23.5).max() <= 0.03 * 48 + 1e-9
        assert 0.85 <= look.gain <= 1.15
        assert abs(look.offset) <= 0.08


def test_light_that_is_too_much_is_cut_off():
    bright = Glance(straight(48, 44).face_from_crop, 44, gain=1.1, offset=0.5)
    assert bright.look(FACE).max() == pytest.approx(1.0)
