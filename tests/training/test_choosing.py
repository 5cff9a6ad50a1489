"""Measurements of a bank: each face gets the member that it would get live."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from facecloak_train import run
from facecloak_train.data.fer2013 import Faces, write_npz
from facecloak_train.measure.choosing import Chooser
from facecloak_train.measure.finding import Finding
from facecloak_train.recipes.evaluate_fooling import evaluate_fooling
from facecloak_train.settings import EvaluateSettings
from skimage.data import astronaut

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import artifacts, bank
from facecloak.core.bank import Bank
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.types import Frame
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel

GOLDEN = Path(__file__).parents[1] / "golden"
RESNET = next(path for path in artifacts.models() if path.stem == "resnet14")


def painted(selector="ResNet14", labels=("angry", "disgust", "fear", "happy", "sad", "surprise")):
    """Each member adds a level of its own: 1 for every face, 2 for the first label, ..."""
    header = Header(
        eps=8.0, method="t", seed=0, datasets=(), victims=(), format=5, answers=labels,
        selector=selector,
    )  # fmt: skip
    return Bank(
        header,
        {
            label: Perturbation(header, np.full((2, 2), level + 1, np.float32))
            for level, label in enumerate(("any", *labels))
        },
    )


@pytest.fixture(scope="module")
def found():
    """A real face in a frame, and what the shipped judge reads in it."""
    picture = cv2.cvtColor(astronaut()[0:300, 80:380], cv2.COLOR_RGB2BGR)
    frame = Frame(picture, 0.0, 0)
    with Finding() as finding:
        face = finding.face(picture)
    (verdict,) = Panel([OnnxClassifier(RESNET, "cpu")]).judge(frame, frame, [face])
    return frame, face, verdict.clean.label


def test_a_face_gets_the_member_that_answers_what_the_live_judge_reads(found):
    frame, face, label = found
    cloak = OpenCvCloak(painted())
    cloak.hear(Chooser(painted()).read(frame, face))
    assert cloak.mixes(frame, [face]) == [{label: 1.0}]


def test_a_selector_that_does_not_ship_is_an_error():
    with pytest.raises(run.RunError, match=r"chosen by Nonesuch, which is not in models/"):
        Chooser(painted(selector="Nonesuch"))


def test_of_one_perturbation_there_is_nothing_to_choose(found, monkeypatch):
    monkeypatch.setattr(artifacts, "models", lambda: pytest.fail("a classifier is opened"))
    frame, face, _ = found
    alone = bank.load(GOLDEN / "perturbation-2.safetensors")
    cloak = OpenCvCloak(alone)
    cloak.hear(Chooser(alone).read(frame, face))
    assert cloak.mixes(frame, [face]) == [{"any": 1.0}]


@pytest.mark.slow
def test_a_bank_is_measured_and_keeps_its_members(found, tmp_path):
    frame, _, _ = found
    head = cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY)[37:157, 89:209]
    small = cv2.resize(head, (48, 48), interpolation=cv2.INTER_AREA)
    images = np.stack([small, small[:, ::-1]])
    faces, others = Faces(images, np.array([3, 3])), Faces(images[:1] // 2, np.array([0]))
    write_npz(tmp_path / "f.npz", {"Training": others, "PublicTest": others, "PrivateTest": faces})
    path = tmp_path / "bank.safetensors"
    painted().save(path)
    report = evaluate_fooling(
        EvaluateSettings(
            data=tmp_path / "f.npz",
            models=(RESNET,),
            perturbation=path,
            out=tmp_path / "r.json",
            legs=("lossless",),
            pictures=1,
            landmarks=False,
            record=True,
        )
    )
    measured = bank.load(path)
    assert measured.labels == painted().labels
    ours = next(row for row in report["rows"] if row["perturbation"] == "FaceCloak")
    assert measured.header.measured["ResNet14, lossless, fooling_rate"] == ours["fooling_rate"]
    assert report["found"] == 2
    seen = report["seen"]["FaceCloak x1"]["added"]
    assert 30 < seen["psnr_db"] < 40, "of level 5; of level 1 it is 48"
