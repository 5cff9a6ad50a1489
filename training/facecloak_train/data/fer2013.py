"""FER2013: 35 887 grey 48x48 faces in seven classes, split in three by its authors.

Source: Goodfellow et al., "Challenges in Representation Learning" (arXiv 1307.0414). Its known
faults (1 853 exact duplicates, 557 images in more than one split, 57 with conflicting labels) are
counted by :func:`faults` and never hidden.
"""

import csv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SPLITS: Final = ("Training", "PublicTest", "PrivateTest")
FACE_PX: Final = 48
COUNTS: Final = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}
_COLUMNS: Final = {"emotion", "pixels", "usage"}


class DatasetError(ValueError):
    """A dataset file is not what it should be; the text names the file, the row and the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Some faces and what each expresses.

    Attributes:
        images: ``uint8[N, 48, 48]``, grey.
        labels: ``int64[N]``, indices into :data:`LABELS`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


def read_csv(path: Path) -> dict[str, Faces]:
    """Read ``fer2013.csv`` or ``icml_face_data.csv``, the two forms that the set comes in.

    Args:
        path: a file with the columns ``emotion``, ``pixels`` and ``Usage``, in any order.

    Returns:
        The three splits by name, in the order of the file.

    Raises:
        DatasetError: a column is missing, or a row is truncated or out of range.
    """
    images: dict[str, list[NDArray[np.uint8]]] = {split: [] for split in SPLITS}
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    with _opened(path) as file:
        reader = csv.reader(file)
        names = [name.strip().lower() for name in next(reader, [])]
        if not set(names) >= _COLUMNS:
            msg = f"{path.name}: expected the columns emotion, pixels and Usage, found {names}"
            raise DatasetError(msg)
        at = {name: names.index(name) for name in _COLUMNS}
        for number, row in enumerate(reader, start=2):
            try:
                image, label, split = _parse(row, at)
            except (ValueError, IndexError) as exc:
                msg = f"{path.name}, line {number}: {exc}"
                raise DatasetError(msg) from exc
            images[split].append(image)
            labels[split].append(label)
    empty = [split for split in SPLITS if not images[split]]
    if empty:
        msg = f"{path.name}: no rows for {', '.join(empty)}; is the file truncated?"
        raise DatasetError(msg)
    return {
        split: Faces(np.stack(images[split]), np.array(labels[split], dtype=np.int64))
        for split in SPLITS
    }


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """A text file; what it cannot do is a DatasetError."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            yield file
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        msg = f"{path} cannot be read as a csv file: {exc}"
        raise DatasetError(msg) from exc


def _parse(row: list[str], at: dict[str, int]) -> tuple[NDArray[np.uint8], int, str]:
    values = np.array(row[at["pixels"]].split(), dtype=np.int64)
    if values.size != FACE_PX * FACE_PX:
        msg = f"expected {FACE_PX * FACE_PX} pixels, found {values.size}"
        raise ValueError(msg)
    if values.min() < 0 or values.max() > 255:
        msg = f"pixels must lie within 0..255, found {values.min()}..{values.max()}"
        raise ValueError(msg)
    label = int(row[at["emotion"]])
    if not 0 <= label < len(LABELS):
        msg = f"emotion must lie within 0..{len(LABELS) - 1}, found {label}"
        raise ValueError(msg)
    split = row[at["usage"]].strip()
    if split not in SPLITS:
        msg = f"Usage must be one of {', '.join(SPLITS)}, found {split!r}"
        raise ValueError(msg)
    return values.astype(np.uint8).reshape(FACE_PX, FACE_PX), label, split


def write_npz(path: Path, splits: dict[str, Faces]) -> None:
    """Write the splits as one ``.npz`` of plain arrays: ``faces``, ``emotion``, ``usage``."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(
            file,
            faces=np.concatenate([splits[split].images for split in SPLITS]),
            emotion=np.concatenate([splits[split].labels for split in SPLITS]),
            usage=np.concatenate([np.full(len(splits[split]), split) for split in SPLITS]),
        )
    part.replace(path)


def read_npz(path: Path) -> dict[str, Faces]:
    """Read what :func:`write_npz` wrote. Raises :class:`DatasetError`."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels, usage = arrays["faces"], arrays["emotion"], arrays["usage"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as exc:
        msg = f"{path.name}: not a prepared FER2013 ({exc}); run `facecloak-train prepare fer2013`"
        raise DatasetError(msg) from exc
    if images.dtype != np.uint8 or images.shape != (len(labels), FACE_PX, FACE_PX):
        msg = f"{path.name}: faces must be uint8[N, 48, 48], found {images.dtype}{images.shape}"
        raise DatasetError(msg)
    return {
        split: Faces(images[usage == split], labels[usage == split].astype(np.int64))
        for split in SPLITS
    }


def without(faces: Faces, *others: Faces) -> Faces:
    """The faces whose exact pixels stand in none of the others."""
    known = {image.tobytes() for other in others for image in other.images}
    kept = np.array([image.tobytes() not in known for image in faces.images], dtype=bool)
    return Faces(faces.images[kept], faces.labels[kept])


def faults(splits: dict[str, Faces]) -> dict[str, int]:
    """Count what is wrong with the set.

    Returns:
        ``duplicates`` (images that repeat an earlier one), ``across_splits`` (distinct images in
        more than one split), ``conflicting`` (distinct images with more than one label) and
        ``blank`` (images of nearly one grey).
    """
    seen: dict[bytes, tuple[set[str], set[int]]] = {}
    duplicates = blank = 0
    for split, faces in splits.items():
        for image, label in zip(faces.images, faces.labels, strict=True):
            blank += int(image.std() < 2.0)
            key = image.tobytes()
            duplicates += key in seen
            where, what = seen.setdefault(key, (set(), set()))
            where.add(split)
            what.add(int(label))
    return {
        "duplicates": duplicates,
        "across_splits": sum(len(where) > 1 for where, _ in seen.values()),
        "conflicting": sum(len(what) > 1 for _, what in seen.values()),
        "blank": blank,
    }
