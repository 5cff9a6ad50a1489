"""What is remembered of faces, and the clips that come out of it."""

import dataclasses

import numpy as np
import pytest

from facecloak.core.types import Face, Frame
from facecloak.verify.memory import Memory

WHOLE = np.array([[1 / 40, 0.0, 0.0], [0.0, 1 / 40, 0.0]])
"""The face is the left upper 40 pixels of a frame."""


def frame(level, at_s):
    return Frame(np.full((48, 64, 3), level, np.uint8), at_s, round(at_s * 30))


def a_face(track=1):
    return Face(track, WHOLE)


def seen(levels, times_s, tracks=(1,), span_s=0.6):
    memory = Memory(8, span_s)
    for level, at_s in zip(levels, times_s, strict=True):
        memory.see(frame(level, at_s), frame(level + 5, at_s), [a_face(t) for t in tracks])
    return memory


def test_a_clip_is_the_latest_frames_as_captured_and_as_sent():
    memory = seen(range(10, 40), np.arange(30) / 30)
    clips = memory.clips(1, 6, 30.0)
    assert clips.shape == (2, 6, 8, 8)
    assert clips.dtype == np.uint8
    assert clips[0, :, 0, 0].tolist() == [34, 35, 36, 37, 38, 39]
    assert clips[1, :, 4, 4].tolist() == [39, 40, 41, 42, 43, 44]


def test_dropped_frames_are_bridged_by_their_neighbours():
    kept = [number for number in range(30) if number % 3 != 1]
    memory = seen([10 + 3 * n for n in kept], [n / 30 for n in kept])
    assert memory.clips(1, 6, 30.0)[0, :, 0, 0].tolist() == [82, 85, 88, 91, 94, 97]


def test_a_camera_of_half_the_rate_is_sampled_at_the_clips_own():
    memory = seen(range(10, 100, 6), np.arange(15) / 15)
    assert memory.clips(1, 5, 30.0)[0, :, 0, 0].tolist() == [82, 85, 88, 91, 94]


@pytest.mark.parametrize(
    ("levels", "times_s"),
    [
        (range(4), np.arange(4) / 30),  # too little yet
        ((1, 2, 3), (0.0, 0.2, 0.4)),  # too far apart
        ((1, 2, 3, 4, 5, 6, 7), (0.0, 0.03, 0.06, 0.3, 0.33, 0.36, 0.39)),  # a gap in the middle
    ],
)
def test_there_is_no_clip_of_what_was_not_seen(levels, times_s):
    memory = seen(levels, times_s)
    assert memory.clips(1, 10, 30.0) is None
    assert memory.clips(2, 10, 30.0) is None


def test_a_face_that_went_is_forgotten_and_others_are_not():
    memory = seen(range(10, 30), np.arange(20) / 30, tracks=(1, 2))
    memory.see(frame(30, 20 / 30), frame(35, 20 / 30), [a_face(2)])
    memory.see(frame(31, 21 / 30), frame(36, 21 / 30), [a_face(1), a_face(2)])
    assert memory.clips(1, 6, 30.0) is None
    assert memory.clips(2, 6, 30.0)[0, -1, 0, 0] == 31


def test_a_clock_that_steps_back_begins_anew():
    memory = seen(range(10, 30), np.arange(20) / 30)
    memory.see(frame(99, 0.1), frame(99, 0.1), [a_face()])
    assert memory.clips(1, 6, 30.0) is None


def test_it_remembers_no_longer_than_it_says():
    memory = seen([n % 200 for n in range(900)], np.arange(900) / 30, span_s=0.6)
    (past,) = memory._tracks.values()
    assert len(past) <= 0.75 * 30 + 2


def test_the_crop_is_the_aligned_face():
    memory = Memory(8, 0.6)
    image = np.zeros((48, 64, 3), np.uint8)
    image[:20, :40] = 200  # the upper half of the face
    for number in range(3):
        shown = dataclasses.replace(frame(0, number / 30), image=image)
        memory.see(shown, shown, [a_face()])
    clip = memory.clips(1, 3, 30.0)[0, -1]
    assert clip[:4].min() > 150
    assert clip[4:].max() < 50
