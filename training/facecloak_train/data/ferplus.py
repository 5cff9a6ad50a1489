"""FER+: what ten people each saw in the faces of FER2013.

Source: Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution" (arXiv 1608.01041). The votes come as ``fer2013new.csv``, row by
row in the order of ``fer2013.csv``.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak_train.data.fer2013 import LABELS, DatasetError

_OURS: Final = {
    "neutral": "neutral",
    "happiness": "happy",
    "surprise": "surprise",
    "sadness": "sad",
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
}
_OTHERS: Final = ("contempt", "unknown", "NF")
_LEAST_AGREEMENT: Final = 0.4
"""Share of the faces on which labels and the crowd's majority agree at least: near 0.7 where votes
and faces stand in the same order, near 0.2 where they do not."""


def votes(path: Path, counts: Mapping[str, int]) -> dict[str, NDArray[np.int64]]:
    """How many people saw what in each face.

    Args:
        path: ``fer2013new.csv``.
        counts: how many faces each split has; a split that is not named is not read.

    Returns:
        For each split ``int64[N, 10]``: neutral, happy, surprise, sad, angry, disgust, fear,
        contempt, unknown, no face.

    Raises:
        DatasetError: it cannot be read, a row is broken, or the rows are not those of the splits.
    """
    names = (*_OURS, *_OTHERS)
    found: dict[str, list[list[int]]] = {split: [] for split in counts}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    chosen = [int(row[name]) for name in names]
                    if row["Usage"] in found:
                        found[row["Usage"]].append(chosen)
                except (KeyError, ValueError, TypeError) as exc:
                    msg = f"{path.name}, line {number}: not a row of FER+ ({exc})"
                    raise DatasetError(msg) from exc
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        msg = f"{path} cannot be read: {exc}"
        raise DatasetError(msg) from exc
    for split, count in counts.items():
        if len(found[split]) != count:
            msg = f"{path.name}, {split}: {len(found[split])} rows for {count} faces"
            raise DatasetError(msg + "; give the votes for this very set")
    return {split: np.array(rows, np.int64).reshape(-1, 10) for split, rows in found.items()}


def majorities(path: Path, counts: Mapping[str, int]) -> dict[str, NDArray[np.int64]]:
    """The class that the majority sees in each face.

    As the authors' majority: votes of one person alone fall out, and the class needs more than half
    of those left. Contempt, "unknown" and "no face" are none of the seven classes.

    Args:
        path: ``fer2013new.csv``.
        counts: how many faces each split has.

    Returns:
        For each split ``int64[N]``, indices into ``fer2013.LABELS``, or -1 for none of them.

    Raises:
        DatasetError: as :func:`votes`.
    """
    return {split: majority(rows) for split, rows in votes(path, counts).items()}


def majority(votes: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the majority sees in each face, ``int64[N]``; see :func:`majorities`.

    Args:
        votes: ``int64[N, 10]``.
    """
    return np.array([_majority(row) for row in votes], np.int64)


def check_order(path: Path, seen: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
    """Make sure that votes and faces stand in the same order, which no row of the votes tells.

    Args:
        path: ``fer2013new.csv``.
        seen: ``int64[N]``, what the majority sees in each face of a split.
        labels: ``int64[N]``, what the set says.

    Raises:
        DatasetError: they agree on far fewer faces than the labels and votes of FER2013 do.
    """
    clear = seen >= 0
    agreed = float((seen[clear] == labels[clear]).mean()) if clear.any() else 1.0
    if agreed < _LEAST_AGREEMENT:
        msg = (
            f"{path.name} agrees with {100 * agreed:.0f} % of the labels, so that the faces stand "
        )
        how = "in another order; prepare them from fer2013.csv, not from folders of images"
        raise DatasetError(msg + how)


def _majority(votes: NDArray[np.int64]) -> int:
    kept = np.where(votes > 1, votes, 0)
    first = int(kept.argmax())
    if first >= len(_OURS) or 2 * kept[first] <= kept.sum():
        return -1
    return LABELS.index([*_OURS.values()][first])
