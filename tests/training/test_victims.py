"""Classifiers at the far end: exported and as a training leaves them, asked in one way."""

import numpy as np
import pytest
from facecloak_train.data.fer2013 import read_npz
from facecloak_train.measure.reading import read
from facecloak_train.run import RunError
from facecloak_train.victims import opened

from facecloak.core import artifacts
from facecloak.core.errors import ArtifactError
from facecloak.verify.onnx_judge import OnnxClassifier


def shipped(name):
    return next(path for path in artifacts.models() if path.stem == name)


@pytest.fixture
def splits(tiny_faces):
    return read_npz(tiny_faces)


def test_a_training_s_weights_read_the_middle_of_the_face(tiny_weights, splits):
    (victim,) = opened([tiny_weights], splits["Training"], 44)
    assert (victim.name, victim.architecture, victim.input_px) == ("run", "tiny", 48)
    private = splits["PrivateTest"]
    assert (read(victim, [*private.images]) == private.labels).mean() > 0.8
    (named,) = opened([tiny_weights.rename(tiny_weights.with_stem("tim"))], splits["Training"], 44)
    assert named.name == "tim"
    rim = private.images.copy()
    rim[:, :2] = rim[:, -2:] = rim[:, :, :2] = rim[:, :, -2:] = 255
    np.testing.assert_allclose(victim.logits(rim), victim.logits(private.images), atol=1e-5)


def test_weights_that_were_trained_on_another_size_are_refused(tiny_weights, splits):
    told = r"best\.safetensors was trained on crops of 44 pixels, not 40; give --input-px 44"
    with pytest.raises(RunError, match=told):
        opened([tiny_weights], splits["Training"], 40)


def test_an_export_reads_as_the_app_does(tiny_weights, splits):
    exported, trained = opened([shipped("resnet14"), tiny_weights], splits["Training"], 44)
    judge = OnnxClassifier(shipped("resnet14"), "cpu")
    assert (exported.name, exported.sha256) == (judge.card.name, judge.card.sha256)
    assert exported.architecture == "resnet14"
    crops = splits["PrivateTest"].images
    np.testing.assert_array_equal(read(exported, [*crops]), judge.logits(crops).argmax(axis=1))
    assert trained.sha256 != exported.sha256
    assert read(exported, []).shape == (0,)


def test_twins_and_readers_of_clips_and_what_is_not_there_are_refused(tiny_weights, splits):
    with pytest.raises(RunError, match=r"none\.onnx: there is no such file; check the name"):
        opened([tiny_weights.with_name("none.onnx")], splits["Training"], 44)
    with pytest.raises(ValueError, match="same name"):
        opened([tiny_weights, tiny_weights], splits["Training"], 44)
    with pytest.raises(ArtifactError, match=r"stcnn\.onnx does not read the expressions"):
        opened([shipped("stcnn")], splits["Training"], 44)
