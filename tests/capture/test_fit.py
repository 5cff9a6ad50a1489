import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.capture.fit import fit


def test_a_picture_of_the_right_size_is_left_as_it_is():
    picture = np.zeros((48, 64, 3), np.uint8)
    assert fit(picture, (64, 48)) is picture


@pytest.mark.parametrize(
    ("wanted", "bars"),
    [((64, 96), np.s_[:24]), ((96, 48), np.s_[:, :16]), ((32, 48), np.s_[-12:])],
)
def test_another_shape_gets_black_bars_and_no_stretching(wanted, bars):
    picture = np.full((48, 64, 3), 200, np.uint8)
    fitted = fit(picture, wanted)
    assert fitted.shape == (wanted[1], wanted[0], 3)
    assert not fitted[bars].any()
    scale = min(wanted[0] / 64, wanted[1] / 48)
    assert (fitted == 200).all(2).sum() == 64 * 48 * scale**2


@given(st.tuples(*[st.integers(1, 200)] * 4))
def test_every_size_fits_every_other(sizes):
    width, height, *wanted = sizes
    fitted = fit(np.full((height, width, 3), 9, np.uint8), tuple(wanted))
    assert fitted.shape == (wanted[1], wanted[0], 3)
    assert fitted.any()
