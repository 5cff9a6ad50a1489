import numpy as np
import pytest

from facecloak.calibrate.crops import CROP_PX
from facecloak.calibrate.gathering import LEAST, MOST, gather
from facecloak.core.errors import DeviceError, SourceLost
from facecloak.core.types import Face, Faces, Frame, Sighting
from tests.fakes.stages import ManualClock, ScriptedSource

FACE_FROM_FRAME = np.array([[1 / 40, 0.0, -0.5], [0.0, 1 / 40, -0.25]])


def frames(count, fps=30.0):
    """Grey pictures, each one level brighter than the one before; again from 0 after 250."""
    return [
        Frame(np.full((60, 80, 3), index % 250, np.uint8), 5.0 + index / fps, index)
        for index in range(count)
    ]


class Finder:
    """Sees the tracks that a function of the frame's index names."""

    def __init__(self, tracks, sighting=Sighting.MESH):
        self._tracks, self._sighting = tracks, sighting

    def find(self, frame):
        found = (Face(one, FACE_FROM_FRAME, self._sighting) for one in self._tracks(frame.index))
        return Faces(tuple(found))

    def close(self):
        pass


def alone(_index):
    return (0,)


def look(script, finder, seconds=1000.0, **options):
    source = ScriptedSource(script, live=False)
    try:
        return gather(source, finder, name="the film", seconds=seconds, **options)
    finally:
        assert source.closed


@pytest.mark.parametrize("count", [16, 80, 81, 159, 160, 161, 250, 900])
def test_the_crops_of_a_person_are_few_and_spread_over_the_whole_time(count):
    sitting = look(frames(count, fps=10.0), Finder(alone))
    crops = sitting.crops
    assert crops.shape[1:] == (CROP_PX, CROP_PX)
    assert crops.dtype == np.uint8
    assert min(count, MOST // 2) <= len(crops) <= MOST
    levels = crops[:, 90, 90].astype(int)
    steps = np.diff(levels) % 250
    assert steps.min() >= 1
    assert steps.max() <= 2 * steps.min() + 1
    if count <= 250:
        assert levels[0] == 0
        assert levels[-1] >= count - 1 - steps.max()
    assert sitting.people == 1


def test_of_several_people_the_one_seen_most_is_taken():
    def tracks(index):
        return (7, 9) if index < 20 else (9,)

    sitting = look(frames(60), Finder(tracks))
    assert sitting.people == 2
    assert len(sitting.crops) == 60
    late = look(frames(60), Finder(lambda index: (7,) if index < 20 else (9,)))
    assert late.crops[0, 90, 90] == 20


def test_only_so_many_seconds_are_looked_at():
    assert len(look(frames(60), Finder(alone), seconds=1.0).crops) == 30


def test_a_camera_that_pauses_is_waited_for():
    script = [None, *frames(10), None, None, *frames(30)[10:]]
    assert len(look(script, Finder(alone)).crops) == 30


def test_a_silent_camera_is_given_up():
    clock = ManualClock()

    def silent():
        for _ in range(100):
            clock.now_s += 1.0
            yield None

    with pytest.raises(SourceLost, match=r"the film gave no picture for 10 s.*run it again"):
        look(silent(), Finder(alone), clock=clock)
    assert 10 <= clock.now_s <= 12


@pytest.mark.parametrize(
    ("finder", "said"),
    [
        pytest.param(Finder(lambda _: ()), r"No face was seen in the film\. Face the", id="nobody"),
        pytest.param(
            Finder(alone, Sighting.PREDICTED), "No face was seen in the film", id="guessed only"
        ),
        pytest.param(
            Finder(lambda index: range(index % 2, 1)),
            rf"the film shows a face in too few pictures: 15 of at least {LEAST}\. Give more --sec",
            id="too seldom",
        ),
    ],
)
def test_too_little_of_a_face_is_told_with_the_remedy(finder, said):
    with pytest.raises(DeviceError, match=said):
        look(frames(30), finder)
