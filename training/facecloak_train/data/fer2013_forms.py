"""The forms that FER2013 comes in: a table, an archive with a table in it, folders of images."""

import csv
import gzip
import io
import logging
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, TextIO

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak_train.data.fer2013 import (
    COUNTS,
    FACE_PX,
    LABELS,
    SPLITS,
    DatasetError,
    Faces,
)

logger = logging.getLogger(__name__)

_UNREADABLE: Final = (OSError, EOFError, tarfile.TarError, zlib.error)
_COLUMNS: Final = {"emotion", "pixels", "usage"}
_PICTURES: Final = {".png", ".jpg", ".jpeg"}
_FOLDERS: Final = {"train": "Training"} | {split.lower(): split for split in SPLITS}


def read(path: Path) -> dict[str, Faces]:
    """Read the set in whichever form it is.

    Args:
        path: ``fer2013.csv`` or ``icml_face_data.csv``; ``fer2013.tar.gz``, which holds the former;
            or a folder of images, see :func:`read_folder`.

    Returns:
        The three splits by name, in the order of the file.

    Raises:
        DatasetError: it is in none of these forms, or something in it is wrong.
    """
    if path.is_dir():
        return read_folder(path)
    if path.name.endswith((".tar.gz", ".tgz", ".tar")):
        return read_archive(path)
    return read_csv(path)


def read_csv(path: Path) -> dict[str, Faces]:
    """Read a table with the columns ``emotion``, ``pixels`` and ``Usage``, in any order.

    Blank lines are passed over. A table that has fewer faces than the official set is read, and a
    warning tells the line after which it ends and the splits that are short.

    Raises:
        DatasetError: a column is missing, or a row is truncated or out of range.
    """
    with _readable(path), path.open("rb") as file:
        return _read_table(path, file)


def read_archive(path: Path) -> dict[str, Faces]:
    """Read the one .csv file of an archive, as :func:`read_csv`, without unpacking it.

    Raises:
        DatasetError: also where the archive is broken, or holds no table or several. Of one that
            ends too early the text tells the last line that could be read.
    """
    splits: dict[str, Faces] = {}
    names = []
    with _readable(path), tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".csv"):
                names.append(member.name)
                content = archive.extractfile(member) if len(names) == 1 else None
                if content is not None:
                    splits = _read_table(path, content)
    if len(names) != 1:
        msg = f"{path.name}: expected one .csv file in it, found {', '.join(names) or 'none'}"
        raise DatasetError(msg)
    return splits


def read_folder(path: Path) -> dict[str, Faces]:
    """Read images of 48x48 pixels, each in a folder named as its class.

    Its split is the start of its name, as in ``test/angry/PrivateTest_1054527.jpg``, or else a
    folder above: ``train`` or ``Training``, ``PublicTest``, ``PrivateTest``. The order is that of
    the paths.

    Raises:
        DatasetError: an image is broken or of another size, a class is unknown, or it cannot be
            told which test an image belongs to.
    """
    gathered = _Gathered(path.name)
    found = sorted(one for one in path.rglob("*") if one.suffix.lower() in _PICTURES)
    for file in tqdm(found, desc="images", unit="image"):
        image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        where = file.relative_to(path)
        if image is None or image.shape != (FACE_PX, FACE_PX):
            size = "broken" if image is None else f"{image.shape[1]}x{image.shape[0]} pixels"
            msg = f"{path.name}: {where} is {size}, expected {FACE_PX}x{FACE_PX} pixels"
            raise DatasetError(msg)
        if file.parent.name.lower() not in LABELS:
            classes = ", ".join(LABELS)
            msg = f"{path.name}: {where} lies in no folder of a class; these are {classes}"
            raise DatasetError(msg)
        label = LABELS.index(file.parent.name.lower())
        gathered.add(image.astype(np.uint8, copy=False), label, _split(where, path))
    return gathered.splits()


def _split(where: Path, root: Path) -> str:
    for split in SPLITS:
        if where.name.startswith(split):
            return split
    for part in (*where.parts[:-1], root.name):
        if part.lower() in _FOLDERS:
            return _FOLDERS[part.lower()]
    msg = (
        f"{root.name}: {where} tells no split; name folders train, PublicTest and PrivateTest, or "
        "keep the names of the images, which begin with it"
    )
    raise DatasetError(msg)


class _Gathered:
    """Faces by split, as they are read."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._images: dict[str, list[NDArray[np.uint8]]] = {split: [] for split in SPLITS}
        self._labels: dict[str, list[int]] = {split: [] for split in SPLITS}

    def add(self, image: NDArray[np.uint8], label: int, split: str) -> None:
        """Take one face."""
        self._images[split].append(image)
        self._labels[split].append(label)

    def counts(self) -> dict[str, int]:
        """How many faces each split has."""
        return {split: len(labels) for split, labels in self._labels.items()}

    def splits(self, end: str = "") -> dict[str, Faces]:
        """What was taken; ``end`` tells where. Raises DatasetError where a split has none."""
        empty = [split for split in SPLITS if not self._images[split]]
        if empty:
            msg = f"{self._source}{end}: no faces for {', '.join(empty)}; is it truncated?"
            raise DatasetError(msg)
        return {
            split: Faces(np.stack(self._images[split]), np.array(self._labels[split], np.int64))
            for split in SPLITS
        }


class _Lines:
    """The lines of a table, counted while they are read, so that what fails is told by its place.

    Attributes:
        number: of the line read last, from 1; 0 before the first.
        whole: whether that line has an end.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0
        self.whole = True

    def __iter__(self) -> Iterator[str]:
        """Each line with its end; what is not UTF-8 in it is escaped. Raises ValueError there."""
        for line in self._file:
            self.number += 1
            self.whole = line.endswith(("\n", "\r"))
            if not line.isascii() and any("\udc80" <= letter <= "\udcff" for letter in line):
                msg = "it is not UTF-8"
                raise ValueError(msg)
            yield line


@contextmanager
def _readable(path: Path, lines: _Lines | None = None) -> Iterator[None]:
    """What a file cannot do is a DatasetError, with the last line that could be read, if any."""
    try:
        yield
    except _UNREADABLE as exc:
        after = f" after line {lines.number}" if lines is not None and lines.number else ""
        msg = f"{path} cannot be read{after}: {_why(exc)}"
        raise DatasetError(msg) from exc


def _why(exc: Exception) -> str:
    if isinstance(exc, EOFError):
        return "it ends too early"
    if isinstance(exc, tarfile.TarError):
        return "it is no archive, or it ends too early"
    if isinstance(exc, (zlib.error, gzip.BadGzipFile)):
        return "it is damaged"
    return getattr(exc, "strerror", None) or str(exc)


def _read_table(path: Path, content: IO[bytes]) -> dict[str, Faces]:
    gathered = _Gathered(path.name)
    with io.TextIOWrapper(content, "utf-8", errors="surrogateescape", newline="") as file:
        lines = _Lines(file)
        with _readable(path, lines):
            try:
                last = _gather(csv.reader(lines), lines, gathered)
            except (ValueError, csv.Error) as exc:
                cut = "" if lines.whole else "; the file ends within this line"
                msg = f"{path.name}, line {max(lines.number, 1)}: {exc}{cut}"
                raise DatasetError(msg) from exc
    splits = gathered.splits(f" ends after line {last}")
    short = [
        f"{count} of {COUNTS[split]} faces of {split}"
        for split, count in gathered.counts().items()
        if count < COUNTS[split]
    ]
    if short:
        told = ", ".join(short)
        logger.warning("%s ends after line %d with %s; is it truncated?", path.name, last, told)
    return splits


def _gather(rows: Iterator[list[str]], lines: _Lines, gathered: _Gathered) -> int:
    """Take every row; returns the line of the last one. Raises ValueError."""
    names = [name.strip().lower() for name in next(rows, [])]
    if not set(names) >= _COLUMNS:
        found = ", ".join(name[:20] for name in names[:8]) or "nothing"
        msg = f"expected the columns emotion, pixels and Usage, found {found}"
        raise ValueError(msg)
    at = {name: names.index(name) for name in _COLUMNS}
    last = lines.number
    for row in rows:
        if len(row) > 1 or "".join(row).strip():
            gathered.add(*_parse(row, at))
            last = lines.number
    return last


def _parse(row: list[str], at: dict[str, int]) -> tuple[NDArray[np.uint8], int, str]:
    if len(row) <= max(at.values()):
        msg = f"expected {max(at.values()) + 1} columns, found {len(row)}"
        raise ValueError(msg)
    values = _pixels(row[at["pixels"]].split())
    label = _whole(row[at["emotion"]], "the number of an emotion")
    if not 0 <= label < len(LABELS):
        msg = f"emotion must lie within 0..{len(LABELS) - 1}, found {label}"
        raise ValueError(msg)
    split = row[at["usage"]].strip()
    if split not in SPLITS:
        msg = f"Usage must be one of {', '.join(SPLITS)}, found {split[:20]!r}"
        raise ValueError(msg)
    return values, label, split


def _pixels(texts: list[str]) -> NDArray[np.uint8]:
    """One face, ``uint8[48, 48]``. Raises ValueError."""
    if len(texts) != FACE_PX * FACE_PX:
        msg = f"expected {FACE_PX * FACE_PX} pixels, found {len(texts)}"
        raise ValueError(msg)
    try:
        values = np.array(texts, dtype=np.int64)
    except (ValueError, OverflowError):  # NumPy names neither which nor where
        values = np.array([_whole(text, "a pixel value") for text in texts], dtype=object)
    if values.min() < 0 or values.max() > 255:
        msg = f"pixels must lie within 0..255, found {values.min()}..{values.max()}"
        raise ValueError(msg)
    return values.astype(np.uint8).reshape(FACE_PX, FACE_PX)


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        msg = f"{text[:20]!r} is not {what}"
        raise ValueError(msg) from None
