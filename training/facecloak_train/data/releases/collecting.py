"""How rows of a sheet become samples: which frames they mean, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from facecloak_train.data.fer2013 import DatasetError
from facecloak_train.data.releases.frames import Numbered
from facecloak_train.data.releases.release import Sample, Skipped

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Numbers of the frames at which an expression begins, is strongest and ends; None: unknown."""

    onset: int | None
    apex: int | None
    offset: int | None

    @property
    def is_ordered(self) -> bool:
        """Whether it ends after it begins."""
        return self.onset is not None and self.offset is not None and self.onset < self.offset

    def fits(self, frames: Numbered) -> bool:
        """Whether it is ordered and both its ends are there."""
        return self.is_ordered and self.onset in frames and self.offset in frames

    def moved(self, by: int) -> "Span":
        """The same where the frames are counted from another one."""
        ends = (None if end is None else end + by for end in (self.onset, self.apex, self.offset))
        onset, apex, offset = ends
        return Span(onset=onset, apex=apex, offset=offset)


class Collector:
    """Takes what a reader finds, one expression after another."""

    def __init__(self, dataset: str, fps: float) -> None:
        self._dataset = dataset
        self._fps = fps
        self._names: set[tuple[str, str]] = set()
        self.samples: list[Sample] = []
        self.skipped: list[Skipped] = []

    def skip(self, what: str, reason: str) -> None:
        """Say that something is left out or was put right."""
        self.skipped.append(Skipped(what, reason))

    def add(
        self, subject: str, name: str, frames: Numbered, span: Span, label: str, reported: str = ""
    ) -> None:
        """Take the frames of a span, or say why not.

        Frames that are missing within the span, and an apex outside of it, are said; the clip is
        used without them.
        """
        what = f"{subject}/{name}"
        if not span.is_ordered:
            self.skip(what, f"frames {span.onset}..{span.offset} are no span of time")
            return
        assert span.onset is not None  # noqa: S101 - the span is ordered
        assert span.offset is not None  # noqa: S101
        within = {n: path for n, path in frames.items() if span.onset <= n <= span.offset}
        if len(within) < 2:
            there = f"{len(within)} of the frames {span.onset}..{span.offset} are there"
            self.skip(what, f"{there}; two at least are needed")
            return
        if (subject, name) in self._names:
            name = f"{name}@{span.onset}"
        if (subject, name) in self._names:
            self.skip(what, f"stands twice with the onset {span.onset}")
            return
        missing = span.offset - span.onset + 1 - len(within)
        if missing:
            self.skip(f"{what}, {missing} frames", "no such files; the clip is used without them")
        numbers = tuple(within)
        apex = None
        if span.apex in within:
            apex = numbers.index(span.apex)
        elif span.apex is not None:
            reason = f"frame {span.apex} is none of the clip's; it is used without an apex"
            self.skip(f"{what}, apex", reason)
        self._names.add((subject, name))
        self.samples.append(
            Sample(
                dataset=self._dataset,
                subject=subject,
                name=name,
                frames=tuple(within.values()),
                numbers=numbers,
                fps=self._fps,
                apex=apex,
                label=label,
                reported=reported,
            )
        )


def label_of(cell: str, labels: Mapping[str, str]) -> str | None:
    """The label that a cell means, misspellings put right; None where it means none."""
    return labels.get(" ".join(cell.lower().split()))


def spellings(*labels: str, **wrong: str) -> dict[str, str]:
    """Each label under its own name, and right ones under the misspellings that are known."""
    return {label: label for label in labels} | wrong


def require_folder(root: Path, name: str) -> None:
    """Raise a :class:`DatasetError` where the root of a release is no folder."""
    if not root.is_dir():
        msg = f"{root} is no folder; give the folder that the release of {name} was unpacked into"
        raise DatasetError(msg)


def required(root: Path, name: str, found: T | None, wanted: str) -> T:
    """What a release cannot do without. Raises :class:`DatasetError` where it is not there."""
    if not found:
        msg = f"{root} is no release of {name}: there is no {wanted} in it or below"
        raise DatasetError(msg)
    return found
