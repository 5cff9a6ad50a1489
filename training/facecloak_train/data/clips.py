"""Clips of aligned faces on disk: one file for each, and an index that is written last.

A folder without an index is an unfinished one. The index names what the clips were made from, so
that they are made once, and each file's size, so that half a file is noticed. Clips are written and
read one at a time: the memory that this takes does not grow with the set.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facecloak_train import run
from facecloak_train.data.fer2013 import DatasetError

FORMAT: Final = 1
CLIP_PX: Final = 112
INDEX: Final = "index.json"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip.

    Attributes:
        frames: ``uint8[T, 112, 112]``, grey, aligned as ``facecloak.core.geometry`` has it.
        times_s: ``float64[T]``, rising, in seconds.
        label: index into the classes of its set.
        subject: who it shows.
        name: unique in its set.
    """

    frames: NDArray[np.uint8]
    times_s: NDArray[np.float64]
    label: int
    subject: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ClipSet:
    """The clips of a folder, not yet read.

    Attributes:
        folder: where they are.
        identity: what they were made from.
        classes: names of the classes.
        labels: ``int64[N]``.
        subjects: N names.
        names: N names.
    """

    folder: Path
    identity: Mapping[str, Any]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    subjects: NDArray[np.str_]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def clip(self, number: int) -> Clip:
        """Read one. Raises DatasetError that names the file."""
        path = self.folder / _file(number)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                frames, times_s = arrays["frames"], arrays["times_s"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
            msg = f"{path}: not a clip ({exc}); delete {INDEX} beside it and prepare the set again"
            raise DatasetError(msg) from exc
        return Clip(
            frames, times_s, int(self.labels[number]), self.subjects[number], self.names[number]
        )

    def __iter__(self) -> Iterator[Clip]:
        return (self.clip(number) for number in range(len(self)))


def write_clips(
    folder: Path, identity: Mapping[str, Any], classes: tuple[str, ...], clips: Iterable[Clip]
) -> ClipSet:
    """Write clips one after the other, then the index.

    Args:
        folder: made if it is missing; an index in it is taken away first.
        identity: what they are made from, JSON-able; see :func:`is_current`.
        classes: names of the classes.
        clips: the clips; they are not kept.

    Raises:
        DatasetError: there is no clip, two have one name, or one has the wrong form.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / INDEX).unlink(missing_ok=True)
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, clip in enumerate(clips):
        _check(clip, seen, len(classes))
        path = folder / _file(number)
        with path.open("wb") as file:
            np.savez(file, frames=clip.frames, times_s=clip.times_s)
        rows.append(
            {
                "name": clip.name,
                "subject": clip.subject,
                "label": clip.label,
                "bytes": path.stat().st_size,
            }
        )
    if not rows:
        msg = f"{folder}: no clip came out; nothing to learn from"
        raise DatasetError(msg)
    about = {"format": FORMAT, "identity": identity, "classes": classes, "clips": rows}
    run.write_atomically(folder / INDEX, json.dumps(about, indent=1).encode())
    return read_clips(folder)


def read_clips(folder: Path) -> ClipSet:
    """The clips of a folder. Raises :class:`DatasetError` that names what is wrong with it."""
    try:
        about = json.loads((folder / INDEX).read_text())
        rows = about["clips"]
        whole = ClipSet(
            folder,
            about["identity"],
            tuple(about["classes"]),
            np.array([row["label"] for row in rows], np.int64),
            np.array([row["subject"] for row in rows]),
            tuple(row["name"] for row in rows),
        )
        form = about["format"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        msg = f"{folder}: no finished set of clips ({exc}); run `facecloak-train prepare` or "
        raise DatasetError(msg + "`facecloak-train synthesize`") from exc
    if form != FORMAT:
        msg = f"{folder}: clips of format {form}, this version reads {FORMAT}; prepare them again"
        raise DatasetError(msg)
    for number, row in enumerate(rows):
        path = folder / _file(number)
        size = path.stat().st_size if path.is_file() else 0
        if size != row["bytes"]:
            msg = f"{path}: {size} bytes instead of {row['bytes']}; delete {INDEX} beside it and "
            raise DatasetError(msg + "prepare the set again")
    return whole


def is_current(folder: Path, identity: Mapping[str, Any]) -> bool:
    """Whether a folder holds whole clips that were made from this very thing."""
    try:
        found = read_clips(folder)
    except DatasetError:
        return False
    return bool(found.identity == json.loads(json.dumps(identity)))


def resampled(clip: Clip, frames: int) -> NDArray[np.uint8]:
    """The clip at ``frames`` equal steps from its first to its last time: ``uint8[frames, S, S]``.

    Between two pictures it is their weighted mean. A clip that has as many already, equally far
    apart, is as it was.
    """
    at = np.linspace(clip.times_s[0], clip.times_s[-1], frames)
    place = np.interp(at, clip.times_s, np.arange(len(clip.frames)))
    before = np.minimum(place.astype(int), max(0, len(clip.frames) - 2))
    share = (place - before)[:, None, None]
    after = np.minimum(before + 1, len(clip.frames) - 1)
    mixed = clip.frames[before] * (1.0 - share) + clip.frames[after] * share
    levels: NDArray[np.uint8] = np.rint(mixed).astype(np.uint8)
    return levels


def _file(number: int) -> str:
    return f"{number:05d}.npz"


def _check(clip: Clip, seen: set[str], classes: int) -> None:
    count = len(clip.frames)
    right = (
        clip.frames.dtype == np.uint8
        and clip.frames.shape == (count, CLIP_PX, CLIP_PX)
        and clip.times_s.shape == (count,)
        and count > 0
        and bool((np.diff(clip.times_s) > 0).all())
    )
    if not right or not 0 <= clip.label < classes or clip.name in seen:
        msg = f"clip {clip.name!r}: its name is not new, or it has not the form of a clip"
        raise DatasetError(msg)
    seen.add(clip.name)
