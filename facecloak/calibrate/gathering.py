"""Some seconds of a source become a few dozen crops of one person. Nothing is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from facecloak.calibrate.crops import Crop, Crops, cut
from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import DeviceError, SourceLost
from facecloak.core.ports import EndOfSource, FaceFinder, Source
from facecloak.core.types import Frame, Sighting

MOST: Final = 80
"""Crops that are kept of a person: about four a second in twenty seconds."""
LEAST: Final = 16
"""With fewer, the part that is held out says nothing."""
_READ_S: Final = 1.0
_PATIENCE_S: Final = 10.0
"""How long a source may give no picture at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Sitting:
    """What was seen of the person that was seen most.

    Attributes:
        crops: see ``calibrate.crops``; at most ``MOST``, spread evenly over the time.
        people: how many faces were followed in all; who is lost for a while counts twice.
    """

    crops: Crops
    people: int


class _Person:
    """Every n-th crop of a person, with n doubled whenever there are too many."""

    def __init__(self) -> None:
        self.seen = 0
        self._every = 1
        self._kept: list[Crop] = []

    def see(self, crop: Callable[[], Crop]) -> None:
        """Count one more sighting, and keep its crop where it is its turn."""
        if self.seen % self._every == 0:
            self._kept.append(crop())
        self.seen += 1
        if len(self._kept) == 2 * MOST:
            del self._kept[1::2]
            self._every *= 2

    def crops(self) -> Crops:
        count = min(MOST, len(self._kept))
        chosen = np.linspace(0, len(self._kept) - 1, count).round().astype(int)
        return np.stack([self._kept[index] for index in chosen])


def gather(
    source: Source,
    finder: FaceFinder,
    *,
    name: str,
    seconds: float,
    clock: Clock = monotonic,
) -> Sitting:
    """Look at a source for some seconds. Opens and closes it.

    Args:
        source: not yet open.
        finder: finds the faces; stays open.
        name: of the source, for errors.
        seconds: how long, by the times of its frames; a file may end earlier.
        clock: times the patience with a source that gives nothing.

    Raises:
        SourceUnavailable: the source cannot be opened.
        SourceLost: it gave no picture for ten seconds, or turned to garbage.
        DeviceError: nobody was seen, or too seldom.
    """
    people: dict[int, _Person] = {}
    with source:
        first_s, heard_s = None, clock()
        while True:
            try:
                frame = source.read(_READ_S)
            except EndOfSource:
                break
            if frame is None:
                if clock() - heard_s > _PATIENCE_S:
                    what = f"{name} gave no picture for {_PATIENCE_S:.0f} seconds."
                    raise SourceLost(what, "Check that it is connected, then run it again.")
                continue
            heard_s = clock()
            first_s = frame.captured_s if first_s is None else first_s
            if frame.captured_s - first_s >= seconds:
                break
            _see(frame, finder, people)
    return _most_seen(people, name)


def _see(frame: Frame, finder: FaceFinder, people: dict[int, _Person]) -> None:
    for face in finder.find(frame).found:
        if face.sighting is not Sighting.PREDICTED:
            person = people.setdefault(face.track, _Person())
            person.see(lambda face=face: cut(frame, face))  # type: ignore[misc]


def _most_seen(people: dict[int, _Person], name: str) -> Sitting:
    if not people:
        what = f"No face was seen in {name}."
        raise DeviceError(
            what, "Face the camera, with light on your face, or name another --source."
        )
    person = max(people.values(), key=lambda one: one.seen)
    if person.seen < LEAST:
        what = f"{name} shows a face in too few pictures: {person.seen} of at least {LEAST}."
        raise DeviceError(what, "Give more --seconds, or a video that shows your face for longer.")
    return Sitting(person.crops(), len(people))
