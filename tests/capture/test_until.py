import threading

import pytest

from facecloak.capture.until import UntilSource
from facecloak.core.ports import EndOfSource
from tests.fakes.stages import SIZE, ScriptedSource, raw_frame


def until(stop=None, seconds=None):
    frames = [raw_frame(index, index / 10) for index in range(5)]
    source = ScriptedSource(frames, live=False)
    return UntilSource(source, stop or threading.Event(), seconds=seconds)


def indices(source):
    read = []
    try:
        while True:
            read.append(source.read(1.0).index)
    except EndOfSource:
        return read


@pytest.mark.parametrize(("seconds", "count"), [(None, 5), (0.3, 3), (0.05, 1), (9.0, 5)])
def test_it_ends_with_the_file_or_after_the_seconds(seconds, count):
    source = until(seconds=seconds)
    with source:
        assert (source.live, source.size, source.fps) == (False, SIZE, 200.0)
        assert indices(source) == list(range(count))
    assert source._source.closed


def test_it_ends_when_told():
    stop = threading.Event()
    with until(stop) as source:
        assert source.read(1.0).index == 0
        stop.set()
        assert indices(source) == []
