"""SMIC: 16 subjects, 164 expressions; and SMIC-E, the same in longer recordings, with a sheet.

Of each there are three cameras: HS with 100 frames a second, VIS for visible light and NIR for near
infrared, both with 25 and for fewer subjects.

Source: Li et al., "A spontaneous micro-expression database: inducement, collection and baseline"
(FG 2013). What an expression is, the folder or the name of its clip says; no apex is told.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from facecloak.core.errors import ConfigError
from facecloak_train.data.releases import frames, sheets
from facecloak_train.data.releases.collecting import (
    Collector,
    Span,
    label_of,
    require_folder,
    required,
    spellings,
)
from facecloak_train.data.releases.frames import Numbered
from facecloak_train.data.releases.release import Expected, Release
from facecloak_train.data.releases.sheets import Row, whole_number

VARIANTS: Final = ("hs", "vis", "nir", "hs-e", "vis-e", "nir-e")
FPS: Final = {"hs": 100.0, "vis": 25.0, "nir": 25.0}
CODES: Final = {"ne": "negative", "po": "positive", "sur": "surprise"}
"""In the names of clips, as ``s1_ne_01``."""
LABELS: Final = spellings("negative", "positive", "surprise", **CODES)
_SLOW: Final = Expected(clips=71, labels={"negative": 23, "positive": 28, "surprise": 20})
EXPECTED: Final = {
    "hs": Expected(clips=164, subjects=16, labels={"negative": 70, "positive": 51, "surprise": 43}),
    "vis": _SLOW,
    "nir": _SLOW,
    "hs-e": Expected(
        clips=157, subjects=16, labels={"negative": 65, "positive": 51, "surprise": 41}
    ),
    "vis-e": _SLOW,
    "nir-e": _SLOW,
}
"""HS: the paper. HS-E: seven clips fewer, counted by others. VIS and NIR: as others remember."""

_SUBJECT: Final = re.compile(r"s\d+", re.IGNORECASE)
_CLIP: Final = re.compile(r"s(\d+)_([a-z]+)_(\d+)", re.IGNORECASE)
_COLUMNS: Final = {
    "filename": ("filename", "file", "clip", "video"),
    "onset": ("onsetf", "onset", "onsetframe"),
    "offset": ("offsetf", "offset", "offsetframe"),
}
_FURTHER: Final = {"first": ("firstf", "firstframe", "first"), "emotion": ("emotion", "emotions")}


def read(root: Path, *, variant: str = "hs", crops: bool = False) -> Release:
    """Read a release.

    Args:
        root: the folder that holds ``SMIC_all_raw`` and ``SMIC_all_cropped``, or for SMIC-E
            ``SMIC-E_raw image``, at any depth of a few folders.
        variant: hs, vis or nir, or with ``-e`` the same of SMIC-E.
        crops: take the release's own crops rather than its whole pictures; SMIC-E has none.

    Raises:
        ConfigError: ``variant`` is none of these, or has no crops.
        DatasetError: this is no SMIC, or lacks the variant.
    """
    if variant not in VARIANTS:
        msg = f"SMIC has no variant {variant!r}."
        raise ConfigError(msg, f"Choose one of {', '.join(VARIANTS)}.")
    require_folder(root, "SMIC")
    camera = variant.removesuffix("-e")
    into = Collector("smic", FPS[camera])
    if variant == camera:
        found: tuple[Path, ...] = ()
        _collect_short(into, _short(root, camera, crops=crops))
    else:
        if crops:
            msg = "SMIC-E ships no crops of its own."
            raise ConfigError(msg, "Leave out --crops, so that faces are found and aligned.")
        found = (_sheet(root, camera),)
        _collect_long(into, _long(root, camera), found[0])
    return Release(
        dataset="smic",
        variant=f"{variant} {'cropped' if crops else 'raw'}",
        samples=tuple(into.samples),
        skipped=tuple(into.skipped),
        expected=EXPECTED[variant],
        sheets=found,
    )


def _short(root: Path, camera: str, *, crops: bool) -> Path:
    name = "SMIC_all_cropped" if crops else "SMIC_all_raw"
    above = [
        one for one in (root, *frames.below(root)) if sheets.plain(one.name) == sheets.plain(name)
    ]
    place = next((one for two in above if (one := frames.holder(two, (camera,), _SUBJECT))), None)
    return required(root, "SMIC", place, f"folder {name} with {camera.upper()}/sN")


def _collect_short(into: Collector, place: Path) -> None:
    """Clips lie in ``sN/micro/<class>/<clip>``; ``non_micro`` beside ``micro`` is left alone."""
    for subject in frames.folders(place):
        micro = subject / "micro"
        if not _SUBJECT.fullmatch(subject.name):
            continue
        if not micro.is_dir():
            into.skip(subject.name, "has no folder micro")
            continue
        for kind in frames.folders(micro):
            label = label_of(kind.name, LABELS)
            for clip in frames.folders(kind):
                if label is None:
                    reason = f"lies in {kind.name}, none of negative, positive, surprise"
                    into.skip(f"{subject.name}/{clip.name}", reason)
                    continue
                pictures = frames.numbered(clip)
                if not pictures:
                    into.skip(f"{subject.name}/{clip.name}", "has no pictures")
                    continue
                span = Span(onset=min(pictures), apex=None, offset=max(pictures))
                into.add(_named(int(subject.name[1:])), clip.name, pictures, span, label)


def _long(root: Path, camera: str) -> Path:
    names = (f"{camera}long", f"smic{camera}e")
    place = frames.holder(root, names, _SUBJECT)
    return required(root, "SMIC-E", place, f"folder {camera.upper()}_long with sNN")


def _sheet(root: Path, camera: str) -> Path:
    pattern = re.compile(rf"smic[-_]{camera}[-_]e[-_]annotation.*\.xlsx?", re.IGNORECASE)
    found = sorted(frames.files(root, pattern), key=lambda path: path.stem, reverse=True)
    required(root, "SMIC-E", found, f"SMIC-{camera.upper()}-E_annotation.xlsx")
    return found[0]  # the one of 2019, where there are two


def _collect_long(into: Collector, place: Path, sheet: Path) -> None:
    clips = dict(_long_clips(place))
    coded = set()
    for row in sheets.table(sheet, _COLUMNS):
        match = _CLIP.fullmatch(row.cells["filename"])
        if match is None:
            told = " ".join(cell for _, cell in row.others if cell)
            into.skip(f"row {row.number}", f"names no clip: {told!r}")
            continue
        name = _plain(match)
        coded.add(name)
        if name not in clips:
            into.skip(row.cells["filename"], "has a row but no frames")
            continue
        label = LABELS.get(match[2].lower())
        told_label = label_of(_other(row, "emotion"), LABELS)
        if told_label not in (label, None):
            into.skip(f"{name}, emotion", f"is {told_label} in the sheet; the name says {label}")
        if label is None and told_label is None:
            into.skip(name, f"emotion {_other(row, 'emotion')!r} is none of {', '.join(CODES)}")
            continue
        _add_long(into, row, name, frames.numbered(clips[name]), label or str(told_label))
    for name in sorted(clips.keys() - coded):
        into.skip(name, "has frames but no row in the sheet")


def _add_long(into: Collector, row: Row, name: str, pictures: Numbered, label: str) -> None:
    onsets = [cell for header, cell in row.others if "onset" in header]
    offsets = [cell for header, cell in row.others if "offset" in header]
    for one, other in zip(onsets[1:], offsets[1:], strict=False):
        if one:
            into.skip(f"{name}, frames {one}..{other}", "a further expression in the same clip")
    onset, offset = (whole_number(row.cells[end]) for end in ("onset", "offset"))
    span = Span(onset=onset, apex=None, offset=offset)
    first = whole_number(_other(row, "first"))
    if pictures and first is not None and not span.fits(pictures):
        moved = span.moved(min(pictures) - first)
        if moved.fits(pictures):
            into.skip(f"{name}, numbers", f"count from {first} in the sheet, not as the files do")
            span = moved
    into.add(_named(int(name[1 : name.index("_")])), name, pictures, span, label)


def _long_clips(place: Path) -> Iterator[tuple[str, Path]]:
    for subject in frames.folders(place):
        for clip in frames.folders(subject) if _SUBJECT.fullmatch(subject.name) else ():
            match = _CLIP.fullmatch(clip.name)
            if match is not None:
                yield _plain(match), clip


def _other(row: Row, name: str) -> str:
    """The cell of a column that not every sheet has; empty where it has not."""
    return next((cell for header, cell in row.others if header in _FURTHER[name]), "")


def _plain(match: re.Match[str]) -> str:
    """``s01_ne_1`` and ``S1_ne_01`` are one clip."""
    return f"s{int(match[1])}_{match[2].lower()}_{int(match[3]):02d}"


def _named(subject: int) -> str:
    return f"s{subject:02d}"
