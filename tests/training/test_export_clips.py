"""A classifier of clips on its way into the live app."""

import dataclasses

import numpy as np
import pytest
from facecloak_train import run
from facecloak_train.recipes import make_beat as recipe
from facecloak_train.recipes.export_clips import export_clips
from facecloak_train.recipes.fit_clips import fit_clip_classifier
from facecloak_train.recipes.make_beat import make_beat
from facecloak_train.settings import Beat, BeatSettings, ExportClipsSettings

from facecloak.core import artifacts, bank
from facecloak.core.errors import ArtifactError
from facecloak.core.modelcard import ModelCard, parse
from facecloak.core.perturbation import ANY, Victim
from facecloak.core.types import Face, Frame
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.warns_in_log,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of torch's exporter
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

WHOLE = np.array([[1 / 112, 0.0, 0.5 / 112], [0.0, 1 / 112, 0.5 / 112]])


@pytest.fixture
def exported(tiny_clips, clip_settings, tmp_path):
    fit_clip_classifier(clip_settings(tiny_clips, tmp_path / "run", protocol="all"))
    weights, out = tmp_path / "run" / "all.safetensors", tmp_path / "tiny.onnx"
    settings = ExportClipsSettings(data=tiny_clips, weights=weights, out=out, name="Tiny")
    export_clips(settings)
    return settings


def test_the_file_says_what_it_is_and_answers_as_torch(exported, tmp_path):
    judge = OnnxClassifier(exported.out, "cpu")
    card = judge.card
    assert (card.name, card.labels) == ("Tiny", ("up", "down", "none"))
    assert (card.is_clip, card.frames, card.fps, card.input_px) == (True, 6, 30.0, 112)
    assert card.measured["agreement_with_torch"] == 1.0
    assert card.measured["largest_logit_difference"] < 0.01
    assert card.measured["unseen_uar"] > 0.9
    with pytest.raises(ArtifactError, match="does not answer as its card says"):
        under_another_card(judge).logits(np.zeros((1, 6, 112, 112), np.uint8))
    other = run.load_checkpoint(exported.weights)
    other[1]["classes"] = ["left", "right", "none"]
    run.save_checkpoint(tmp_path / "other.safetensors", *other)
    with pytest.raises(run.RunError, match=r"the classifier .*left"):
        export_clips(dataclasses.replace(exported, weights=tmp_path / "other.safetensors"))


def under_another_card(judge):
    """The same file under a card with a class more."""
    judge.card = dataclasses.replace(judge.card, labels=("up", "down", "none", "more"))
    return judge


def test_the_panel_asks_it_once_it_has_seen_enough(exported):
    """The upper half of what is sent grows lighter, of what is captured nothing does."""
    clip_judge = OnnxClassifier(exported.out, "cpu")
    still = OnnxClassifier(min(artifacts.models(), key=lambda path: path.stat().st_size), "cpu")
    if still.card.is_clip:
        still = next(
            judge
            for judge in (OnnxClassifier(path, "cpu") for path in artifacts.models())
            if not judge.card.is_clip
        )
    panel, faces = Panel([still, clip_judge]), [Face(4, WHOLE)]
    told = []
    for number in range(30):
        clean = Frame(np.full((112, 112, 3), 100, np.uint8), number / 30, number)
        image = clean.image.copy()
        image[:56] = min(255, 80 + 30 * ((number - 3) % 8))  # it rises in each clip
        cloaked = clean.with_image(image)
        panel.watch(clean, cloaked, faces)
        verdicts = panel.judge(clean, cloaked, faces)
        assert [v.classifier for v in verdicts][:1] == [still.card.name]
        told += [v for v in verdicts if v.classifier == "Tiny"]
    assert [round(v.at_s * 30) for v in told] == [8, 16, 24]  # every quarter of a second
    assert all((v.track, v.clean.label, v.cloaked.label) == (4, "none", "up") for v in told)
    assert all(v.fooled for v in told)
    with pytest.raises(ValueError, match="classifier of still faces"):
        Panel([clip_judge])


def test_a_card_of_clips_says_how_long_they_are():
    usual = {
        "name": "x",
        "architecture": "y",
        "labels": ("a", "b"),
        "input_px": 112,
        "dataset": "z",
        "input_layout": "NTHW",
    }
    card = ModelCard(**usual, frames=18, fps=30.0)
    assert parse(card.to_json(), "x.onnx") == card
    for wrong in ({}, {"frames": 18}, {"frames": 1, "fps": 30.0}, {"frames": 18, "fps": 0.0}):
        with pytest.raises(ValueError, match="is none"):
            ModelCard(**usual, **wrong)
    assert not ModelCard(**usual | {"input_layout": "N1HW"}).is_clip


def test_a_perturbation_gets_a_circle_for_every_member_and_keeps_the_rest(
    exported, tiny_clips, tmp_path, monkeypatch
):
    usual = bank.load(artifacts.perturbation("default"))
    usual.save(tmp_path / "usual.safetensors")
    settings = BeatSettings(
        perturbation=tmp_path / "usual.safetensors",
        data=tiny_clips,
        weights=(exported.weights,),
        exports=(exported.out,),
        unseen=tiny_clips,
        out=tmp_path / "deep" / "joint.safetensors",
        eps=6.0,
        offsets=2,
        beat=Beat(steps=6, batch=6, cells=4, frames=12),
    )
    with pytest.raises(run.RunError, match=r"--eps 4 is less than the 5 levels of usual"):
        make_beat(dataclasses.replace(settings, eps=4.0))
    kept = recipe.circular

    def begins(*given):
        assert settings.out.parent.is_dir()
        return kept(*given)

    monkeypatch.setattr(recipe, "circular", begins)
    made = make_beat(settings)
    read = bank.load(settings.out)
    assert read.labels == usual.labels
    for label, member in read.members.items():
        np.testing.assert_array_equal(member.static, usual.member(label).static)
        np.testing.assert_array_equal(member.displacement, usual.member(label).displacement)
        np.testing.assert_array_equal(member.circle, made.member(ANY).circle)
        assert member.circle.shape == (12, 4, 4)
        assert 1.0 < np.abs(member.circle).max() <= 6.0
    assert read.header.eps == 6.0
    assert read.header.period_s == 0.4
    card = OnnxClassifier(exported.out, "cpu").card
    assert read.header.victims[-1] == Victim("Tiny", card.sha256)
    assert 0.0 <= read.header.measured["tiny_worst_fooling_rate"] <= 1.0
