"""The far end of a call: what comes through a codec, and the measurement made of it."""

import json

import cv2
import numpy as np
import pytest
from facecloak_train.data.fer2013 import Faces, write_npz
from facecloak_train.measure.codec import LEGS, Leg, arrive
from facecloak_train.measure.finding import Finding
from facecloak_train.recipes.evaluate_call import evaluate_call
from facecloak_train.settings import CallSettings
from skimage.data import astronaut

from facecloak.core import artifacts, geometry


@pytest.fixture(scope="module")
def portrait():
    picture = cv2.cvtColor(astronaut()[:300, 60:360], cv2.COLOR_RGB2BGR)
    grey = np.full((360, 640, 3), 120, np.uint8)
    grey[30:330, 170:470] = picture
    return cv2.resize(grey, (1280, 720), interpolation=cv2.INTER_CUBIC)


def loss(picture, leg):
    sent = cv2.resize(picture, leg.size, interpolation=cv2.INTER_AREA)
    got = arrive([picture] * 6, leg)
    assert got.shape == sent.shape
    assert got.dtype == np.uint8
    return float(np.abs(got.astype(float) - sent).mean())


def test_a_picture_arrives_the_better_the_more_bits_there_are(portrait):
    lossless, *coded = [loss(portrait, leg) for leg in LEGS]
    assert lossless == 0.0
    assert all(0.1 < each < 8.0 for each in coded)
    many, few = (Leg("", "libx264", (320, 180), kbps) for kbps in (800, 40))
    assert loss(portrait, many) < loss(portrait, few)


def test_the_last_picture_arrives(portrait):
    for leg in LEGS:
        got = arrive([np.zeros_like(portrait)] * 5 + [np.full_like(portrait, 200)] * 3, leg)
        assert abs(float(got.mean()) - 200) < 6


def test_pictures_that_follow_each_other_have_nothing_to_do_with_each_other(portrait):
    with Finding() as finding:
        first, again = finding.face(portrait), finding.face(portrait)
        elsewhere = finding.face(np.roll(portrait, 200, axis=1))
        assert finding.face(np.zeros_like(portrait)) is None
    assert first is not None
    assert again is not None
    there = geometry.apply(geometry.invert(first.face_from_frame), np.array([[0.5, 0.5]]))
    np.testing.assert_allclose(geometry.apply(again.face_from_frame, there), 0.5, atol=0.03)
    assert elsewhere is not None
    assert elsewhere.track != first.track


@pytest.mark.slow
def test_a_call_is_measured_for_each_leg_classifier_and_perturbation(portrait, tmp_path):
    face = cv2.cvtColor(portrait[135:375, 558:798], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA)
    rng = np.random.default_rng(0)
    images = np.stack([np.clip(small + rng.normal(0, 2, small.shape), 0, 255) for _ in range(4)])
    images[3] = 0  # nobody
    faces = Faces(images.astype(np.uint8), np.array([3, 3, 3, 6]))
    others = Faces(rng.integers(0, 256, (1, 48, 48), dtype=np.uint8), np.array([0]))
    write_npz(tmp_path / "f.npz", {"Training": others, "PublicTest": others, "PrivateTest": faces})
    out = tmp_path / "call.json"
    report = evaluate_call(
        CallSettings(
            data=tmp_path / "f.npz",
            perturbation=artifacts.perturbation("default"),
            models=tuple(path for path in artifacts.models() if path.stem == "resnet14"),
            out=out,
            faces=4,
        )
    )
    assert (report["faces"], report["found"]) == (4, 3)
    rows = {(row["leg"], row["perturbation"]) for row in report["rows"]}
    assert rows == {(leg.name, kind) for leg in LEGS for kind in ("FaceCloak", "random sign")}
    assert all(0 <= row["fooling_rate"] <= 1 and row["faces"] <= 3 for row in report["rows"])
    assert json.loads(out.read_text()) == report
    table = out.with_suffix(".md").read_text()
    assert all(f"| {leg.name} |" in table for leg in LEGS)
