import numpy as np
import pytest

from facecloak.cloak.slate import Slate


@pytest.mark.parametrize("size", [(1280, 720), (641, 361), (64, 64), (180, 320), (8, 8)])
def test_a_slate_has_the_size_asked_for_and_says_something(size):
    slate = Slate().slate(*size)
    assert slate.shape == (size[1], size[0], 3)
    assert slate.dtype == np.uint8
    if min(size) >= 64:
        assert slate.std() > 3


def test_every_slate_of_a_size_is_the_same():
    np.testing.assert_array_equal(Slate().slate(320, 240), Slate().slate(320, 240))
