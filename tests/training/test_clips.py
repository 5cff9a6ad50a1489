import gc
import json
import os
import tracemalloc

import numpy as np
import pytest
from facecloak_train.data import clips
from facecloak_train.data.clips import (
    Clip,
    files_digest,
    is_current,
    read_clips,
    resampled,
    write_clips,
)
from facecloak_train.data.fer2013 import DatasetError

IDENTITY = {"classes": ["negative", "positive"], "settings": {"fps": 100.0}, "files": "abc"}


def a_clip(number=0, length=5, **changes):
    rng = np.random.default_rng(number)
    given = {
        "frames": rng.integers(0, 256, (length, 112, 112), dtype=np.uint8),
        "times_s": np.arange(length) / 100,
        "label": number % 2,
        "subject": f"s{number // 2}",
        "name": f"EP{number:02d}",
    }
    return Clip(**given | changes)


def test_clips_come_back_as_they_were(tmp_path):
    written = [a_clip(number, length=3 + number) for number in range(5)]
    write_clips(tmp_path / "new" / "folder", IDENTITY, iter(written))
    found = read_clips(tmp_path / "new" / "folder")
    assert len(found) == 5
    assert found.classes == ("negative", "positive")
    assert found.subjects == ("s0", "s0", "s1", "s1", "s2")
    assert found.names == ("EP00", "EP01", "EP02", "EP03", "EP04")
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert found.lengths.tolist() == [3, 4, 5, 6, 7]
    assert found.identity == IDENTITY
    for index, clip in enumerate(written):
        back = found.clip(index)
        np.testing.assert_array_equal(back.frames, clip.frames)
        np.testing.assert_array_equal(back.times_s, clip.times_s)
        assert (back.label, back.subject, back.name) == (clip.label, clip.subject, clip.name)
    np.testing.assert_array_equal(found.clip(-1).frames, written[-1].frames)
    with pytest.raises(IndexError):
        found.clip(5)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"frames": np.zeros((5, 64, 64), np.uint8)}, "uint8"),
        ({"frames": np.zeros((5, 112, 112), np.float32)}, "float32"),
        ({"frames": np.zeros((0, 112, 112), np.uint8), "times_s": np.zeros(0)}, "0 frames"),
        ({"times_s": np.arange(4) / 100}, "a time for each"),
        ({"times_s": np.zeros(5)}, "rise"),
        ({"times_s": np.array([0, 1, np.nan, 3, 4])}, "finite"),
        ({"label": -1}, "label"),
        ({"subject": ""}, "subject"),
    ],
)
def test_a_clip_is_checked_when_made(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        a_clip(**wrong)


def test_a_clip_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        a_clip().frames[0] = 0


def test_the_same_identity_is_current_and_any_other_is_not(tmp_path):
    assert not is_current(tmp_path, IDENTITY)
    write_clips(tmp_path, IDENTITY, [a_clip()])
    assert is_current(tmp_path, dict(reversed(IDENTITY.items())))
    assert not is_current(tmp_path, IDENTITY | {"settings": {"fps": 200.0}})
    assert not is_current(tmp_path, IDENTITY | {"files": "abd"})
    assert not is_current(tmp_path, IDENTITY | {"classes": ["positive", "negative"]})


@pytest.mark.warns_in_log
def test_another_version_of_the_format_is_not_current(tmp_path, monkeypatch):
    write_clips(tmp_path, IDENTITY, [a_clip()])
    monkeypatch.setattr(clips, "VERSION", clips.VERSION + 1)
    with pytest.raises(DatasetError, match="version 1, expected 2"):
        read_clips(tmp_path)
    assert not is_current(tmp_path, IDENTITY)


def killed():
    yield a_clip(0)
    yield a_clip(1)
    raise KeyboardInterrupt


def test_a_killed_preparation_counts_as_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write_clips(tmp_path, IDENTITY, killed())
    assert not is_current(tmp_path, IDENTITY)
    with pytest.raises(DatasetError, match=r"clips\.json is missing; run"):
        read_clips(tmp_path)


def test_a_kill_while_the_old_clips_are_replaced_leaves_none_of_them(tmp_path):
    write_clips(tmp_path, IDENTITY, [a_clip(number) for number in range(4)])
    (tmp_path / "notes.txt").write_text("mine")
    other = IDENTITY | {"files": "new"}
    with pytest.raises(KeyboardInterrupt):
        write_clips(tmp_path, other, killed())
    assert not is_current(tmp_path, IDENTITY)
    assert not is_current(tmp_path, other)
    write_clips(tmp_path, other, [a_clip(7)])
    assert read_clips(tmp_path).names == ("EP07",)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"clips.json", "clip-00000.npz", "notes.txt"}


@pytest.mark.warns_in_log
def test_a_truncated_clip_is_named_and_made_again(tmp_path, caplog):
    write_clips(tmp_path, IDENTITY, [a_clip(0), a_clip(1)])
    broken = tmp_path / "clip-00001.npz"
    os.truncate(broken, broken.stat().st_size // 2)
    with pytest.raises(DatasetError, match=r"clip-00001\.npz has \d+ bytes instead of \d+"):
        read_clips(tmp_path)
    assert not is_current(tmp_path, IDENTITY)
    assert "clip-00001.npz" in caplog.text
    broken.unlink()
    assert not is_current(tmp_path, IDENTITY)
    assert "is missing" in caplog.text


@pytest.mark.warns_in_log
@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_truncated_index_is_named(tmp_path, caplog, share):
    write_clips(tmp_path, IDENTITY, [a_clip(0), a_clip(1)])
    index = tmp_path / "clips.json"
    os.truncate(index, int(share * index.stat().st_size))
    with pytest.raises(DatasetError, match=r"clips\.json is no index"):
        read_clips(tmp_path)
    assert not is_current(tmp_path, IDENTITY)
    assert "clips.json" in caplog.text


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"version": 1, "clips": [[1]]}', b"null"])
def test_an_index_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "clips.json").write_bytes(content)
    with pytest.raises(DatasetError, match="no index of clips"):
        read_clips(tmp_path)


def test_a_clip_with_a_changed_byte_is_refused(tmp_path):
    write_clips(tmp_path, IDENTITY, [a_clip(0), a_clip(1)])
    path = tmp_path / "clip-00000.npz"
    content = bytearray(path.read_bytes())
    content[30_000] ^= 0xFF
    path.write_bytes(content)
    found = read_clips(tmp_path)
    assert found.clip(1).name == "EP01"
    with pytest.raises(DatasetError, match=r"clip-00000\.npz is broken"):
        found.clip(0)


def test_what_cannot_be_a_set_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no clips to write"):
        write_clips(tmp_path, IDENTITY, [])
    with pytest.raises(ValueError, match="must name their classes"):
        write_clips(tmp_path, {"files": "abc"}, [a_clip()])
    clips = iter([a_clip()])
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_clips(tmp_path, IDENTITY | {"source": tmp_path}, clips)
    assert next(clips)  # it was told before any clip was made
    with pytest.raises(ValueError, match="label 2"):
        write_clips(tmp_path, IDENTITY, [a_clip(label=2)])
    assert not is_current(tmp_path, IDENTITY)


def test_memory_stays_that_of_one_clip(tmp_path):
    """Forty clips of a megabyte each pass through a few megabytes, written and read."""
    length = 80
    size = length * 112 * 112
    gc.collect()
    tracemalloc.start()
    try:
        write_clips(tmp_path, IDENTITY, (a_clip(number, length) for number in range(40)))
        found = read_clips(tmp_path)
        brightness = [float(found.clip(index).frames.mean()) for index in range(40)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(brightness) == 40
    assert size < peak < 5 * size


def test_the_digest_of_files_tells_name_size_and_time(tmp_path):
    one, other = tmp_path / "a" / "1.jpg", tmp_path / "a" / "2.jpg"
    one.parent.mkdir()
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    before = files_digest([one, other], tmp_path)
    assert files_digest([one, other], tmp_path) == before
    assert files_digest([one], tmp_path) != before
    os.utime(one, ns=(0, 1))
    touched = files_digest([one, other], tmp_path)
    assert touched != before
    stamp = one.stat()
    one.write_bytes(b"longer")
    os.utime(one, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert files_digest([one, other], tmp_path) != touched


def test_the_index_is_json_that_people_can_read(tmp_path):
    write_clips(tmp_path, IDENTITY, [a_clip(3)])
    index = json.loads((tmp_path / "clips.json").read_text())
    assert index["identity"]["settings"] == {"fps": 100.0}
    assert index["clips"][0][2:] == ["EP03", "s1", 1, 5]


def test_resampling_keeps_what_fits_and_interpolates_the_rest():
    given = a_clip(length=18)
    np.testing.assert_array_equal(resampled(given, 18), given.frames)
    ramp = np.repeat(np.arange(0, 50, 10, dtype=np.uint8), 112 * 112).reshape(5, 112, 112)
    assert resampled(a_clip(frames=ramp), 9)[:, 0, 0].tolist() == [0, 5, 10, 15, 20, 25, 30, 35, 40]
    uneven = a_clip(frames=ramp, times_s=np.array([0.0, 0.1, 0.2, 0.3, 0.7]))
    assert resampled(uneven, 8)[:, 0, 0].tolist() == [0, 10, 20, 30, 32, 35, 38, 40]
    one = a_clip(length=1)
    np.testing.assert_array_equal(resampled(one, 3), np.repeat(one.frames, 3, axis=0))
