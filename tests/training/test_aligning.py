"""One place for a whole clip, from some of its frames."""

import numpy as np
import pytest
from facecloak_train.measure.aligning import LOOKS, looks, median_place, steady_place
from facecloak_train.measure.finding import Finding

from facecloak.capture.portrait import Portrait
from facecloak.core import geometry
from facecloak.core.types import Face, Sighting


def face(x=100.0, y=80.0, width=60.0, sighting=Sighting.MESH):
    """An upright face square of a width with its corner at x, y."""
    return Face(0, np.array([[1 / width, 0, -x / width], [0, 1 / width, -y / width]]), sighting)


class Scripted:
    """A finder that has seen these faces, whatever the pictures are."""

    def __init__(self, *frames):
        self._frames = iter(frames)

    def faces(self, image):
        return next(self._frames)


def steady(*frames):
    return steady_place(Scripted(*frames), [None] * len(frames))


def corner(place):
    return geometry.apply(geometry.invert(place), np.zeros((1, 2)))[0]


def test_frames_to_look_at_are_spread_from_first_to_last():
    assert looks(1).tolist() == [0]
    assert looks(3).tolist() == [0, 1, 2]
    chosen = looks(200)
    assert len(chosen) == LOOKS
    assert (chosen[0], chosen[-1]) == (0, 199)
    assert np.ptp(np.diff(chosen)) <= 1


def test_one_wrong_sighting_among_many_does_not_move_the_place():
    seen = [face(x) for x in (99.0, 100.0, 101.0, 100.0)]
    place = median_place([*seen, face(400.0, 300.0, 20.0)])
    np.testing.assert_allclose(corner(place), (100.0, 80.0), atol=1.0)
    assert geometry.face_width_px(place) == pytest.approx(60.0, rel=0.02)


def test_the_same_sighting_each_time_is_the_place():
    np.testing.assert_allclose(
        median_place([face()] * 3), face().face_from_frame, atol=1e-12, rtol=0
    )


def test_jitter_of_single_frames_is_averaged_away():
    rng = np.random.default_rng(0)
    clips = [
        corner(median_place([face(100 + dx) for dx in rng.normal(0, 1, LOOKS)]))[0]
        for _ in range(300)
    ]
    assert np.std(clips) < 0.6


def test_predicted_places_are_none_and_dense_landmarks_go_first():
    predicted = face(sighting=Sighting.PREDICTED)
    keypoints = face(0.0, sighting=Sighting.KEYPOINTS)
    assert steady((), (predicted,), ()) is None
    np.testing.assert_allclose(corner(steady((predicted,), (keypoints,)))[0], 0.0, atol=1e-9)
    assert corner(steady((keypoints,), (face(),), (keypoints,)))[0] == pytest.approx(100.0)


def test_the_widest_face_counts():
    place = steady((face(10, 10, 20), face()), (face(), face(10, 10, 20)))
    assert geometry.face_width_px(place) == pytest.approx(60.0)


@pytest.mark.slow
def test_the_shipped_finder_places_a_still_portrait_as_it_does_live():
    picture = Portrait().picture(0.0)[:, 280:1000].copy()
    with Finding() as finding:
        place = steady_place(finding, [picture] * 3)
        alone = finding.face(picture).face_from_frame
    apart = geometry.apply(place, geometry.apply(geometry.invert(alone), geometry.TEMPLATE_POINTS))
    np.testing.assert_allclose(apart, geometry.TEMPLATE_POINTS, atol=0.005)
