"""Who is who: stories told in numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facecloak.core import geometry
from facecloak.core.types import Sighting
from facecloak.face.alignment import Place
from facecloak.face.smoothing import SmoothingConfig
from facecloak.face.tracking import Tracker, TrackingConfig, distinct

FRAME_S = 0.04


def place(x: float, y: float = 200.0, width: float = 100.0, sighting=Sighting.MESH) -> Place:
    frame_from_face = np.array([[width, 0.0, x - width / 2], [0.0, width, y - width / 2]])
    return Place(geometry.invert(frame_from_face), sighting)


def predicted(x: float) -> Place:
    return place(x, sighting=Sighting.PREDICTED)


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(TrackingConfig(), SmoothingConfig())


def watch(tracker: Tracker, *seen: Place, frames: int = 5, from_s: float = 0.0) -> float:
    for i in range(frames):
        tracker.update(seen, {}, at_s=from_s + i * FRAME_S)
    return from_s + (frames - 1) * FRAME_S


def test_a_moving_face_keeps_its_number(tracker) -> None:
    for i in range(30):
        faces = tracker.update([place(100 + 20 * i), place(1000 - 20 * i, 500)], {}, at_s=i / 30)
        assert [face.track for face in faces.found] == [0, 1]
        assert faces.missing == 0


@given(st.permutations([100.0, 400.0, 700.0]))
def test_the_order_of_the_detections_does_not_matter(order) -> None:
    tracker = Tracker(TrackingConfig(), SmoothingConfig())
    watch(tracker, place(100), place(400), place(700))
    faces = tracker.update([place(x + 10) for x in order], {}, at_s=1.0)
    by_track = {face.track: -face.face_from_frame[0, 2] for face in faces.found}
    assert sorted(by_track, key=by_track.__getitem__) == [0, 1, 2]


def test_a_lost_face_is_missing_and_then_forgotten(tracker) -> None:
    seen_s = watch(tracker, place(300))
    assert tracker.update([], {}, at_s=seen_s + 0.5).missing == 1
    assert tracker.update([], {}, at_s=seen_s + 0.99).missing == 1
    assert tracker.update([], {}, at_s=seen_s + 1.01).missing == 0


def test_a_predicted_face_goes_on_for_a_while(tracker) -> None:
    seen_s = watch(tracker, place(300))
    faces = tracker.update([], {0: predicted(310)}, at_s=seen_s + 0.5)
    assert [face.sighting for face in faces.found] == [Sighting.PREDICTED]
    faces = tracker.update([], {0: predicted(310)}, at_s=seen_s + 2.1)
    assert faces.found == ()


def test_a_face_that_comes_back_keeps_its_number(tracker) -> None:
    seen_s = watch(tracker, place(300))
    tracker.update([], {}, at_s=seen_s + 0.5)
    faces = tracker.update([place(320)], {}, at_s=seen_s + 0.6)
    assert [face.track for face in faces.found] == [0]


def test_a_number_is_never_used_again(tracker) -> None:
    seen_s = watch(tracker, place(300))
    tracker.update([], {}, at_s=seen_s + 5)
    faces = tracker.update([place(300)], {}, at_s=seen_s + 6)
    assert [face.track for face in faces.found] == [1]


def test_a_single_flash_is_neither_carried_nor_missed(tracker) -> None:
    assert len(tracker.update([place(300)], {}, at_s=0.0).found) == 1
    faces = tracker.update([], {0: predicted(300)}, at_s=FRAME_S)
    assert faces.found == ()
    assert faces.missing == 0


def test_who_is_covered_by_somebody_else_is_not_missed(tracker) -> None:
    seen_s = watch(tracker, place(300), place(600))
    faces = tracker.update([place(300), place(310, width=190)], {}, at_s=seen_s + FRAME_S)
    assert faces.missing == 1
    tracker.update([place(300)], {1: predicted(320)}, at_s=seen_s + 2 * FRAME_S)
    assert [track.number for track in tracker.tracks] == [0]


def test_a_face_carried_to_the_end_is_missing_before_it_is_forgotten(tracker) -> None:
    """Beside another face: no frame in between may pass for complete."""
    seen_s = watch(tracker, place(300), place(600))
    for after_s in np.arange(0.1, 4.0, 0.1):
        faces = tracker.update([place(300)], {1: predicted(600)}, at_s=seen_s + after_s)
        present = len(faces.found) + faces.missing
        assert present == (2 if after_s < 2.9 else 1) or 2.9 <= after_s <= 3.1


def test_time_that_runs_backwards_makes_nobody_immortal(tracker) -> None:
    watch(tracker, place(300), from_s=100.0)
    assert tracker.update([], {}, at_s=0.0).missing == 1
    assert tracker.update([], {}, at_s=1.1).missing == 0


def test_dense_landmarks_win_over_keypoints_of_the_same_face() -> None:
    mesh, repeat, other = place(300), place(330, sighting=Sighting.KEYPOINTS), place(500)
    assert distinct([repeat, mesh, other]) == [mesh, other]


def test_places_are_plausible_by_size_and_position() -> None:
    assert place(300).is_plausible(640, 480)
    assert not place(300, width=15).is_plausible(640, 480)
    assert not place(300, width=2000).is_plausible(640, 480)
    assert place(-10).is_plausible(640, 480)
    assert not place(-30).is_plausible(640, 480)


@pytest.mark.parametrize("fault", [{"carry_s": -1}, {"forget_s": -0.1}, {"reach": -2}])
def test_a_nonsensical_config_is_refused(fault) -> None:
    with pytest.raises(ValueError, match="tracking"):
        TrackingConfig(**fault)
