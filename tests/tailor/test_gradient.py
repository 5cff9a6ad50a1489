import numpy as np
import pytest

from facecloak.core import artifacts
from facecloak.core.errors import ArtifactError, DigestMismatch
from facecloak.tailor.gradient import GradientModel
from facecloak.verify.onnx_judge import OnnxClassifier

PATHS = artifacts.gradients()


def faces(seed=0):
    """Two smooth planes of a face's size."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.uniform(0.3, 0.7, (2, 11, 11)), np.ones((4, 4))).astype(np.float32)


def lead(model, crops, labels, rivals):
    logits, _ = model.pull(crops, labels, rivals)
    own = logits[np.arange(2), labels]
    others = np.where(rivals & (np.arange(7) != labels[:, None]), logits, -np.inf)
    return others.max(axis=1) - own


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("allowed", [range(7), (1, 4)])
def test_a_step_along_the_gradient_gains_what_it_says(path, allowed):
    model = GradientModel(path)
    crops, labels = faces(), np.array([3, 6])
    rivals = np.isin(np.arange(7), allowed)
    _, gradient = model.pull(crops, labels, rivals)
    length = 1e-3 / np.abs(gradient).max(axis=(1, 2))[:, None, None]
    up, down = crops + length * gradient, crops - length * gradient
    up, down = up.astype(np.float32), down.astype(np.float32)
    gained = lead(model, up, labels, rivals) - lead(model, down, labels, rivals)
    told = 2 * (length * gradient * gradient).sum(axis=(1, 2))
    np.testing.assert_allclose(gained, told, rtol=0.5)  # ReLUs bend
    assert (told > 0).all()


def test_the_gradient_of_the_judge_reads_as_the_judge():
    (judge,) = (OnnxClassifier(p, "cpu") for p in artifacts.models() if p.stem == "resnet14")
    (model,) = (GradientModel(path) for path in PATHS if path.stem == "resnet14")
    crops = np.round(faces() * 255)
    around = np.pad(crops, ((0, 0), (2, 2), (2, 2)), mode="edge").astype(np.uint8)
    logits, _ = model.pull((crops / 255).astype(np.float32), np.array([0, 0]))
    np.testing.assert_allclose(logits, judge.logits(around), atol=2e-2)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_to_read_is_to_compute_no_gradient(path):
    model = GradientModel(path)
    crops, labels = faces(), np.array([3, 6])
    logits, _ = model.pull(crops, labels)
    np.testing.assert_array_equal(model.read(crops), logits)
    nobody = np.zeros((2, 7), np.float32)
    _, gradient = model._graph.run(crops[:, None], nobody, nobody)
    assert not model._graph.fetch(gradient).any()


def test_a_classifier_is_no_gradient(tmp_path):
    with pytest.raises(ArtifactError, match="not the gradient of one"):
        GradientModel(artifacts.folder("models") / "resnet14.onnx")
    with pytest.raises(ArtifactError, match="cannot be read"):
        GradientModel(tmp_path / "none.onnx")


def test_a_file_with_other_weights_is_refused(tmp_path):
    content = bytearray(PATHS[0].read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "bent.onnx"
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        GradientModel(path)
    assert isinstance(caught.value, DigestMismatch) or "damaged" in str(caught.value)
