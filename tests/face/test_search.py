"""The search with models that are told what to see."""

import contextlib

import cv2
import numpy as np
import pytest

from facecloak.core import geometry
from facecloak.core.errors import DeviceError
from facecloak.core.types import Frame, Sighting
from facecloak.face.search import Models, Schedule, Search
from facecloak.face.smoothing import SmoothingConfig
from facecloak.face.tracking import TrackingConfig
from facecloak.face.views import Picture, around, tiles, wide

SIZE = (640, 360)
FRAME_FROM_FACE = np.array([[100.0, 0, 200], [0, 100.0, 120]])


class Scripted:
    """A model that sees the same points in whole frames, in close views, or nowhere."""

    def __init__(self, whole=(), close=()) -> None:
        self.whole, self.close = list(whole), list(close)

    def landmarks(self, rgb):
        return self.whole if rgb.shape[:2] == SIZE[::-1] else self.close

    keypoints = landmarks


def mesh_points(frame_from_face=FRAME_FROM_FACE):
    return geometry.apply(frame_from_face, geometry.TEMPLATE_POINTS)


IN_VIEW = mesh_points(np.array([[96.0, 0, 47.5], [0, 96.0, 47.5]]))
"""Where the still mesh sees the face that a close view was cut around."""


def models(**scripted) -> Models:
    kinds = ("group", "solo", "near", "still", "far")
    return Models(**{kind: Scripted() for kind in kinds} | scripted)


@pytest.fixture
def search():
    """Makes searches, and closes them; ``video`` is the mesh of one face and of several."""
    with contextlib.ExitStack() as opened:

        def make(video=None, every=5, **scripted) -> Search:
            if video is not None:
                scripted |= {"group": video, "solo": video}
            one = Search(models(**scripted), every, TrackingConfig(), SmoothingConfig())
            opened.callback(one.close)
            return one

        yield make


def frame(index: int) -> Frame:
    return Frame(np.full((360, 640, 3), 128, np.uint8), index / 30, index)


def test_the_mesh_alone_places_the_face(search) -> None:
    faces = search(video=Scripted([mesh_points()])).find(frame(0))
    np.testing.assert_allclose(
        geometry.invert(faces.found[0].face_from_frame), FRAME_FROM_FACE, atol=1e-6
    )
    assert faces.found[0].sighting is Sighting.MESH


def test_a_face_listed_twice_counts_once(search) -> None:
    larger = FRAME_FROM_FACE * 1.2 - [[0, 0, 50], [0, 0, 30]]
    one = search(video=Scripted([mesh_points(larger), mesh_points()]))
    for index in range(3):
        assert len(one.find(frame(index)).found) == 1


def test_keypoints_stand_in_when_the_mesh_sees_nothing(search) -> None:
    points = geometry.apply(FRAME_FROM_FACE, geometry.KEYPOINT_POINTS)
    faces = search(far=Scripted(close=[(points, 0.9)])).find(frame(0))
    assert {face.sighting for face in faces.found} == {Sighting.KEYPOINTS}


def test_the_detector_alone_must_be_sure_of_a_new_face(search) -> None:
    points = geometry.apply(FRAME_FROM_FACE, geometry.KEYPOINT_POINTS)
    assert search(far=Scripted(close=[(points, 0.6)])).find(frame(0)).found == ()


def test_a_newcomer_seen_by_the_scout_is_found_without_waiting_for_it(search) -> None:
    """Beside a known face the far detector looks in a thread of its own."""
    points = geometry.apply(np.array([[40.0, 0, 20], [0, 40.0, 20]]), geometry.KEYPOINT_POINTS)
    scout = Scripted()
    one = search(Scripted([mesh_points()]), every=1, still=Scripted(close=[IN_VIEW]), scout=scout)
    for index in range(3):
        assert len(one.find(frame(index)).found) == 1
    scout.close = [(points, 0.9)]
    found = 1
    for index in range(3, 400):
        found = len(one.find(frame(index)).found)
        if found > 1:
            break
    assert found > 1


def test_a_near_newcomer_beside_one_known_face_is_found_in_the_same_frame(search) -> None:
    """The mesh of one face does not see it; the near detector looks beside it in every frame."""
    near = Scripted()
    one = search(Scripted([mesh_points()]), near=near, still=Scripted(close=[IN_VIEW]))
    for index in range(3):
        assert len(one.find(frame(index)).found) == 1
    known, new = FRAME_FROM_FACE, np.array([[80.0, 0, 450], [0, 80.0, 100]])
    near.whole = [(geometry.apply(at, geometry.KEYPOINT_POINTS), 0.6) for at in (known, new)]
    found = one.find(frame(3)).found
    assert [face.track for face in found] == [0, 1]
    np.testing.assert_allclose(geometry.invert(found[1].face_from_frame), new, atol=1e-6)


class Counting(Scripted):
    """Remembers in which frames it was asked."""

    def __init__(self, whole=(), close=()) -> None:
        super().__init__(whole, close)
        self.asked = 0

    def landmarks(self, rgb):
        self.asked += 1
        return super().landmarks(rgb)

    keypoints = landmarks


def moving(index: int) -> Frame:
    """A textured picture that goes right by two pixels in each frame."""
    rough = np.random.default_rng(0).integers(0, 255, (36, 64, 3), dtype=np.uint8)
    picture = cv2.resize(rough, SIZE, interpolation=cv2.INTER_CUBIC)
    return Frame(np.roll(picture, 2 * index, axis=1), index / 30, index)


def moved(index: int):
    return FRAME_FROM_FACE + np.array([[0, 0, 2 * index], [0, 0, 0]])


def keypoints(frame_from_face):
    return (geometry.apply(frame_from_face, geometry.KEYPOINT_POINTS), 0.9)


def test_the_one_known_face_goes_by_optical_flow_for_two_frames_of_three(search) -> None:
    solo, near = Counting(), Scripted()
    one = search(group=Scripted([mesh_points()]), solo=solo, near=near, still=Scripted())
    asked = []
    for index in range(8):
        solo.whole, near.whole = [mesh_points(moved(index))], [keypoints(moved(index))]
        faces = one.find(moving(index)).found
        asked.append(solo.asked)
        assert [(face.track, face.sighting) for face in faces] == [(0, Sighting.MESH)]
    assert asked == [0, 1, 1, 1, 2, 2, 2, 3]
    place = geometry.invert(one._tracker.tracks[0].place.face_from_frame)
    np.testing.assert_allclose(place, moved(7), atol=0.5)


def test_flow_alone_is_no_sighting(search) -> None:
    """Where the detector does not see it too, the mesh has to: a face that left must not stay."""
    solo, near = Counting([mesh_points()]), Scripted([keypoints(FRAME_FROM_FACE)])
    one = search(group=Scripted([mesh_points()]), solo=solo, near=near, still=Scripted())
    for index in range(2):
        one.find(frame(index))
    solo.asked, solo.whole, near.whole = 0, [], []
    assert one.find(frame(2)).missing == 1
    assert solo.asked == 1
    near.whole = [keypoints(moved(150))]
    one.find(frame(3))
    assert solo.asked == 2


def test_several_known_faces_are_followed_by_the_mesh_of_several(search) -> None:
    there = [mesh_points(), mesh_points(np.array([[80.0, 0, 450], [0, 80.0, 100]]))]
    group, blind = Scripted(there), Scripted()
    one = search(group=group, solo=blind, near=blind, still=Scripted(close=[IN_VIEW]))
    for index in range(5):
        assert [face.track for face in one.find(frame(index)).found] == [0, 1]


def test_a_detector_that_fails_beside_the_mesh_is_heard(search) -> None:
    class Broken(Scripted):
        def keypoints(self, rgb):
            msg = "It failed."
            raise DeviceError(msg)

    one = search(Scripted([mesh_points()]), near=Broken())
    one.find(frame(0))
    with pytest.raises(DeviceError):
        one.find(frame(1))


def test_degenerate_and_implausible_landmarks_are_dropped(search) -> None:
    tiny = mesh_points(np.array([[5.0, 0, 200], [0, 5.0, 120]]))
    nowhere = [np.zeros((13, 2)), np.full((13, 2), np.nan), tiny]
    assert search(video=Scripted(nowhere)).find(frame(0)).found == ()


def test_a_face_that_no_model_sees_any_more_is_missing(search) -> None:
    video = Scripted([mesh_points()])
    one = search(video=video)
    for index in range(5):
        one.find(frame(index))
    video.whole = []
    faces = one.find(frame(5))  # a flat grey picture gives optical flow nothing to hold on to
    assert faces.missing + len(faces.found) == 1


def test_the_schedule_looks_everywhere_at_first_and_then_in_turns() -> None:
    schedule = Schedule(every=5)
    squares = len(tiles(*SIZE))
    assert len(schedule.due(SIZE, alarm=False)) == 1 + squares
    calm = [len(schedule.due(SIZE, alarm=False)) for _ in range(20)]
    assert calm == [0, 0, 0, 0, 1] * 4
    turns = [schedule.due(SIZE, alarm=True)[0] for _ in range(2 * squares)]
    assert sum(bool((turn == wide(*SIZE)).all()) for turn in turns) == squares
    assert len(schedule.due((320, 240), alarm=False)) > 1
    with pytest.raises(ValueError, match="every"):
        Schedule(every=0)


@pytest.mark.parametrize(
    "size", [(1280, 720), (640, 480), (480, 640), (16, 9), (1, 1), (4000, 300)]
)
def test_the_tiles_cover_the_frame(size) -> None:
    covered = np.zeros((size[1], size[0]), bool)
    corners = np.array([(-0.5, -0.5), (191.5, 191.5)])
    for view_from_frame in tiles(*size):
        low, high = geometry.apply(geometry.invert(view_from_frame), corners)
        x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
        covered |= (x >= low[0] - 1) & (y >= low[1] - 1) & (x <= high[0] + 1) & (y <= high[1] + 1)
    assert covered.all()


def test_a_close_view_centres_the_face_upright() -> None:
    view = around(geometry.invert(FRAME_FROM_FACE), 2.0)
    corner = geometry.apply(view, FRAME_FROM_FACE[:, 2][None])[0]
    np.testing.assert_allclose(corner, (47.5, 47.5), atol=1e-9)


def test_the_smaller_copy_and_the_frame_agree_on_places() -> None:
    ramp = np.repeat(np.linspace(0, 255, 1280).astype(np.uint8)[None, :, None], 720, 0).repeat(3, 2)
    picture = Picture(ramp)
    (x, _) = geometry.apply(picture.small_from_frame, np.array([[639.5, 359.5]]))[0]
    assert x == pytest.approx(319.5)
    assert picture.small.shape == (360, 640, 3)
    assert picture.grey.shape == (360, 640)
