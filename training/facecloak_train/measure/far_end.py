"""Faces through calls: captured, cloaked, sent, found anew and read, one after the other."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facecloak.cloak.opencv_cloak import OpenCvCloak, face_box
from facecloak.core.ports import Tailor
from facecloak.core.types import Face, Image
from facecloak_train.data.fer2013 import Faces
from facecloak_train.measure.calls import (
    SIZE,
    Call,
    Crop,
    capture,
    crops_of,
)
from facecloak_train.measure.choosing import Chooser
from facecloak_train.measure.codec import REENCODED, Arrival, Leg, arrive
from facecloak_train.measure.finding import Finding
from facecloak_train.measure.reading import Victim, read
from facecloak_train.measure.visible import visible

CLEAN: Final = "clean"
"""What a call without a cloak is called."""
_TOGETHER: Final = 4
"""Faces that the classifiers read at once."""

Row = dict[str, Any]
_Way = tuple[str, str]
"""The key of a leg, and what was laid on the face."""


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """What is laid on a face.

    Attributes:
        cloak: lays it.
        tailor: makes the one who makes it to measure; None where it is the same for all faces.
    """

    cloak: OpenCvCloak
    tailor: Callable[[], Tailor] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """A face on its way: what arrives of each call, and how visible each cloak is."""

    arrivals: Mapping[_Way, Future[Arrival]]
    seen: Future[Row] | None


class FarEnd:
    """What is done with each face.

    Args:
        legs: how its pictures get to the far end.
        cloaks: what is laid on it, by name, beside nothing.
        chooser: lets a bank know what its selector reads in the face.
        victims: who reads it there.
        noise: the camera's; see :func:`facecloak_train.measure.calls.camera_noise`.
        seed: of every random choice.
    """

    def __init__(
        self,
        legs: Sequence[Leg],
        cloaks: Mapping[str, Laid],
        chooser: Chooser,
        victims: Sequence[Victim],
        *,
        noise: NDArray[np.int16],
        seed: int,
    ) -> None:
        self._legs = legs
        self._cloaks = cloaks
        self._chooser = chooser
        self._victims = victims
        self._noise = noise
        self._seed = seed

    def measure(
        self, faces: Faces, numbers: Sequence[int], looked_at: Container[int]
    ) -> Iterator[list[Row]]:
        """Measure faces, some at once.

        A row tells the ``number`` of the face, its ``label``, and whether it was ``found`` at the
        near end. Of those found it tells ``readings`` by leg, cloak and classifier, where the far
        end found the face, the ``kbps`` of each leg, and, of some, what was ``seen``.

        Args:
            faces: all there are.
            numbers: of those to measure, each once.
            looked_at: of those of which it is told what is seen.
        """
        # One for each size: a finder that meets another size looks everywhere.
        sizes = {SIZE, *(leg.size for leg in self._legs)}
        with contextlib.ExitStack() as opened:
            ends = {size: opened.enter_context(Finding()) for size in sizes}
            pool = opened.enter_context(ThreadPoolExecutor(os.cpu_count()))  # PyAV frees the GIL
            calls = _one_ahead(
                self._sent(
                    faces.images[number], number, ends[SIZE], pool, looked_at=number in looked_at
                )
                for number in numbers
            )
            rows: list[tuple[Row, dict[_Way, dict[int, Crop]]]] = []
            for number, sent in zip(numbers, calls, strict=True):
                row: Row = {"number": number, "label": int(faces.labels[number])}
                rows.append((row | {"found": sent is not None}, {}))
                if sent is not None:
                    rows[-1] = self._received(rows[-1][0], sent, ends)
                if len(rows) == _TOGETHER or number == numbers[-1]:
                    self._read(rows)
                    yield [row for row, _ in rows]
                    rows = []

    def _sent(
        self,
        image: NDArray[np.uint8],
        number: int,
        near: Finding,
        pool: ThreadPoolExecutor,
        *,
        looked_at: bool,
    ) -> _Sent | None:
        """Capture, cloak and send a face; None where the near end finds none."""
        random = np.random.default_rng((self._seed, number))
        call = capture(image, self._noise, near, start_s=60.0 * random.random())
        if call is None:
            return None
        # A number of its own: a cloak remembers faces by it, and the finder may count anew.
        call = replace(call, faces=tuple(replace(face, track=number) for face in call.faces))
        pictures, moved = {CLEAN: call.pictures}, {}
        reads = self._chooser.read(call.frames[0], call.faces[0])
        for name, laid in self._cloaks.items():
            cloak = laid.cloak
            if cloak.selector.name:
                cloak.hear(reads)
            if laid.tailor is not None:
                cloak.wear(laid.tailor().fit(call.frames[0], call.faces[:1], reads))
            pictures[name] = call.cloaked(cloak)
            if looked_at:
                moved[name] = cloak.displaced(call.frames[0], call.faces[:1]).image
        arrivals = {
            (leg.key, name): pool.submit(arrive, one, leg)
            for leg in self._legs
            for name, one in pictures.items()
        }
        return _Sent(arrivals, pool.submit(_seen, call, pictures, moved) if looked_at else None)

    def _received(
        self, row: Row, sent: _Sent, ends: Mapping[tuple[int, int], Finding]
    ) -> tuple[Row, dict[_Way, dict[int, Crop]]]:
        """Find the face in what arrived."""
        sizes_px = {victim.input_px for victim in self._victims}
        crops: dict[_Way, dict[int, Crop]] = {}
        kbps: dict[str, list[float]] = {leg.key: [] for leg in self._legs}
        size_of = {leg.key: leg.size for leg in self._legs}
        for way, future in sent.arrivals.items():
            arrival = future.result()
            kbps[way[0]].append(arrival.kbps)
            found = crops_of(arrival.picture, ends[size_of[way[0]]], sizes_px)
            if found is not None:
                crops[way] = found
        row["kbps"] = {key: round(float(np.mean(rates)), 1) for key, rates in kbps.items()}
        row["readings"] = {key: {} for key in size_of}
        if sent.seen is not None:
            row["seen"] = sent.seen.result()
        return row, crops

    def _read(self, rows: Sequence[tuple[Row, dict[_Way, dict[int, Crop]]]]) -> None:
        """Have every classifier read every crop, and write that into the rows."""
        for victim in self._victims:
            where = [(row, way) for row, crops in rows for way in crops]
            crops = [of[victim.input_px] for _, found in rows for of in found.values()]
            for (row, (leg, name)), label in zip(where, read(victim, crops), strict=True):
                row["readings"][leg].setdefault(name, {})[victim.name] = int(label)


def _one_ahead(sent: Iterable[_Sent | None]) -> Iterator[_Sent | None]:
    """The same, one begun before it is asked for: encoders work while the one before is read."""
    waiting: list[_Sent | None] = []
    for one in sent:
        waiting.append(one)
        if len(waiting) > 1:
            yield waiting.pop(0)
    yield from waiting


def _seen(call: Call, pictures: Mapping[str, Sequence[Image]], moved: Mapping[str, Image]) -> Row:
    """How visible each cloak is on the first picture, and beside it what a good line costs.

    ``added`` is what was added to the face once it was moved; ``moved``, what became of it in all.

    Args:
        call: as captured.
        pictures: as each cloak sends it.
        moved: its first picture with the face moved and nothing added, likewise.
    """
    told: Row = {
        name: {
            "added": _compared(before, pictures[name][0], call.faces[0]),
            "moved": _compared(call.frames[0].image, pictures[name][0], call.faces[0]),
        }
        for name, before in moved.items()
    }
    last = call.frames[-1].image
    coded = arrive(call.pictures, REENCODED).picture
    told[REENCODED.key] = {"added": _compared(last, coded, call.faces[-1])}
    return told


def _compared(before: Image, after: Image, face: Face) -> dict[str, float]:
    left, top, right, bottom = face_box(face.face_from_frame, *before.shape[1::-1])
    where = slice(top, bottom), slice(left, right)
    return dataclasses.asdict(visible(before[where], after[where]))
