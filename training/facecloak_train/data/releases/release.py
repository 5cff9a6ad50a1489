"""What a reader makes of a release: clips, what it skipped and why, and what was to be expected."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sample:
    """One expression of one person: frames on disk, from its onset to its offset.

    Attributes:
        dataset: casme, casme2, casme-squared or smic.
        subject: such as ``sub07``.
        name: of the clip, unique for its subject.
        frames: in the order of their numbers.
        numbers: of the frames, in the release; a gap means that files are missing.
        fps: frames per second of the camera.
        apex: index into ``frames``; None where the release tells none.
        label: what it expresses, in the release's words; misspellings are put right.
        reported: what the subject said to have felt, where the release tells that.
    """

    dataset: str
    subject: str
    name: str
    frames: tuple[Path, ...]
    numbers: tuple[int, ...]
    fps: float
    apex: int | None
    label: str
    reported: str = ""

    @property
    def times_s(self) -> NDArray[np.float64]:
        """``float64[T]``: when each frame was taken, in seconds from the first."""
        return (np.array(self.numbers, np.float64) - self.numbers[0]) / self.fps


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out or put right: ``what`` it is, and the ``reason``."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the whole release should hold; None and a missing label mean that it is not known."""

    clips: int
    subjects: int | None = None
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release as found on disk.

    Attributes:
        dataset: casme, casme2, casme-squared or smic.
        variant: which part or form of it, such as ``raw``, ``cropped`` or ``hs-e raw``.
        samples: the clips.
        skipped: everything that is not in them, or not as the sheet has it.
        expected: what should have been found.
        sheets: the coding sheets that were read.
    """

    dataset: str
    variant: str
    samples: tuple[Sample, ...]
    skipped: tuple[Skipped, ...]
    expected: Expected
    sheets: tuple[Path, ...] = ()


def check(release: Release) -> list[str]:
    """Compare a release with what it should hold: one line for each count, for people to read."""
    expected = release.expected
    found = Counter(sample.label for sample in release.samples)
    subjects = len({sample.subject for sample in release.samples})
    lines = [_line("clips", len(release.samples), expected.clips)]
    lines.append(_line("subjects", subjects, expected.subjects))
    labels = sorted(found.keys() | expected.labels.keys(), key=lambda one: (-found[one], one))
    known = expected.labels
    lines += [_line(one, found[one], known.get(one, 0) if known else None) for one in labels]
    lines.append(f"skipped or put right: {len(release.skipped)}")
    return lines


def _line(what: str, found: int, expected: int | None) -> str:
    if expected is None:
        return f"{what}: {found} (how many there should be is not known)"
    return f"{what}: {found}" + ("" if found == expected else f" (the official set has {expected})")
