"""CASME: 60 frames a second, 19 subjects, 189 coded expressions.

Source: Yan et al., "CASME database: a dataset of spontaneous micro-expressions collected from
neutralized faces" (FG 2013). The release has two sections, A (sub01 to sub07) and B, each with its
sheet and whole recordings; beside them lie the recordings cut from onset to offset, and crops.
"""

import re
from pathlib import Path
from typing import Final

from facecloak_train.data.releases import coded, frames, sheets
from facecloak_train.data.releases.collecting import Collector, require_folder, required, spellings
from facecloak_train.data.releases.release import Expected, Release

FPS: Final = 60.0
LABELS: Final = spellings(
    *("tense", "disgust", "repression", "surprise", "happiness", "sadness", "fear", "contempt"),
    comtempt="contempt",  # as the sheets of the release have it
)
EXPECTED: Final = Expected(
    clips=189,
    subjects=19,
    labels={
        "tense": 69,
        "disgust": 44,
        "repression": 38,
        "surprise": 20,
        "happiness": 9,
        "sadness": 6,
        "fear": 2,
        "contempt": 1,
    },
)
"""Counts that others report of both sheets together; the sheets themselves were not at hand."""
FIXES: Final = {
    40: {"onset": 100, "apex": 120, "offset": 149},
    42: {"onset": 101, "apex": 110, "offset": 119},
    43: {"onset": 57, "apex": 65, "offset": 74},
    54: {"offset": 40},
    140: {"offset": 142},
}
"""Rows, from 0 over both sheets, that loaders of others correct."""

_SHEETS: Final = tuple(re.compile(rf"section ?{one}\.xlsx?", re.IGNORECASE) for one in "ab")


def read(root: Path, *, crops: bool = False) -> Release:
    """Read a release.

    Args:
        root: the folder that holds ``CASME_A``, ``CASME_B``, ``CASME_raw_selected``, ``Cropped``,
            or some of them, at any depth of a few folders.
        crops: take the release's own crops rather than its whole pictures.

    Raises:
        DatasetError: this is no CASME, or a sheet cannot be read.
    """
    require_folder(root, "CASME")
    found = [path for sheet in _SHEETS for path in frames.files(root, sheet)[:1]]
    required(root, "CASME", found, "Section A.xls or Section B.xls")
    places = _places(root, crops=crops)
    wanted = "folder Cropped" if crops else "folder Section A, Section B or CASME_raw_selected"
    required(root, "CASME", places.wanted, f"{wanted} with subNN")
    into = Collector("casme", FPS)
    below = [row for path in found for row in sheets.table(path, coded.COLUMNS)]
    fixes = FIXES if len(found) == 2 else {}  # the numbers are those of both sheets together
    coded.collect(into, list(enumerate(below)), places, LABELS, fixes)
    return Release(
        dataset="casme",
        variant="cropped" if crops else "raw",
        samples=tuple(into.samples),
        skipped=tuple(into.skipped),
        expected=EXPECTED,
        sheets=tuple(found),
    )


def _places(root: Path, *, crops: bool) -> coded.Places:
    def at(*names: str) -> tuple[Path, ...]:
        place = frames.holder(root, names, coded.SUBJECT)
        return () if place is None else (place,)

    cropped, selected = at("cropped"), at("casmerawselected", "casmeselected")
    whole = at("sectiona", "casmea") + at("sectionb", "casmeb")
    return coded.Places(wanted=cropped if crops else whole + selected, cut=selected + cropped)
