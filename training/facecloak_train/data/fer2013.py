"""FER2013: 35 887 grey 48x48 faces in seven classes, split in three by its authors.

Source: Goodfellow et al., "Challenges in Representation Learning" (arXiv 1307.0414). Its known
faults (1 853 exact duplicates, 557 images in more than one split, 57 with conflicting labels) are
counted by :func:`faults` and never hidden.
"""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SPLITS: Final = ("Training", "PublicTest", "PrivateTest")
FACE_PX: Final = 48
COUNTS: Final = {"Training": 28_709, "PublicTest": 3_589, "PrivateTest": 3_589}


NOT_ARRAYS: Final = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy raises, one way or another, where a file is no .npz, is damaged, or lacks an array."""


class DatasetError(ValueError):
    """A dataset file is not what it should be; the text names the file, the row and the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Some faces and what each expresses.

    Attributes:
        images: ``uint8[N, 48, 48]``, grey.
        labels: ``int64[N]``, indices into :data:`LABELS`.
        features: ``float16[N, 2, D]``, of the faces and of their mirror images, for networks that
            take some (:mod:`facecloak_train.data.features`).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    features: NDArray[np.float16] | None = None

    def __len__(self) -> int:
        return len(self.labels)


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
    except FileNotFoundError as exc:
        msg = f"{path}: there is no such file; make it by `facecloak-train prepare fer2013`"
        raise DatasetError(msg) from exc
    except NOT_ARRAYS as exc:
        msg = f"{path.name}: not a prepared FER2013; run `facecloak-train prepare fer2013`"
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
    features = None if faces.features is None else faces.features[kept]
    return Faces(faces.images[kept], faces.labels[kept], features)


def sole(faces: Faces, *others: Faces) -> NDArray[np.bool_]:
    """Which faces stand in none of the others and repeat none before them: ``bool[N]``."""
    known = {image.tobytes() for other in others for image in other.images}
    kept = np.zeros(len(faces), dtype=bool)
    for number, image in enumerate(faces.images):
        key = image.tobytes()
        kept[number] = key not in known
        known.add(key)
    return kept


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
