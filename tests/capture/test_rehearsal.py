import numpy as np
import pytest

from facecloak.capture.demo import DemoSource
from facecloak.capture.rehearsal import RehearsedSource
from facecloak.core.ports import EndOfSource


def test_it_plays_forth_and_back_for_its_time():
    with DemoSource(4 / 30) as drawn:
        originals = [drawn.read(1.0).image.astype(int) for _ in range(4)]
    with RehearsedSource(DemoSource(4 / 30), seconds=8 / 30) as source:
        assert source.size == (1280, 720)
        frames = [source.read(1.0) for _ in range(8)]
        with pytest.raises(EndOfSource):
            source.read(1.0)
    assert [frame.index for frame in frames] == list(range(8))
    apart_s = np.diff([frame.captured_s for frame in frames])
    np.testing.assert_allclose(apart_s, 1 / 30)
    for frame, shown in zip(frames, (0, 1, 2, 3, 2, 1, 0, 1), strict=True):
        assert np.abs(frame.image - originals[shown]).mean() < 3.0


def test_it_plays_in_another_size():
    with RehearsedSource(DemoSource(2 / 30), seconds=1 / 30, size=(1920, 1080)) as source:
        assert source.size == (1920, 1080)
        assert source.read(1.0).image.shape == (1080, 1920, 3)
