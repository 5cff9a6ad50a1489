"""Who is who from frame to frame, and who is missing. No picture, no clock, no MediaPipe."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from facecloak.core.types import Face, Faces, Sighting
from facecloak.face.alignment import Place, distance, overlap
from facecloak.face.smoothing import PlaceFilter, SmoothingConfig

_SIDES_SPEED: Final = 2.0
"""How fast the sides of a face go at most, in face widths a second: hardly a head turns faster, but
few points show no sides, and the pattern must not jump."""
_SIDES_GAP_S: Final = 0.1
"""As how long a gap counts at most, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingConfig:
    """How long a face is believed in."""

    carry_s: float = 2.0
    """How long after it was last seen a face may go on by prediction."""
    forget_s: float = 1.0
    """How long a face that is neither seen nor predicted counts as missing."""
    reach: float = 0.8
    """How far a face may be from where it was, in face widths."""
    confirm: int = 2
    """How often a face must be seen before it is carried on or missed."""

    def __post_init__(self) -> None:
        if min(self.carry_s, self.forget_s, self.reach, self.confirm) < 0:
            msg = f"tracking needs numbers >= 0, got {self}"
            raise ValueError(msg)


@dataclass(slots=True, eq=False)
class Track:
    """One person.

    Attributes:
        number: 0, 1, 2, ... in the order of appearance; never used again.
        place: where the face was last, unsmoothed.
        seen_s: when a model last saw it.
        found_s: when its place was last known, seen or predicted.
        smooth: the filter of its place.
        sides: where the face ends, as of ``core.types.Face``, followed without a jump.
        sightings: how often a model saw it.
    """

    number: int
    place: Place
    seen_s: float
    found_s: float
    smooth: PlaceFilter
    sides: tuple[float, float]
    sightings: int = 0


class Tracker:
    """Gives places to tracks: nearest first, each at most once."""

    def __init__(self, config: TrackingConfig, smoothing: SmoothingConfig) -> None:
        self._config = config
        self._smoothing = smoothing
        self._next = 0
        self._at_s = -math.inf
        self.tracks: list[Track] = []

    def surprise(self, place: Place) -> float:
        """How far a place is from the nearest track, in face widths; infinite without tracks."""
        return min((distance(track.place, place) for track in self.tracks), default=math.inf)

    def unseen(self, seen: Sequence[Place]) -> list[Track]:
        """The tracks that none of these places belongs to."""
        taken = {index for index, _ in self._pairs(seen)}
        return [track for index, track in enumerate(self.tracks) if index not in taken]

    def update(self, seen: Sequence[Place], predicted: dict[int, Place], *, at_s: float) -> Faces:
        """Take what this frame shows.

        Args:
            seen: the faces that a model saw, each once.
            predicted: by track number, where the others should be now.
            at_s: time of the frame in seconds; where it runs backwards, all ages start anew.
        """
        if at_s < self._at_s:
            for track in self.tracks:
                track.seen_s = track.found_s = at_s
        self._at_s = at_s
        pairs = dict(self._pairs(seen))
        found: list[Face] = []
        for index, track in enumerate(self.tracks):
            if index in pairs:
                found.append(self._see(track, seen[pairs[index]], at_s))
            elif track.number in predicted and self._is_carried(track, at_s):
                found.append(self._move(track, predicted[track.number], at_s))
        known = set(pairs.values())
        found += [self._begin(p, at_s) for i, p in enumerate(seen) if i not in known]
        self.tracks = [track for track in self.tracks if self._is_believed(track, at_s, seen)]
        alive = {track.number for track in self.tracks}
        kept = tuple(face for face in found if face.track in alive)
        return Faces(kept, missing=len(self.tracks) - len(kept))

    def _pairs(self, seen: Sequence[Place]) -> list[tuple[int, int]]:
        """Indices of tracks and of the places that belong to them."""
        apart = sorted(
            (distance(track.place, place), i, j)
            for i, track in enumerate(self.tracks)
            for j, place in enumerate(seen)
        )
        pairs: list[tuple[int, int]] = []
        for far, i, j in apart:
            free = all(i != a and j != b for a, b in pairs)
            if free and far <= self._config.reach:
                pairs.append((i, j))
        return pairs

    def _begin(self, place: Place, at_s: float) -> Face:
        track = Track(self._next, place, at_s, at_s, PlaceFilter(self._smoothing), place.sides)
        self._next += 1
        self.tracks.append(track)
        return self._see(track, place, at_s)

    def _see(self, track: Track, place: Place, at_s: float) -> Face:
        track.seen_s = at_s
        track.sightings += 1
        return self._move(track, place, at_s)

    @staticmethod
    def _move(track: Track, place: Place, at_s: float) -> Face:
        far = _SIDES_SPEED * min(max(0.0, at_s - track.found_s), _SIDES_GAP_S)
        (left, right), (to_left, to_right) = track.sides, place.sides
        track.sides = _towards(left, to_left, far), _towards(right, to_right, far)
        track.place, track.found_s = place, at_s
        smoothed = track.smooth.filter(place.face_from_frame, at_s)
        return Face(track.number, smoothed, place.sighting, track.sides)

    def _is_carried(self, track: Track, at_s: float) -> bool:
        confirmed = track.sightings >= self._config.confirm
        return confirmed and at_s - track.seen_s <= self._config.carry_s

    def _is_believed(self, track: Track, at_s: float, seen: Sequence[Place]) -> bool:
        """Whether a track goes on: it was seen, or it may still be there and nobody covers it."""
        if track.seen_s == at_s:
            return True
        if track.sightings < self._config.confirm:
            return False
        if any(overlap(track.place, place) for place in seen):
            return False
        lost_s = at_s - track.found_s
        return lost_s == 0 or lost_s < self._config.forget_s


def distinct(places: Iterable[Place]) -> list[Place]:
    """The places without those that repeat a better one: dense landmarks before keypoints."""
    order = list(Sighting)
    kept: list[Place] = []
    for place in sorted(places, key=lambda one: order.index(one.sighting)):
        if not any(overlap(place, other) for other in kept):
            kept.append(place)
    return kept


def _towards(here: float, there: float, far: float) -> float:
    """As near to ``there`` as it is with at most ``far`` to go."""
    return here + min(max(there - here, -far), far)
