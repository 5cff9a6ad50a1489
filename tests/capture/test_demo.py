import itertools
import threading

import numpy as np
import pytest

from facecloak.capture.demo import DemoSource
from facecloak.core.errors import ConfigError
from facecloak.core.ports import EndOfSource


def frames(source, count):
    with source:
        return [source.read(0) for _ in range(count)]


def test_it_lasts_as_long_as_it_says():
    with DemoSource(0.1) as source:
        taken = [source.read(0) for _ in range(3)]
        with pytest.raises(EndOfSource):
            source.read(0)
    assert not source.live
    assert source.frame_count == 3
    assert [frame.index for frame in taken] == [0, 1, 2]
    assert [frame.captured_s for frame in taken] == pytest.approx([0, 1 / 30, 2 / 30])
    assert {frame.image.shape for frame in taken} == {(720, 1280, 3)}


def test_every_run_shows_the_same_frames():
    for one, other in zip(frames(DemoSource(), 3), frames(DemoSource(), 3), strict=True):
        assert np.array_equal(one.image, other.image)


def test_consecutive_frames_move_a_little():
    taken = [frame.image.astype(int) for frame in frames(DemoSource(), 8)]
    steps = [np.abs(b - a).mean() for a, b in itertools.pairwise(taken)]
    assert min(steps) > 0.3
    assert max(steps) < 6


def test_a_paced_demo_keeps_real_time_and_drops_for_a_late_reader():
    now = [50.0]
    with DemoSource(None, paced=True, clock=lambda: now[0]) as source:
        assert source.live
        first = source.read(0)
        assert (first.index, first.captured_s) == (0, 50.0)
        assert source.read(0) is None
        now[0] = 50.0 + 10.4 / 30
        late = source.read(0)
        assert late.index == 10
        assert late.captured_s == pytest.approx(50.0 + 10 / 30)
        now[0] = 50.0 + 11 / 30
        assert source.read(0).index == 11


def test_a_paced_demo_waits_for_the_next_frame():
    with DemoSource(None, paced=True) as source:
        taken = [source.read(1.0) for _ in range(3)]
    assert [b.index > a.index for a, b in itertools.pairwise(taken)] == [True, True]


def test_closing_wakes_a_waiting_reader():
    now = [0.0]
    source = DemoSource(None, paced=True, clock=lambda: now[0])
    with source:
        source.read(0)
        got = []
        reader = threading.Thread(target=lambda: got.append(source.read(60)))
        reader.start()
        source._closed.set()
        reader.join(5)
        assert got == [None]


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(seconds):
    with pytest.raises(ConfigError, match="positive number of seconds"):
        DemoSource(seconds)
