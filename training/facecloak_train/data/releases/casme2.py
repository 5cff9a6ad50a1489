"""CASME II: 200 frames a second, 26 subjects, 255 coded expressions.

Source: Yan et al., "CASME II: an improved spontaneous micro-expression database and the baseline
evaluation" (PLoS ONE 9(1), 2014).
"""

import re
from pathlib import Path
from typing import Final

from facecloak_train.data.releases import coded, frames, sheets
from facecloak_train.data.releases.collecting import Collector, require_folder, required, spellings
from facecloak_train.data.releases.release import Expected, Release

FPS: Final = 200.0
LABELS: Final = spellings(
    *("others", "disgust", "happiness", "repression", "surprise", "sadness", "fear"),
    other="others",
)
EXPECTED: Final = Expected(
    clips=255,
    subjects=26,
    labels={
        "others": 99,
        "disgust": 63,
        "happiness": 32,
        "repression": 27,
        "surprise": 25,
        "sadness": 7,
        "fear": 2,
    },
)
"""Counts that others report of the sheet of 2014; the paper's abstract says 247 clips."""
FIXES: Final = {60: {"offset": 91}}
"""The row, from 0, whose offset loaders of others correct."""

_SHEETS: Final = tuple(
    re.compile(rf"casme2[-_ ]?{name}.*\.xlsx?", re.IGNORECASE)
    for name in ("coding-2019", "coding-2014", "coding", "label")
)
"""Newest first."""


def read(root: Path, *, crops: bool = False) -> Release:
    """Read a release.

    Args:
        root: the folder that holds the coding sheet and ``CASME2_RAW``, ``CASME2_RAW_selected`` or
            ``Cropped``, at any depth of a few folders.
        crops: take the release's own crops rather than its whole pictures.

    Raises:
        DatasetError: this is no CASME II, or its sheet cannot be read.
    """
    require_folder(root, "CASME II")
    found = [path for name in _SHEETS for path in frames.files(root, name)]
    required(root, "CASME II", found, "CASME2-coding-*.xlsx or CASME2_label_Ver_2.xls")
    places = _places(root, crops=crops)
    wanted = "folder Cropped" if crops else "folder CASME2_RAW or CASME2_RAW_selected"
    required(root, "CASME II", places.wanted, f"{wanted} with subNN")
    into = Collector("casme2", FPS)
    rows = [(row.index, row) for row in sheets.table(found[0], coded.COLUMNS)]
    coded.collect(into, rows, places, LABELS, FIXES)
    return Release(
        dataset="casme2",
        variant="cropped" if crops else "raw",
        samples=tuple(into.samples),
        skipped=tuple(into.skipped),
        expected=EXPECTED,
        sheets=(found[0],),
    )


def _places(root: Path, *, crops: bool) -> coded.Places:
    def at(name: str) -> tuple[Path, ...]:
        place = frames.holder(root, (name,), coded.SUBJECT)
        return () if place is None else (place,)

    whole, selected, cropped = at("casme2raw"), at("casme2rawselected"), at("cropped")
    return coded.Places(wanted=cropped if crops else whole + selected, cut=selected + cropped)
