import numpy as np
import pytest

from facecloak.capture.bgr import to_bgr
from facecloak.core.errors import SourceLost


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3), (2, 3, 4)])
@pytest.mark.parametrize(("dtype", "value"), [(np.uint8, 200), (np.uint16, 200 * 257)])
def test_grey_alpha_and_16_bit_become_bgr(shape, dtype, value):
    bgr = to_bgr(np.full(shape, value, dtype))
    assert bgr.dtype == np.uint8
    assert bgr.shape == (2, 3, 3)
    assert (bgr == 200).all()


def test_a_bgr_picture_is_handed_on_uncopied():
    image = np.zeros((2, 3, 3), np.uint8)
    assert np.shares_memory(to_bgr(image), image)


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(None, id="nothing"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), id="no rows"),
        pytest.param(np.zeros((2, 3, 2), np.uint8), id="two channels"),
        pytest.param(np.zeros((2, 3, 3), np.float32), id="floats"),
        pytest.param(np.zeros((1, 2, 3, 3), np.uint8), id="four axes"),
    ],
)
def test_garbage_is_a_lost_source(garbage):
    with pytest.raises(SourceLost, match="The source handed over"):
        to_bgr(garbage)
