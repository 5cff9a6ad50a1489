"""The shipped classifiers through the one door, and the files that must not come through."""

import sys

import numpy as np
import onnx
import pytest

from facecloak import inference
from facecloak.core import artifacts, modelcard
from facecloak.core.errors import ArtifactError, ConfigError, DeviceError, DigestMismatch
from facecloak.core.types import Face, Frame
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel


@pytest.fixture(scope="module")
def shipped():
    return [OnnxClassifier(path, "cpu") for path in artifacts.models()]


def test_every_shipped_classifier_tells_its_classes_and_how_good_it_is(shipped):
    for classifier in shipped:
        assert classifier.device == "cpu"
        assert len(classifier.card.labels) >= 3
        accuracy = "unseen_accuracy" if classifier.card.is_clip else "private_ten_crop"
        assert 0.5 < classifier.card.measured[accuracy] < 1.0
        assert classifier.card.measured["agreement_with_torch"] > 0.99
        side = classifier.card.input_px
        shape = (classifier.card.frames, side, side) if classifier.card.is_clip else (side, side)
        logits = classifier.logits(np.zeros((3, *shape), np.uint8))
        assert logits.shape == (3, len(classifier.card.labels))
        assert np.isfinite(logits).all()


def test_a_batch_reads_as_its_faces_one_by_one(shipped):
    for classifier in shipped:
        card = classifier.card
        shape = (5, card.frames, card.input_px, card.input_px)
        crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        crops = crops if card.is_clip else crops[:, 0]
        together = classifier.logits(crops)
        alone = np.concatenate([classifier.logits(crop[None]) for crop in crops])
        np.testing.assert_allclose(together, alone, atol=1e-3)


def test_a_classifier_says_that_it_reads_clips_or_does_not(shipped):
    for classifier in shipped:
        wrong = (1, 48, 48) if classifier.card.is_clip else (1, 18, 48, 48)
        with pytest.raises(ArtifactError, match=r"reads .*(clips|still faces), not"):
            classifier.logits(np.zeros(wrong, np.uint8))


def test_a_panel_gives_one_verdict_for_each_classifier_and_face(shipped):
    rng = np.random.default_rng(0)
    clean, cloaked = (
        Frame(rng.integers(0, 256, (90, 90, 3), dtype=np.uint8), 1.5, 7) for _ in range(2)
    )
    faces = [Face(track, np.array([[0.02, 0, 0], [0, 0.02, 0.1]])) for track in (3, 9)]
    verdicts = Panel(shipped).judge(clean, cloaked, faces)
    assert [(v.classifier, v.track) for v in verdicts] == [
        (classifier.card.name, track)
        for classifier in shipped
        if not classifier.card.is_clip
        for track in (3, 9)
    ]
    assert all(v.at_s == 1.5 for v in verdicts)
    assert all(v.fooled == (v.clean.label != v.cloaked.label) for v in verdicts)
    same = Panel(shipped).judge(clean, clean, faces)
    assert not any(v.fooled for v in same)
    assert Panel(shipped).judge(clean, cloaked, []) == ()


def test_a_panel_needs_a_classifier():
    with pytest.raises(ValueError, match="at least one"):
        Panel([])


def tampered(tmp_path, change):
    path = tmp_path / "m.onnx"
    content = change(artifacts.models()[0].read_bytes())
    path.write_bytes(content)
    return path


def test_changed_weights_are_noticed(tmp_path):
    def flip(content):
        middle = len(content) // 2
        return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]

    with pytest.raises(DigestMismatch, match=r"m\.onnx"):
        OnnxClassifier(tampered(tmp_path, flip), "cpu")


@pytest.mark.parametrize(
    "change",
    [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: b"hello"],
    ids=["truncated", "empty", "text"],
)
def test_what_is_no_model_is_refused(tmp_path, change):
    with pytest.raises(ArtifactError, match=r"m\.onnx"):
        OnnxClassifier(tampered(tmp_path, change), "cpu")


def test_a_model_without_a_card_is_refused(tmp_path):
    model = onnx.load(artifacts.models()[0])
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ArtifactError, match="no FaceCloak card"):
        OnnxClassifier(tmp_path / "m.onnx", "cpu")


def test_a_missing_file_and_an_unknown_device_are_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"gone\.onnx cannot be read"):
        OnnxClassifier(tmp_path / "gone.onnx", "cpu")
    with pytest.raises(ConfigError, match=r"tpu.*auto, cpu, cuda"):
        OnnxClassifier(artifacts.models()[0], "tpu")


def test_cuda_asked_for_where_there_is_none_says_so():
    with pytest.raises(DeviceError, match="CUDA"):  # noqa: PT012
        classifier = OnnxClassifier(artifacts.models()[0], "cuda")
        assert classifier.device == "cuda"
        pytest.skip("this machine has CUDA")


def test_why_cuda_is_not_tried_is_told(monkeypatch):
    monkeypatch.setattr(inference, "providers", lambda: ("CPUExecutionProvider",))
    assert "built without CUDA" in inference.why_no_cuda()
    monkeypatch.setattr(inference, "providers", lambda: ("CUDAExecutionProvider",))
    for loaded, why in ((False, "no NVIDIA driver is loaded"), (True, None)):
        monkeypatch.setattr(inference, "_has_gpu", lambda loaded=loaded: loaded)
        assert inference.why_no_cuda() == why


def packages(monkeypatch, *installed):
    there = {name: object() for name in installed}
    monkeypatch.setattr(inference.importlib.util, "find_spec", there.get)


@pytest.fixture
def pip_has_cuda(monkeypatch):
    """As on a machine with a driver and NVIDIA's packages: what ONNX Runtime is asked to load."""
    asked = []

    def preload(**where):
        sys.stdout.write("Failed to load libcublas.so")
        asked.append(where)

    monkeypatch.setattr(inference.onnxruntime, "preload_dlls", preload, raising=False)
    monkeypatch.setattr(
        inference.importlib.util, "find_spec", lambda name: name == "nvidia" or None
    )
    monkeypatch.setattr(inference, "why_no_cuda", lambda: None)
    return asked


def test_cuda_is_looked_for_among_pip_packages_in_silence(pip_has_cuda, capsys, monkeypatch):
    path = artifacts.models()[0]
    OnnxClassifier(path, "cpu")
    assert not pip_has_cuda  # nothing of CUDA is loaded where it is not wanted
    before = sys.stdout
    OnnxClassifier(path, "auto")
    assert pip_has_cuda == [{"directory": ""}]
    assert capsys.readouterr().out == ""  # where the video may go
    assert sys.stdout is before
    packages(monkeypatch)
    OnnxClassifier(path, "auto")
    assert len(pip_has_cuda) == 1


@pytest.mark.parametrize("broken", [ImportError, OSError, RuntimeError, None])
def test_cuda_that_cannot_be_looked_for_is_left_to_the_session(pip_has_cuda, monkeypatch, broken):
    if broken is not None:

        def preload(**_where):
            raise broken

        monkeypatch.setattr(inference.onnxruntime, "preload_dlls", preload)
    else:  # an ONNX Runtime before 1.21
        monkeypatch.delattr(inference.onnxruntime, "preload_dlls")
    path, face = artifacts.folder("models") / "resnet14.onnx", np.zeros((1, 48, 48), np.uint8)
    np.testing.assert_allclose(
        OnnxClassifier(path, "auto").logits(face), OnnxClassifier(path).logits(face), atol=0.02
    )


@pytest.mark.gpu
@pytest.mark.parametrize("path", artifacts.models(), ids=lambda path: path.stem)
def test_cuda_reads_what_the_cpu_reads(path):
    try:
        cuda = OnnxClassifier(path, "cuda")
    except DeviceError as exc:
        pytest.skip(str(exc))
    card = cuda.card
    side = (card.frames,) * card.is_clip + (card.input_px, card.input_px)
    seen = np.random.default_rng(0).integers(0, 256, (32, *side), dtype=np.uint8)
    np.testing.assert_allclose(
        cuda.logits(seen), OnnxClassifier(path, "cpu").logits(seen), atol=0.02
    )


def test_the_shipped_cards_are_sealed():
    for path in artifacts.models():
        content = path.read_bytes()
        card = OnnxClassifier(path, "cpu").card
        modelcard.check_seal(content, card, path.name)
