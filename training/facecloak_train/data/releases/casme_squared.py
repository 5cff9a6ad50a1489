"""CAS(ME)^2: 30 frames a second, 22 subjects, 57 micro- and 300 macro-expressions.

Source: Qu et al., "CAS(ME)^2: a database for spontaneous macro-expression and micro-expression
spotting and recognition" (IEEE Transactions on Affective Computing 9(4), 2018). Its sheets have no
header. The frames are those of whole recordings, one for each subject and stimulus.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
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
from facecloak_train.data.releases.release import Expected, Release
from facecloak_train.data.releases.sheets import Cells, plain, whole_number

FPS: Final = 30.0
VARIANTS: Final = ("micro", "macro", "all", "videos")
LABELS: Final = spellings("negative", "positive", "surprise", "others", other="others")
REPORTED: Final = {"helpness": "helpless"}
"""What the column of felt emotions misspells."""
VIDEO_LABELS: Final = ("happy", "angry", "disgust")
"""What the stimuli were to raise; the classes of MicroExpSTCNN."""
VIDEO_FRAMES: Final = (72, 168)
"""Which frames of a recording MicroExpSTCNN takes, counted from 0, the last one not included."""
EXPECTED: Final = {
    "micro": Expected(clips=57, subjects=None),
    "macro": Expected(clips=300, subjects=None),
    "all": Expected(clips=357, subjects=22),
    "videos": Expected(clips=206, labels={"happy": 94, "angry": 76, "disgust": 36}),
}
"""Expressions: as others remember the sheet; the paper of 2016 says 53 and 250. Videos: what
Reddy et al. (arXiv 1904.01390, table IV) count; 22 subjects with two stimuli for anger cannot have
76 recordings, so how they cut theirs is not known."""
SUBJECTS: Final = (
    *(15, 16, 19, 20, 21, 22, 23, 24, 25, 26, 27),
    *(29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 40),
)
"""Numbers of the folders of subjects 1 to 22, for a sheet that lacks ``naming rule1``."""
STIMULI: Final = {
    "disgust1": "0101",
    "disgust2": "0102",
    "anger1": "0401",
    "anger2": "0402",
    "happy1": "0502",
    "happy2": "0503",
    "happy3": "0505",
    "happy4": "0507",
    "happy5": "0508",
}
"""Codes in the names of the folders, for a sheet that lacks ``naming rule2``."""

_SHEET: Final = re.compile(r"(?![.~]).*code_final.*\.xlsx?", re.IGNORECASE)
_SUBJECT: Final = re.compile(r"s\d+", re.IGNORECASE)
_RECORDING: Final = re.compile(r"(\d+)_(\d{4}).*")
_RAISED: Final = {"happy": "happy", "anger": "angry", "disgust": "disgust"}

_Key = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    number: int
    subject: int
    clip: str
    span: Span
    kind: str
    emotion: str
    reported: str


def read(root: Path, *, variant: str = "micro", crops: bool = False) -> Release:
    """Read a release.

    Args:
        root: the folder that holds ``CAS(ME)^2code_final.xlsx`` and ``rawpic`` or ``cropped``.
        variant: micro, macro, all (both), or videos: a part of each whole recording, labelled by
            what its stimulus was to raise, as MicroExpSTCNN has it.
        crops: take the release's own crops rather than its whole pictures; it lacks some.

    Raises:
        ConfigError: ``variant`` is none of these.
        DatasetError: this is no CAS(ME)^2, or its sheet cannot be read.
    """
    if variant not in VARIANTS:
        msg = f"CAS(ME)^2 has no variant {variant!r}."
        raise ConfigError(msg, f"Choose one of {', '.join(VARIANTS)}.")
    require_folder(root, "CAS(ME)^2")
    found = sorted(frames.files(root, _SHEET), key=lambda path: "updated" not in path.name.lower())
    required(root, "CAS(ME)^2", found, "CAS(ME)^2code_final.xlsx")
    names = ("cropped", "longvideofacecropped", "rawpiccrop") if crops else ("rawpic",)
    place = required(
        root, "CAS(ME)^2", frames.holder(root, names, _SUBJECT), f"folder {names[0]} with sNN"
    )
    into = Collector("casme-squared", FPS)
    book = sheets.read(found[0])
    recordings = _recordings(place, into)
    subjects, stimuli = _naming(book)
    if variant == "videos":
        _collect_videos(into, recordings, {code: name for name, code in stimuli.items()})
    else:
        _collect_expressions(into, _rows(book, into), recordings, (subjects, stimuli), variant)
    return Release(
        dataset="casme-squared",
        variant=f"{variant} {'cropped' if crops else 'raw'}",
        samples=tuple(into.samples),
        skipped=tuple(into.skipped),
        expected=EXPECTED[variant],
        sheets=(found[0],),
    )


def _collect_expressions(
    into: Collector,
    rows: list[_Row],
    recordings: dict[_Key, Path],
    naming: tuple[dict[int, int], dict[str, str]],
    variant: str,
) -> None:
    subjects, stimuli = naming
    coded: set[_Key] = set()
    left_out = 0
    for row in rows:
        what = f"row {row.number}, {row.subject}/{row.clip}"
        folder, code = subjects.get(row.subject), stimuli.get(row.clip.split("_")[0].lower())
        if folder is None or code is None:
            into.skip(what, "names a subject or a stimulus that no naming rule knows")
            continue
        coded.add((folder, code))
        if variant not in ("all", row.kind):
            left_out += 1
            continue
        label = label_of(row.emotion, LABELS)
        if label is None:
            into.skip(what, f"emotion {row.emotion!r} is none of {', '.join(LABELS)}")
        elif (folder, code) not in recordings:
            into.skip(what, f"has a row but no frames: there is no folder {folder}_{code}...")
        else:
            span = _mended(into, what, row.span)
            pictures = frames.numbered(recordings[folder, code])
            into.add(f"s{folder}", row.clip, pictures, span, label, row.reported)
    if left_out:
        into.skip(f"{left_out} rows", f"are no {variant}-expressions")
    for key in sorted(recordings.keys() - coded):
        into.skip(recordings[key].name, "has frames but no row in the sheet")


def _mended(into: Collector, what: str, span: Span) -> Span:
    """Where the offset is 0 the sheet means the apex, where the apex is 0 the middle."""
    onset, apex, offset = span.onset, span.apex or None, span.offset or None
    if offset is None and apex is not None:
        into.skip(f"{what}, offset", f"is not told; the clip ends at its apex, frame {apex}")
        offset = apex
    if apex is None and onset is not None and offset is not None:
        apex = (onset + offset) // 2
        into.skip(f"{what}, apex", f"is not told; taken to be the middle, frame {apex}")
    return Span(onset=onset, apex=apex, offset=offset)


def _collect_videos(into: Collector, recordings: dict[_Key, Path], stimuli: dict[str, str]) -> None:
    first, end = VIDEO_FRAMES
    for (subject, code), folder in sorted(recordings.items()):
        stimulus = stimuli.get(code, "")
        label = _RAISED.get(re.sub(r"\d+$", "", stimulus))
        pictures = frames.numbered(folder)
        if label is None:
            into.skip(folder.name, "its stimulus is none for happiness, anger or disgust")
        elif len(pictures) < end:
            into.skip(
                folder.name, f"has {len(pictures)} frames; frames {first}..{end - 1} are taken"
            )
        else:
            numbers = list(pictures)[first:end]
            span = Span(onset=numbers[0], apex=None, offset=numbers[-1])
            into.add(f"s{subject}", stimulus, pictures, span, label)


def _recordings(place: Path, into: Collector) -> dict[_Key, Path]:
    """Folders of recordings by what their own names say; a few lie with another subject."""
    found: dict[_Key, Path] = {}
    strays = []
    for subject in frames.folders(place):
        for folder in frames.folders(subject) if _SUBJECT.fullmatch(subject.name) else ():
            match = _RECORDING.fullmatch(folder.name)
            if match is None:
                into.skip(f"{subject.name}/{folder.name}", "its name tells no subject and stimulus")
            elif int(match[1]) == int(subject.name[1:]):
                found[int(match[1]), match[2]] = folder
            else:
                strays.append(((int(match[1]), match[2]), folder))
    for key, folder in strays:
        what = f"{folder.parent.name}/{folder.name}"
        if key in found:
            into.skip(what, f"lies with another subject; there is one with s{key[0]}, too")
        else:
            into.skip(f"{what}, place", f"lies with another subject; taken as that of s{key[0]}")
            found[key] = folder
    return found


def _naming(book: dict[str, list[Cells]]) -> tuple[dict[int, int], dict[str, str]]:
    """Folder numbers of subjects, and codes of stimuli, by what the sheet calls them."""
    subjects = dict(enumerate(SUBJECTS, start=1))
    stimuli = dict(STIMULI)
    for name, rows in book.items():
        for cells in rows:
            filled = [cell for cell in cells if cell]
            if plain(name) == "namingrule1" and len(filled) >= 2:
                folder = next((one[1:] for one in filled if _SUBJECT.fullmatch(one)), None)
                if folder is not None and (number := whole_number(filled[-1])) is not None:
                    subjects[number] = int(folder)
            elif plain(name) == "namingrule2" and len(filled) >= 2:
                code = next((one for one in filled if whole_number(one) is not None), None)
                stimulus = next((one for one in filled if re.fullmatch(r"[a-z]+\d+", one)), None)
                if code is not None and stimulus is not None:
                    stimuli[stimulus] = code.zfill(4)
    return subjects, stimuli


def _rows(book: dict[str, list[Cells]], into: Collector) -> list[_Row]:
    """The rows of the sheet ``CASFEcode_final``, or else of the first one."""
    coding = next((rows for name, rows in book.items() if "code" in plain(name)), None)
    rows = coding if coding is not None else next(iter(book.values()), [])
    return list(_parsed(rows, into))


def _parsed(rows: list[Cells], into: Collector) -> Iterator[_Row]:
    for number, cells in enumerate(rows, start=1):
        if not any(cells):
            continue
        padded = (*cells, *[""] * 9)
        subject = whole_number(padded[0])
        kind = padded[7].lower().split("-")[0]
        if subject is None or kind not in ("micro", "macro"):
            into.skip(f"row {number}", f"codes no expression: {' '.join(cells).strip()!r}")
            continue
        reported = padded[8].lower()
        yield _Row(
            number=number,
            subject=subject,
            clip=padded[1],
            span=Span(
                **dict(
                    zip(("onset", "apex", "offset"), map(whole_number, padded[2:5]), strict=True)
                )
            ),
            kind=kind,
            emotion=padded[6],
            reported=REPORTED.get(reported, reported),
        )
