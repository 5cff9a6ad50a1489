"""Releases with a coding sheet and folders ``subNN/EPxx_yy`` of frames: CASME and CASME II."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from facecloak_train.data.releases import frames
from facecloak_train.data.releases.collecting import Collector, Span, label_of
from facecloak_train.data.releases.frames import Numbered
from facecloak_train.data.releases.sheets import Row, whole_number

SUBJECT: Final = re.compile(r"sub\d+", re.IGNORECASE)
COLUMNS: Final = {
    "subject": ("subject", "subjects", "sub"),
    "filename": ("filename", "file", "clip", "video"),
    "onset": ("onsetframe", "onsetf", "onset"),
    "apex": ("apexframe", "apexf1", "apexf", "apex1", "apex"),
    "offset": ("offsetframe", "offsetf", "offset"),
    "emotion": ("estimatedemotion", "emotion", "emotions"),
}
"""Names of the columns that matter and the headers that they have in one sheet or another."""

_Key = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the frames lie.

    Attributes:
        wanted: folders of subjects to take frames from, best first.
        cut: folders of subjects that hold nothing but onset to offset; what a row is put right by.
    """

    wanted: tuple[Path, ...]
    cut: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Clip:
    """A clip's frames, those of its form that holds onset to offset only, and a known fix."""

    frames: Numbered
    cut: Numbered
    fix: Mapping[str, int]


def collect(
    into: Collector,
    rows: list[tuple[int, Row]],
    places: Places,
    labels: Mapping[str, str],
    fixes: Mapping[int, Mapping[str, int]],
) -> None:
    """Read all rows.

    Args:
        into: what takes the samples and what is skipped.
        rows: the rows of all sheets, each with its number over all of them, from 0.
        places: where the frames lie.
        labels: every spelling of an emotion, and the label that it means.
        fixes: by number, for rows that are known to be wrong, the right ``onset``, ``apex`` or
            ``offset``; taken only where the row does not fit the frames and the fix does.
    """
    wanted = [_clips(place) for place in places.wanted]
    cut = [_clips(place) for place in places.cut]
    coded: set[_Key] = set()
    for number, row in rows:
        cells = row.cells
        number_of_subject = whole_number(re.sub(r"^sub", "", cells["subject"], flags=re.IGNORECASE))
        if number_of_subject is None or not cells["filename"]:
            into.skip(f"row {row.number}", f"names no clip: {' '.join(cells.values())!r}")
            continue
        key = (number_of_subject, _plain_clip(cells["filename"]))
        coded.add(key)
        subject = f"sub{number_of_subject:02d}"
        label = label_of(cells["emotion"], labels)
        if label is None:
            known = ", ".join(dict.fromkeys(labels.values()))
            reason = f"emotion {cells['emotion']!r} is none of {known}"
            into.skip(f"{subject}/{cells['filename']}", reason)
            continue
        clip = _Clip(_frames_of(key, wanted), _frames_of(key, cut), fixes.get(number, {}))
        _add(into, subject, row, clip, label)
    for key in sorted({key for place in wanted for key in place} - coded):
        path = next(place[key] for place in wanted if key in place)
        into.skip(f"sub{key[0]:02d}/{path.name}", "has frames but no row in a sheet")


def _add(into: Collector, subject: str, row: Row, clip: _Clip, label: str) -> None:
    name = row.cells["filename"]
    what = f"{subject}/{name}"
    if not clip.frames:
        into.skip(what, "has a row but no frames")
        return
    told = Span(**{end: whole_number(row.cells[end]) for end in ("onset", "apex", "offset")})
    if told.apex is None:
        into.skip(f"{what}, apex", f"is {row.cells['apex']!r}; the clip is used without an apex")
    span, remark = _settled(told, clip)
    if span is None:
        into.skip(what, remark)
        return
    if remark:
        into.skip(f"{what}, row {row.number}", remark)
    into.add(subject, name, clip.frames, span, label)


def _settled(told: Span, clip: _Clip) -> tuple[Span | None, str]:
    """The span to take, and what was put right; or none, and why."""
    if told.fits(clip.frames):
        return told, ""
    as_told = f"frames {told.onset}..{told.offset} do not fit the files"
    fixed = replace(told, **clip.fix)
    if fixed.fits(clip.frames):
        return fixed, f"{as_told}; this row is known to mean {fixed.onset}..{fixed.offset}"
    if not told.is_ordered and told.onset in clip.cut:
        mended = replace(told, offset=max(clip.cut))
        if mended.is_ordered:
            return mended, f"{as_told}; the clip ends with its last file, {mended.offset}"
    if told.is_ordered:
        return told, ""
    return None, f"{as_told}, and nothing tells the right ones"


def _clips(place: Path) -> dict[_Key, Path]:
    """The folders of clips by the number of the subject and the plain name of the clip."""
    found = {}
    for subject in frames.folders(place):
        if SUBJECT.fullmatch(subject.name):
            for clip in frames.folders(subject):
                found[int(subject.name[3:]), _plain_clip(clip.name)] = clip
    return found


def _frames_of(key: _Key, places: list[dict[_Key, Path]]) -> Numbered:
    """The frames of a clip in the first place that has any."""
    for place in places:
        if key in place and (found := frames.numbered(place[key])):
            return found
    return {}


def _plain_clip(name: str) -> str:
    """``EP01_06 `` and ``ep1_6`` are one clip."""
    return re.sub(r"\d+", lambda digits: str(int(digits[0])), name.strip().lower())
