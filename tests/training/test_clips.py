"""Sets of clips on disk."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
from facecloak_train.data.clips import INDEX, Clip, is_current, read_clips, resampled, write_clips
from facecloak_train.data.fer2013 import DatasetError

WHAT = {"dataset": "test", "seed": 1}


def clip(number=0, length=4, **changes):
    rng = np.random.default_rng(number)
    usual = {
        "frames": rng.integers(0, 256, (length, 112, 112), dtype=np.uint8),
        "times_s": np.arange(length) / 30.0,
        "label": number % 2,
        "subject": f"s{number // 2}",
        "name": f"clip {number}",
    }
    return Clip(**usual | changes)


def test_what_is_written_is_read(tmp_path):
    made = [clip(number, length=4 + number) for number in range(5)]
    write_clips(tmp_path, WHAT, ("a", "b"), iter(made))
    found = read_clips(tmp_path)
    assert found.classes == ("a", "b")
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert found.subjects.tolist() == ["s0", "s0", "s1", "s1", "s2"]
    for one, other in zip(made, found, strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
        np.testing.assert_array_equal(one.times_s, other.times_s)
        assert (one.label, one.subject, one.name) == (other.label, other.subject, other.name)


def test_a_set_is_taken_again_only_if_it_was_made_from_the_same(tmp_path):
    assert not is_current(tmp_path, WHAT)
    write_clips(tmp_path, WHAT, ("a", "b"), [clip()])
    assert is_current(tmp_path, WHAT)
    assert not is_current(tmp_path, WHAT | {"seed": 2})


def test_a_preparation_that_was_killed_left_no_set(tmp_path):
    write_clips(tmp_path, WHAT, ("a", "b"), [clip()])

    def killed():
        yield clip(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clips(tmp_path, WHAT, ("a", "b"), killed())
    assert not is_current(tmp_path, WHAT)
    with pytest.raises(DatasetError, match="no finished set of clips"):
        read_clips(tmp_path)


def test_half_a_file_is_named(tmp_path):
    found = write_clips(tmp_path, WHAT, ("a", "b"), [clip(0), clip(1)])
    broken = tmp_path / "00001.npz"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    assert not is_current(tmp_path, WHAT)
    with pytest.raises(DatasetError, match=r"00001\.npz: \d+ bytes instead of \d+; delete"):
        read_clips(tmp_path)
    broken.write_bytes(bytes(len(whole)))
    with pytest.raises(DatasetError, match=r"00001\.npz: not a clip"):
        found.clip(1)
    (tmp_path / INDEX).write_text("{}")
    with pytest.raises(DatasetError, match="no finished set"):
        read_clips(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": np.zeros((4, 64, 64), np.uint8)},
        {"frames": np.zeros((4, 112, 112), np.float32)},
        {"times_s": np.array([0.0, 0.2, 0.1, 0.3])},
        {"times_s": np.zeros(3)},
        {"label": 2},
        {"name": "clip 1"},
    ],
)
def test_a_clip_of_another_form_is_refused(tmp_path, changes):
    with pytest.raises(DatasetError, match="has not the form of a clip"):
        write_clips(tmp_path, WHAT, ("a", "b"), [clip(1), clip(0, **changes)])
    assert not is_current(tmp_path, WHAT)


def test_no_clip_at_all_is_one_sentence(tmp_path):
    with pytest.raises(DatasetError, match="no clip came out"):
        write_clips(tmp_path, WHAT, ("a",), [])


def test_memory_does_not_grow_with_the_set(tmp_path):
    def many():
        for number in range(60):
            yield clip(number, length=100)  # 75 MB in all

    tracemalloc.start()
    found = write_clips(tmp_path, WHAT, ("a", "b"), many())
    total = sum(int(one.frames[0, 0, 0]) for one in found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total > 0
    assert peak < 12e6


def test_resampling_keeps_what_fits_and_interpolates_the_rest():
    given = clip(length=18)
    np.testing.assert_array_equal(resampled(given, 18), given.frames)
    ramp = np.repeat(np.arange(0, 50, 10, dtype=np.uint8), 112 * 112).reshape(5, 112, 112)
    longer = resampled(clip(length=5, frames=ramp), 9)
    assert longer[:, 0, 0].tolist() == [0, 5, 10, 15, 20, 25, 30, 35, 40]
    uneven = dataclasses.replace(
        clip(length=5, frames=ramp), times_s=np.array([0.0, 0.1, 0.2, 0.3, 0.7])
    )
    assert resampled(uneven, 8)[:, 0, 0].tolist() == [0, 10, 20, 30, 32, 35, 38, 40]
    one = clip(length=1)
    np.testing.assert_array_equal(resampled(one, 3), np.repeat(one.frames, 3, axis=0))
