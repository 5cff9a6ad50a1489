"""Clips of aligned faces on disk: written once as a stream, read one at a time.

A folder holds one ``clip-NNNNN.npz`` for each clip and the index ``clips.json``, which is removed
first and written last, in one step: a preparation that was killed leaves no index, so nothing that
counts as done. The index names what the clips were made from, as a digest, so that the same release
under the same settings is not prepared again.
"""

import hashlib
import json
import logging
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facecloak_train import run
from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.nets.clips import CLIP_PX

VERSION: Final = 1
"""Of this format; a cache of another version is prepared again."""

_INDEX: Final = "clips.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One face over a short time, aligned once for all its frames.

    Attributes:
        frames: ``uint8[T, 112, 112]``, grey, T >= 1, read-only from here on.
        times_s: ``float64[T]``, when each was taken, in seconds, rising; read-only.
        label: index into the classes of its set.
        subject: whose face it is.
        name: which clip of the subject it is.
    """

    frames: NDArray[np.uint8]
    times_s: NDArray[np.float64]
    label: int
    subject: str
    name: str

    def __post_init__(self) -> None:
        frames, times = self.frames, self.times_s
        if frames.dtype != np.uint8 or frames.ndim != 3 or frames.shape[1:] != (CLIP_PX, CLIP_PX):
            msg = f"frames must be uint8[T, 112, 112], got {frames.dtype}{list(frames.shape)}"
            raise ValueError(msg)
        if not len(frames) or times.dtype != np.float64 or times.shape != (len(frames),):
            msg = (
                f"a clip has frames and a time for each, got {len(frames)} frames and "
                f"{times.dtype}{list(times.shape)}"
            )
            raise ValueError(msg)
        if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
            msg = f"the times of {self.subject}/{self.name} must be finite and rise"
            raise ValueError(msg)
        if self.label < 0 or not self.subject or not self.name:
            msg = f"a clip has a label >= 0, a subject and a name, got {self.label}, {self.name!r}"
            raise ValueError(msg)
        frames.flags.writeable = False
        times.flags.writeable = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the index says of one clip; ``size`` is that of its file, in bytes."""

    file: str
    size: int
    name: str
    subject: str
    label: int
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class ClipSet:
    """The clips of a folder; their frames stay on disk until asked for.

    Attributes:
        folder: where they lie.
        digest: of what they were made from; the same for the same release and settings.
        identity: what they were made from, as given to :func:`write_clips`.
        classes: names of the classes, which labels are indices into.
        subjects: of each clip.
        names: of each clip.
        labels: ``int64[N]``.
        lengths: ``int64[N]``, frames of each clip.
    """

    folder: Path
    digest: str
    identity: Mapping[str, Any]
    classes: tuple[str, ...]
    subjects: tuple[str, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def clip(self, index: int) -> Clip:
        """Read one clip. Raises :class:`DatasetError` where its file is broken."""
        path = self.folder / _file_of(range(len(self))[index])
        try:
            with np.load(path, allow_pickle=False) as arrays:
                frames, times = arrays["frames"], arrays["times_s"]
            return Clip(
                frames, times, int(self.labels[index]), self.subjects[index], self.names[index]
            )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as exc:
            msg = f"{path} is broken ({exc}); remove {_INDEX} beside it and prepare the set again"
            raise DatasetError(msg) from exc


def write_clips(folder: Path, identity: Mapping[str, Any], clips: Iterable[Clip]) -> None:
    """Write clips as they come, one in memory at a time; what the folder held before goes.

    Args:
        folder: is made if it is missing; other files in it are left alone.
        identity: what the clips are made from, JSON-able: ``classes``, the names of the classes,
            and anything under whose change they must be made again, such as settings and
            :func:`files_digest`.
        clips: at least one.

    Raises:
        DatasetError: there are no clips.
        ValueError: ``identity`` names no classes, or a label is none of them.
        TypeError: ``identity`` is not JSON-able.
    """
    classes, digest = _classes_of(identity), _digest(identity)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _INDEX).unlink(missing_ok=True)
    for old in folder.glob("clip-*.npz*"):
        old.unlink()
    entries = []
    for number, clip in enumerate(clips):
        if clip.label >= len(classes):
            msg = f"{clip.subject}/{clip.name} has label {clip.label}; the classes are {classes}"
            raise ValueError(msg)
        entries.append(_write(folder / _file_of(number), clip))
    if not entries:
        msg = f"{folder}: no clips to write; see above why each was skipped"
        raise DatasetError(msg)
    index = {
        "version": VERSION,
        "digest": digest,
        "identity": dict(identity),
        "clips": [[getattr(entry, field) for field in _Entry.__slots__] for entry in entries],
    }
    run.write_atomically(folder / _INDEX, json.dumps(index, indent=1).encode())


def read_clips(folder: Path) -> ClipSet:
    """Open what :func:`write_clips` wrote; no frame is read.

    Raises:
        DatasetError: there is no whole index, or a clip is missing or truncated.
    """
    index, entries = _read_index(folder)
    _check_sizes(folder, entries)
    return ClipSet(
        folder=folder,
        digest=str(index["digest"]),
        identity=index["identity"],
        classes=_classes_of(index["identity"]),
        subjects=tuple(entry.subject for entry in entries),
        names=tuple(entry.name for entry in entries),
        labels=np.array([entry.label for entry in entries], np.int64),
        lengths=np.array([entry.length for entry in entries], np.int64),
    )


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


def is_current(folder: Path, identity: Mapping[str, Any]) -> bool:
    """Whether a folder holds, whole, the clips of exactly this identity; the log says why not."""
    if not (folder / _INDEX).exists():
        return False
    try:
        index, entries = _read_index(folder)
        _check_sizes(folder, entries)
    except DatasetError as exc:
        logger.warning("%s", exc)
        return False
    if index["digest"] != _digest(identity):
        logger.info("%s was made from something else; it is made again", folder)
        return False
    return True


def files_digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over names below ``root``, sizes and times of change of files, in the given order."""
    sha = hashlib.sha256()
    for file in files:
        about = file.stat()
        row = [file.relative_to(root).as_posix(), about.st_size, about.st_mtime_ns]
        sha.update(json.dumps(row).encode() + b"\n")
    return sha.hexdigest()


def _file_of(number: int) -> str:
    return f"clip-{number:05d}.npz"


def _classes_of(identity: Mapping[str, Any]) -> tuple[str, ...]:
    classes = tuple(identity.get("classes", ()))
    if not classes or not all(isinstance(name, str) for name in classes):
        msg = f"the identity of clips must name their classes, got {classes!r}"
        raise ValueError(msg)
    return classes


def _digest(identity: Mapping[str, Any]) -> str:
    whole = json.dumps({"version": VERSION, "identity": dict(identity)}, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def _write(path: Path, clip: Clip) -> _Entry:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, frames=clip.frames, times_s=clip.times_s)
    part.replace(path)
    size = path.stat().st_size
    return _Entry(path.name, size, clip.name, clip.subject, clip.label, len(clip.frames))


def _read_index(folder: Path) -> tuple[dict[str, Any], list[_Entry]]:
    path = folder / _INDEX
    try:
        index = json.loads(path.read_bytes())
        if index["version"] != VERSION:
            msg = f"version {index['version']}, expected {VERSION}"
            raise ValueError(msg)  # noqa: TRY301 - told below with the file's name
        entries = [_Entry(*row) for row in index["clips"]]
        _classes_of(index["identity"])
    except FileNotFoundError as exc:
        msg = (
            f"{folder} holds no prepared clips: {_INDEX} is missing; run `facecloak-train prepare`"
        )
        raise DatasetError(msg) from exc
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        msg = f"{path} is no index of clips ({exc}); run `facecloak-train prepare` again"
        raise DatasetError(msg) from exc
    return index, entries


def _check_sizes(folder: Path, entries: list[_Entry]) -> None:
    for entry in entries:
        path = folder / entry.file
        found = path.stat().st_size if path.exists() else None
        if found != entry.size:
            what = "is missing" if found is None else f"has {found} bytes instead of {entry.size}"
            msg = f"{path} {what}; run `facecloak-train prepare` again"
            raise DatasetError(msg)
