"""The control: a rule on landmarks, from made-up points and from a photograph."""

import cv2
import numpy as np
import pytest
from facecloak_train.data.fer2013 import Faces
from facecloak_train.measure import landmark_rule
from facecloak_train.measure.landmark_rule import LandmarkEyes, LandmarkRule, read, regression
from skimage.data import astronaut


def as_arrays(tensors):
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def made_up(rng, labels):
    points = rng.normal(0.5, 0.1, (len(labels), 136)).astype(np.float32)
    points[:, 7] += 0.3 * labels  # one coordinate of one landmark tells it all
    return points


def test_it_learns_what_a_landmark_tells_and_holds_it_on_others():
    rng = np.random.default_rng(0)
    labels, others = rng.integers(0, 3, 1500), rng.integers(0, 3, 400)
    tensors = as_arrays(regression(made_up(rng, labels), labels, 3))
    said = read(made_up(rng, others), tensors)
    assert said.shape == (400, 3)
    assert (said.argmax(axis=1) == others).mean() > 0.8


def test_a_face_without_landmarks_reads_like_the_mean_face():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200)
    features = made_up(rng, labels)
    tensors = as_arrays(regression(features, labels, 3))
    nowhere = np.full((1, 136), np.nan, np.float32)
    np.testing.assert_allclose(read(nowhere, tensors)[0], tensors["bias"])
    mean = read(features.mean(axis=0, keepdims=True), tensors)
    np.testing.assert_allclose(mean[0], tensors["bias"], atol=1e-4)


@pytest.fixture(scope="module")
def eyes():
    with LandmarkEyes() as opened:
        yield opened


@pytest.fixture(scope="module")
def photograph():
    grey = cv2.cvtColor(astronaut()[37:157, 169:289], cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (192, 192), interpolation=cv2.INTER_AREA)


def test_landmarks_are_told_in_face_coordinates_wherever_the_face_is(eyes, photograph):
    turned = cv2.warpAffine(
        photograph,
        cv2.getRotationMatrix2D((96, 96), 8, 0.9),
        (192, 192),
        borderMode=cv2.BORDER_REPLICATE,
    )
    nobody = np.full_like(photograph, 90)
    straight, other, none = eyes.features([photograph, turned, nobody])
    assert straight.shape == (136,)
    assert 0.0 < np.median(straight) < 1.0
    assert np.abs(straight - other).mean() < 0.02
    assert np.isnan(none).all()


def test_light_does_not_fool_it_and_a_moved_mouth_moves_its_points(eyes, photograph):
    plain = eyes.features([photograph])[0]
    darker = eyes.features([(photograph * 0.8).astype(np.uint8)])[0]
    rows, columns = np.mgrid[:192, :192].astype(np.float32)
    near = np.exp(-(((columns - 96) / 40) ** 2) - ((rows - 150) / 25) ** 2)
    moved = cv2.remap(photograph, columns, rows - 6 * near.astype(np.float32), cv2.INTER_LINEAR)
    pulled = eyes.features([moved])[0]
    mouth = slice(2 * 48, None)
    assert np.abs(pulled - plain)[mouth].mean() > 2 * np.abs(darker - plain)[mouth].mean()


def test_a_rule_is_fitted_written_and_read_again(eyes, photograph, tmp_path):
    small = cv2.resize(photograph, (48, 48), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    images = np.stack(
        [np.clip(small + rng.normal(0, 2, small.shape), 0, 255) for _ in range(6)] + [0 * small]
    ).astype(np.uint8)
    faces = Faces(images, np.array([3, 3, 3, 3, 3, 4, 0]))
    path = tmp_path / "rule.safetensors"
    landmark_rule.fit(path, faces, faces, eyes)
    rule = LandmarkRule(eyes, path)
    assert rule.told["faces"] == 6  # there is nobody in the last one
    assert rule.told["accuracy"] >= 5 / 7
    large = [cv2.resize(image, (192, 192), interpolation=cv2.INTER_CUBIC) for image in images]
    said = rule.logits(np.stack(large))
    assert said.shape == (7, 7)
    assert said.argmax(axis=1)[:6].tolist() == faces.labels[:6].tolist()
    assert len(rule.sha256) == 64
