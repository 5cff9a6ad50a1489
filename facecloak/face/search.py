"""What to look at in a frame: the finder without MediaPipe.

whole frame --one face is known: mesh of one face, near detector beside it
            |                    then, twice: optical flow instead of the mesh
            '-otherwise: mesh of several faces-----------------------------> faces
tracks without a face --still mesh on a close view--> faces
                      '--optical flow--> predicted --far detector on a close view--> faces
one more view now and then --far detector--> faces that are new, small or distant
                           (live: in a thread of its own, told a frame or two later)
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, TypeVar

from facecloak.core import geometry
from facecloak.core.errors import DegenerateFace
from facecloak.core.types import Affine, Faces, Frame, Image, Points, Sighting
from facecloak.face.alignment import Place, distance, from_keypoints, from_mesh, overlap
from facecloak.face.flow import follow
from facecloak.face.scout import Scout
from facecloak.face.smoothing import SmoothingConfig
from facecloak.face.tracking import Tracker, TrackingConfig, distinct
from facecloak.face.views import Picture, around, tiles, wide

_CLOSE: Final = 2.0
"""Side of a close view in face widths: the near detector inside the mesh likes half a view."""
_NEAR: Final = 1.0
"""How far a face may be from where its track was, in face widths."""
_ROUGHLY: Final = 1.5
"""How far a close look may find the face from where the detector put it; a doubled size is 1."""
_SURE: Final = 0.78
"""The score from which the detector alone is believed about a new face; set by hand, above what
patterns that are no face reached in trials."""
_BETWEEN: Final = 2
"""How many frames in a row the one known face is followed by optical flow, which costs less than
the mesh; how far it strays meanwhile is measured by benchmarks/finder.py."""

_Seen = TypeVar("_Seen")


class Mesh(Protocol):
    """Sees faces by the rigid ones of their dense landmarks."""

    def landmarks(self, rgb: Image) -> list[Points]:
        """For each face ``float64[13, 2]``, as ``TEMPLATE_INDICES``, in pixels of ``rgb``."""
        ...


class Detector(Protocol):
    """Sees faces by six keypoints."""

    def keypoints(self, rgb: Image) -> list[tuple[Points, float]]:
        """``float64[6, 2]`` in pixels of ``rgb`` and a score in ``[0, 1]``, for each face."""
        ...


@dataclass(frozen=True, slots=True)
class Models:
    """The networks. Beside the caller's thread, another asks ``near`` and a third ``scout``.

    Attributes:
        group: the mesh that follows several faces through whole frames. It looks for more of them
            in every frame, before it follows, so that it takes twice the time of ``solo``.
        solo: the mesh that follows one face.
        near: the detector that looks for more of them meanwhile, the one inside ``group``.
        still: the mesh for single views.
        far: the detector for small faces.
        scout: another one for a thread of its own; None looks in the caller's.
    """

    group: Mesh
    solo: Mesh
    near: Detector
    still: Mesh
    far: Detector
    scout: Detector | None = None


class Schedule:
    """Which views to look at in a frame: all at first, then a few, in turns.

    Args:
        every: look at one view each so many frames while all is well.
    """

    def __init__(self, every: int) -> None:
        if every < 1:
            msg = f"every is a number of frames, at least 1, got {every}"
            raise ValueError(msg)
        self._every = every
        self._size: tuple[int, int] | None = None
        self._views: list[Affine] = []
        self.start_over()

    def start_over(self) -> None:
        """Begin the round of single views anew."""
        self._turn = 0
        self._idle = 0

    def due(self, size: tuple[int, int], *, alarm: bool) -> list[Affine]:
        """The views for a frame of ``size``, as ``view_from_frame``.

        Args:
            size: width and height in pixels.
            alarm: whether somebody is missing or nobody is known.
        """
        if size != self._size:
            self._size = size
            self.start_over()
            whole, squares = wide(*size), tiles(*size)
            self._views = [view for square in squares for view in (whole, square)]
            return [whole, *squares]
        self._idle += 1
        if not alarm and self._idle < self._every:
            return []
        self._idle = 0
        self._turn += 1
        return [self._views[self._turn % len(self._views)]]


class Search:
    """Finds and follows the faces of a stream of frames."""

    def __init__(
        self, models: Models, every: int, tracking: TrackingConfig, smoothing: SmoothingConfig
    ) -> None:
        self._models = models
        self._schedule = Schedule(every)
        self._tracker = Tracker(tracking, smoothing)
        self._before: Picture | None = None
        self._flows_left = 0
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="facecloak-near")
        self._scout: Scout[Place] = Scout()

    def close(self) -> None:
        """End the threads. A second call does nothing."""
        self._scout.close()
        self._beside.shutdown(wait=True, cancel_futures=True)

    def start_over(self) -> None:
        """Begin the round of single views anew, as on the frame after the first."""
        self._schedule.start_over()

    def find(self, frame: Frame) -> Faces:
        """Return the faces of this frame. Raises DeviceError when a model fails."""
        picture = Picture(frame.image)
        seen = self._whole(picture)
        for track in self._tracker.unseen(seen):
            seen += self._mesh_near(picture, track.place)
        predicted: dict[int, Place] = {}
        for track in self._tracker.unseen(seen):
            moved = self._follow(picture, track.place)
            if moved is not None and moved.is_plausible(*picture.size):
                predicted[track.number] = moved  # beyond the border it counts as missing
            seen += self._keypoints_near(picture, moved or track.place)
        alarm = not self._tracker.tracks or bool(self._tracker.unseen(seen))
        seen += self._confirmed(picture, self._scout.answer(), seen)
        for view in self._schedule.due(picture.size, alarm=alarm):
            if alarm or self._models.scout is None:
                seen += self._confirmed(picture, self._far(self._models.far, picture, view), seen)
            else:
                self._scout.ask(partial(self._far, self._models.scout, picture, view))
        self._before = picture
        return self._tracker.update(distinct(seen), predicted, at_s=frame.captured_s)

    def _whole(self, picture: Picture) -> list[Place]:
        """The near faces of the whole frame, each once."""
        if len(self._tracker.tracks) != 1:
            self._flows_left = 0
            return self._followed(picture, self._models.group)
        view = picture.small  # made here, before two threads want it
        looking = self._beside.submit(self._models.near.keypoints, view)
        moved = self._carried_on(picture)
        seen = [moved] if moved else self._followed(picture, self._models.solo)
        near = self._placed(looking.result(), from_keypoints, picture, picture.small_from_frame)
        sure = any(overlap(place, one) for place in seen for one in near)
        if moved and sure:
            self._flows_left -= 1
        else:
            seen = self._followed(picture, self._models.solo) if moved else seen
            self._flows_left = _BETWEEN if sure else 0
        return seen + self._confirmed(picture, near, seen)

    def _carried_on(self, picture: Picture) -> Place | None:
        """The one known face by optical flow, where it was seen well a moment ago."""
        known = self._tracker.tracks[0].place
        moved = self._follow(picture, known) if self._flows_left else None
        return moved and replace(moved, sighting=known.sighting)

    def _followed(self, picture: Picture, mesh: Mesh) -> list[Place]:
        """The faces that a mesh follows through whole frames, each once.

        It lists a face that it follows together with the same face detected afresh, whose first
        landmarks are up to a fifth too large; so the places least surprising come first, and a
        face that is new gets a close look before it is believed.
        """
        seen = mesh.landmarks(picture.small)
        places = self._placed(seen, from_mesh, picture, picture.small_from_frame)
        faces: list[Place] = []
        for place in distinct(sorted(places, key=self._tracker.surprise)):
            new = self._tracker.surprise(place) > _NEAR
            faces += self._refine(picture, place) if new else [place]
        return faces

    def _align(
        self,
        see: Callable[[Image], list[_Seen]],
        align: Callable[[_Seen], Place],
        picture: Picture,
        view_from_frame: Affine,
    ) -> list[Place]:
        """The plausible faces that a model sees in a view."""
        return self._placed(see(picture.view(view_from_frame)), align, picture, view_from_frame)

    @staticmethod
    def _placed(
        seen: Sequence[_Seen],
        align: Callable[[_Seen], Place],
        picture: Picture,
        view_from_frame: Affine,
    ) -> list[Place]:
        """Where in the frame the faces seen in a view are, as far as that is plausible."""
        places: list[Place] = []
        for one in seen:
            try:
                place = align(one)
            except DegenerateFace:
                continue
            matrix = geometry.compose(place.face_from_frame, view_from_frame)
            places.append(replace(place, face_from_frame=matrix))
        return [place for place in places if place.is_plausible(*picture.size)]

    def _mesh_near(self, picture: Picture, place: Place) -> list[Place]:
        view = around(place.face_from_frame, _CLOSE)
        places = self._align(self._models.still.landmarks, from_mesh, picture, view)
        return _nearest(places, place, _ROUGHLY)

    def _keypoints_near(self, picture: Picture, place: Place) -> list[Place]:
        view = around(place.face_from_frame, _CLOSE)
        places = self._align(self._models.far.keypoints, from_keypoints, picture, view)
        return [
            better
            for one in _nearest(places, place, _NEAR)
            for better in self._refine(picture, one)
        ]

    def _far(self, detector: Detector, picture: Picture, view: Affine) -> list[Place]:
        return self._align(detector.keypoints, from_keypoints, picture, view)

    def _confirmed(
        self, picture: Picture, places: Sequence[Place], seen: Sequence[Place]
    ) -> list[Place]:
        """Those of the far detector's faces that are new, after a closer look."""
        new = [place for place in places if not any(overlap(place, other) for other in seen)]
        better = [one for place in new for one in self._refine(picture, place)]
        return [one for one in better if one.sighting is Sighting.MESH or one.score >= _SURE]

    def _refine(self, picture: Picture, place: Place) -> list[Place]:
        return self._mesh_near(picture, place) or [place]

    def _follow(self, picture: Picture, place: Place) -> Place | None:
        if self._before is None or self._before.size != picture.size:
            return None
        small_from_frame = picture.small_from_frame
        face_from_small = geometry.compose(place.face_from_frame, geometry.invert(small_from_frame))
        moved = follow(self._before.grey, picture.grey, face_from_small)
        if moved is None:
            return None
        matrix = geometry.compose(moved, small_from_frame)
        return Place(matrix, Sighting.PREDICTED, sides=place.sides)


def _nearest(places: Sequence[Place], expected: Place, reach: float) -> list[Place]:
    """The place most like the expected one, if any is within reach."""
    near = [place for place in places if distance(place, expected) < reach]
    return sorted(near, key=lambda place: distance(place, expected))[:1]
