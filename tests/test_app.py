"""What is shipped, put together; and what is not what it says, refused."""

import dataclasses
import os
import shutil

import cv2
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from skimage.data import astronaut

from facecloak import app, inference
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.commands.protect import protect
from facecloak.core import artifacts, bank
from facecloak.core.bank import Bank
from facecloak.core.errors import (
    ArtifactError,
    ConfigError,
    DeviceError,
    DigestMismatch,
)
from facecloak.core.perturbation import Header, Perturbation
from facecloak.settings import Settings
from facecloak.verify.onnx_judge import OnnxClassifier

HEADER = {"eps": 8.0, "method": "t", "seed": 0, "datasets": (), "victims": ()}


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of the shipped data that a test may spoil."""
    for kind in ("models", "perturbations"):
        shutil.copytree(artifacts.folder(kind), tmp_path / kind)
    monkeypatch.setattr(artifacts, "folder", lambda kind: tmp_path / kind)
    return tmp_path


def pattern():
    return bank.load(artifacts.perturbation("default"))


@pytest.mark.slow
@pytest.mark.parametrize("live", [False, True])
def test_what_is_shipped_works_together(live):
    made = app.protection(Settings(device="cpu"), live=live)
    made.protector.close()
    assert made.cards
    assert set(made.devices) == {"cpu"}
    assert 1 <= made.budget <= made.header.eps


def test_the_default_perturbation_tells_how_it_was_made_and_what_was_measured():
    header = pattern().header
    assert header.command.startswith("facecloak-train attack --data ")
    cards = [OnnxClassifier(path).card for path in artifacts.models()]
    shipped = {card.name for card in cards if not card.is_clip}
    assert shipped <= {one.name for one in header.victims}
    former = OnnxClassifier(artifacts.folder("models") / "surrogates" / "resnet14.onnx").card
    known = {(card.name, card.sha256) for card in (*cards, former)}
    victims = {(one.name, one.sha256) for one in header.victims if one.name in shipped}
    assert victims <= known
    for name in shipped:
        assert 0.3 < header.measured[f"{name}, lossless, fooling_rate"] < 1.0
    assert header.measured["added, psnr_db"] > 36.0


def test_the_strength_scales_the_budget_within_limits(monkeypatch):
    eps = pattern().header.eps
    with pytest.raises(ConfigError, match="would change no pixel") as caught:
        app.protection(Settings(strength=0.4 / eps), live=False)
    assert "Choose at least" in caught.value.remedy
    monkeypatch.setattr("facecloak.cloak.dose.MAX_EPS", eps)
    with pytest.raises(ConfigError, match=r"more than .* levels"):
        app.protection(Settings(strength=1.5), live=False)


def painted(path, selector="ResNet14"):
    """A bank that answers each label of the shipped classifiers by a level of its own."""
    labels = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    header = Header(**HEADER | {"format": 5, "answers": labels, "selector": selector})
    levels = {label: float(n + 1) for n, label in enumerate(("any", *labels))}
    made = Bank(
        header,
        {
            label: Perturbation(header, np.full((2, 2), level, np.float32))
            for label, level in levels.items()
        },
    )
    made.save(path)
    return Settings(perturbation=str(path), device="cpu", tailor="off"), levels


@pytest.mark.slow
def test_a_picture_gets_the_member_that_answers_its_expression(tmp_path):
    """From the file to the file, with the shipped finder and judges; rehearsed, so at once."""
    settings, levels = painted(tmp_path / "bank.safetensors")
    clean = cv2.cvtColor(astronaut()[0:300, 80:380], cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(tmp_path / "in.png"), clean)
    asked = dataclasses.replace(settings, source=str(tmp_path / "in.png"))
    told = protect(asked, tmp_path / "out.png")
    (reading,) = told["classifiers"]["ResNet14"]["readings"]
    label = reading.split(" -> ")[0]
    assert told["members"] == {label: 1.0}
    assert told["largest_change_levels"]["faces"] == levels[label]


@pytest.mark.slow
@pytest.mark.warns_in_log
@pytest.mark.parametrize(("selector", "count"), [("ResNet14", 0), ("Nonesuch", 1)])
def test_a_selector_that_does_not_judge_is_told(tmp_path, caplog, selector, count):
    settings, _ = painted(tmp_path / "bank.safetensors", selector)
    app.protection(settings, live=True).protector.close()
    told = [one.getMessage() for one in caplog.records if one.name == "facecloak.app"]
    assert len(told) == count
    assert all("Nonesuch, which chooses among 8 perturbations, does not" in one for one in told)


def test_a_bank_is_read_again_only_where_its_file_changed(tmp_path, monkeypatch):
    """The slider of the strength asks for it with each step, in the thread that protects."""
    read, load = [], bank.load
    monkeypatch.setattr(bank, "load", lambda path: read.append(path) or load(path))
    settings, _ = painted(path := tmp_path / "bank.safetensors")
    for strength in (1.0, 1.5):
        app.cloak(dataclasses.replace(settings, strength=strength))
    assert read == [path]
    Bank.of(Perturbation(Header(**HEADER | {"eps": 3.0}), np.ones((2, 2), np.float32))).save(path)
    os.utime(path, ns=(1, 1))
    assert app.cloak(settings)[1].header.eps == 3.0


def test_cuda_where_there_is_none_is_told():
    if "cuda" in {OnnxClassifier(path).device for path in artifacts.models()}:
        pytest.skip("there is CUDA here")
    with pytest.raises(DeviceError, match="CUDA was asked for") as caught:
        app.protection(Settings(device="cuda"), live=False)
    assert "--device cpu" in caught.value.remedy


def test_a_perturbation_that_lies_about_its_budget_is_refused(shipped):
    path = shipped / "perturbations" / "default.safetensors"
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors["happy.static"] = tensors["happy.static"] + np.float32(99.0)
    save_file(tensors, path, metadata)
    with pytest.raises(ArtifactError, match="keeps its own header") as caught:
        app.protection(Settings(), live=False)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda content, sha: content.replace(sha, b"f" * 64), DigestMismatch, "digests differ"),
        (lambda content, _sha: content[: len(content) // 2], ArtifactError, "damaged"),
        (lambda _content, _sha: b"", ArtifactError, "damaged"),
        (lambda content, sha: content.replace(b'"labels"', b'"lapels"'), ArtifactError, "card"),
    ],
    ids=["another digest", "truncated", "empty", "another card"],
)
def test_a_model_that_is_not_the_one_on_its_card_is_refused(shipped, spoil, error, said):
    path = min((shipped / "models").glob("*.onnx"))
    content, sha = path.read_bytes(), OnnxClassifier(path, "cpu").card.sha256
    path.write_bytes(spoil(content, sha.encode()))
    with pytest.raises(error, match=said) as caught:
        app.protection(Settings(device="cpu"), live=False)
    assert caught.value.exit_code == 4
    assert path.name in str(caught.value)
    assert caught.value.remedy


def test_without_models_or_perturbations_there_is_no_protection(shipped):
    with pytest.raises(ArtifactError, match=r"no perturbation called nope.*default"):
        app.protection(Settings(perturbation="nope"), live=False)
    for path in (shipped / "models").glob("*.onnx"):
        path.unlink()
    with pytest.raises(ArtifactError, match="no classifier"):
        app.protection(Settings(), live=False)


def test_the_compositor_is_opencvs_where_there_is_no_cuda(monkeypatch):
    monkeypatch.setattr(inference, "why_no_cuda", lambda: "no NVIDIA driver is loaded")
    for device in ("auto", "cpu"):
        assert isinstance(app.cloak(Settings(device=device))[0], OpenCvCloak)


def test_where_cuda_is_tried_and_fails_auto_falls_back_and_cuda_says_so(monkeypatch):
    """A driver is loaded, but CUDA's libraries are not there, as on this machine."""
    monkeypatch.setattr(inference, "why_no_cuda", lambda: None)
    made, _ = app.cloak(Settings(device="auto"))
    if made.device == "cuda":
        pytest.skip("this machine has CUDA")
    assert isinstance(made, OpenCvCloak)
    with pytest.raises(DeviceError, match="CUDA"):
        app.cloak(Settings(device="cuda"))


def test_auto_falls_back_where_cuda_opens_but_takes_no_data(monkeypatch):
    def full(_self, _array):
        msg = "cuda takes no more data."
        raise DeviceError(msg, "Start again.")

    monkeypatch.setattr(inference, "why_no_cuda", lambda: None)
    monkeypatch.setattr(inference.Graph, "bring", full)
    assert isinstance(app.cloak(Settings(device="auto"))[0], OpenCvCloak)
    with pytest.raises(DeviceError):
        app.cloak(Settings(device="cuda"))


@pytest.mark.slow
def test_live_the_fast_classifier_judges_and_a_file_is_judged_by_all():
    def judges(**how):
        live = how.pop("live")
        made = app.protection(Settings(device="cpu", **how), live=live)
        made.protector.close()
        return {card.name for card in made.cards}

    everyone = {OnnxClassifier(path, "cpu").card.name for path in artifacts.models()}
    assert judges(live=True) == {"ResNet14"}
    assert judges(live=True, judges="all") == judges(live=False) == everyone


@pytest.mark.parametrize("judges", ["fast", "all"])
def test_without_a_classifier_of_still_faces_there_is_one_sentence(judges, monkeypatch):
    clips = tuple(path for path in artifacts.models() if path.stem in ("stcnn", "learnet"))
    assert len(clips) == 2
    monkeypatch.setattr(artifacts, "models", lambda: clips)
    with pytest.raises(ArtifactError, match="no classifier of still faces"):
        app.protection(Settings(device="cpu", judges=judges), live=True)


# What is made to measure, with what ships.


@pytest.fixture
def smiling(tmp_path):
    """A broad smile that the perturbation for all faces does not change, not even at 1.5."""
    path = tmp_path / "in.png"
    cv2.imwrite(str(path), cv2.cvtColor(astronaut()[0:300, 80:380], cv2.COLOR_RGB2BGR))
    return Settings(source=str(path), device="cpu", strength=1.5)


@pytest.mark.slow
def test_a_picture_is_fitted_before_it_leaves_and_each_time_alike(smiling, tmp_path):
    as_it_is = dataclasses.replace(smiling, tailor="off")
    for_all = protect(as_it_is, tmp_path / "for-all.png")
    told = [protect(smiling, tmp_path / name) for name in ("one.png", "two.png")]
    assert for_all["classifiers"]["ResNet14"]["fooled"] == 0
    assert told[0]["classifiers"]["ResNet14"]["fooled"] == 1
    assert told[0]["members"] == {"fitted": 1.0}
    assert told[0]["largest_change_levels"]["faces"] <= told[0]["budget_levels"] == 7
    assert told[0]["largest_change_levels"]["elsewhere"] == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_without_gradients_there_is_an_error_with_a_way_out(smiling, monkeypatch):
    monkeypatch.setattr("facecloak.core.artifacts.gradients", lambda: ())
    with pytest.raises(ArtifactError, match="no gradient") as caught:
        app.protection(smiling, live=False)
    assert "--tailor off" in caught.value.remedy
    made = app.protection(dataclasses.replace(smiling, tailor="off"), live=False)
    assert made.tailor is None
    made.protector.close()


def test_another_strength_or_perturbation_reaches_the_tailor(smiling):
    made = app.protection(smiling, live=True)
    made.refit(bank.load(artifacts.perturbation("joint")), 1.5)
    made.protector.close()
    ((start, strength),) = made.tailor._orders
    assert strength == 1.5
    assert start.member("any").moves
