"""The forms that FER2013 comes in: a table, an archive with a table in it, folders of images."""

import csv
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from facecloak_train.data.fer2013 import FACE_PX, LABELS, SPLITS, DatasetError, Faces

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

    Raises:
        DatasetError: a column is missing, or a row is truncated or out of range.
    """
    with _readable(path), path.open(newline="", encoding="utf-8") as file:
        return _read_table(path, file)


def read_archive(path: Path) -> dict[str, Faces]:
    """Read the one .csv file of an archive, as :func:`read_csv`, without unpacking it.

    Raises:
        DatasetError: also where the archive is broken, or holds no table or several.
    """
    with _readable(path), tarfile.open(path) as archive:
        tables = [one for one in archive if one.isfile() and one.name.endswith(".csv")]
        if len(tables) != 1:
            names = ", ".join(one.name for one in tables) or "none"
            msg = f"{path.name}: expected one .csv file in it, found {names}"
            raise DatasetError(msg)
        content = archive.extractfile(tables[0])
        assert content is not None  # noqa: S101 - it is a file
        with io.TextIOWrapper(content, encoding="utf-8", newline="") as file:
            return _read_table(path, file)


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

    def splits(self) -> dict[str, Faces]:
        """What was taken. Raises DatasetError where a split has none."""
        empty = [split for split in SPLITS if not self._images[split]]
        if empty:
            msg = f"{self._source}: no faces for {', '.join(empty)}; is it truncated?"
            raise DatasetError(msg)
        return {
            split: Faces(np.stack(self._images[split]), np.array(self._labels[split], np.int64))
            for split in SPLITS
        }


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What a file cannot do is a DatasetError."""
    try:
        yield
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, tarfile.TarError, zlib.error) as exc:
        msg = f"{path} cannot be read: {exc}"
        raise DatasetError(msg) from exc


def _read_table(path: Path, file: TextIO) -> dict[str, Faces]:
    gathered = _Gathered(path.name)
    with _readable(path):
        reader = csv.reader(file)
        names = [name.strip().lower() for name in next(reader, [])]
        if not set(names) >= _COLUMNS:
            msg = f"{path.name}: expected the columns emotion, pixels and Usage, found {names}"
            raise DatasetError(msg)
        at = {name: names.index(name) for name in _COLUMNS}
        for number, row in enumerate(reader, start=2):
            try:
                gathered.add(*_parse(row, at))
            except (ValueError, IndexError) as exc:
                msg = f"{path.name}, line {number}: {exc}"
                raise DatasetError(msg) from exc
    return gathered.splits()


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
