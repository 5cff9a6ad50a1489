"""Features that people made for faces before networks did: landmarks and oriented gradients.

Source: A. Horseman, github.com/amineHorseman/facial-expression-recognition-using-cnn: 68 landmarks
and HOG (Dalal and Triggs, CVPR 2005) over sliding windows, 136 + 2592 = 2728 numbers a face.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog

from facecloak_train import run
from facecloak_train.data.fer2013 import (
    FACE_PX,
    NOT_ARRAYS,
    SPLITS,
    DatasetError,
    Faces,
    read_npz,
)
from facecloak_train.data.landmarks import IBUG_68

WINDOW_PX: Final = 24
STRIDE_PX: Final = 6
CELL_PX: Final = 8
ORIENTATIONS: Final = 8
COUNT: Final = 2 * len(IBUG_68) + 2592


def sliding_hog(face: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Histograms of oriented gradients in windows that slide over a face.

    Windows of 24x24 pixels start at every sixth pixel of each axis and are cut off at the border;
    each has as many cells of 8x8 pixels as fit, each cell eight orientations, normalised by itself.

    Args:
        face: ``uint8[48, 48]``.

    Returns:
        ``float32[2592]``, in ``[0, 1]``.
    """
    windows = [
        face[top : top + WINDOW_PX, left : left + WINDOW_PX]
        for top in range(0, FACE_PX - CELL_PX + 1, STRIDE_PX)
        for left in range(0, FACE_PX - CELL_PX + 1, STRIDE_PX)
    ]
    cells = [
        hog(
            window,
            orientations=ORIENTATIONS,
            pixels_per_cell=(CELL_PX, CELL_PX),
            cells_per_block=(1, 1),
        )
        for window in windows
    ]
    together: NDArray[np.float32] = np.concatenate(cells).astype(np.float32)
    return together


def write(path: Path, features: dict[str, NDArray[np.float16]], data: Path) -> None:
    """Write the features of each split and the digest of the set that they describe.

    Args:
        path: the .npz to write.
        features: for each split ``float16[N, 2, 2728]``, of the faces and of their mirror images.
        data: what ``facecloak-train prepare`` wrote.
    """
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, data_sha256=run.digest_of(data), **features)
    part.replace(path)


def splits_of(data: Path, features: Path | None) -> dict[str, Faces]:
    """What ``facecloak-train prepare`` wrote, and the features if there are some.

    Raises:
        DatasetError: one of the files is not what it should be, or they do not belong together.
    """
    splits = read_npz(data)
    return splits if features is None else _attached(splits, features, data)


def _attached(splits: dict[str, Faces], path: Path, data: Path) -> dict[str, Faces]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            told = str(arrays["data_sha256"])
            features = {split: arrays[split] for split in SPLITS}
    except NOT_ARRAYS as exc:
        msg = f"{path.name}: no features of FER2013 ({exc}); run `facecloak-train describe`"
        raise DatasetError(msg) from exc
    if told != run.digest_of(data):
        msg = f"{path.name} describes another set than {data.name}; run `facecloak-train describe`"
        raise DatasetError(msg)
    return {split: replace(faces, features=features[split]) for split, faces in splits.items()}
