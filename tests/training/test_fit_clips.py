"""The recipes of micro-expressions, from a set of clips to pooled figures."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from facecloak_train import nets, run
from facecloak_train.cli import main
from facecloak_train.clip_training import Clips, augmented, clip_logits, fit_clips, folds
from facecloak_train.data.clips import Clip, write_clips
from facecloak_train.data.fer2013 import SPLITS, Faces, write_npz
from facecloak_train.measure.clips import reading, unweighted_f1
from facecloak_train.recipes import fit_clips as recipe
from facecloak_train.recipes.attack_clips import attack_clips
from facecloak_train.recipes.fit_clips import fit_clip_classifier
from facecloak_train.settings import AttackClipsSettings, Beat, ClipTraining
from facecloak_train.tables.pooling import pooled
from facecloak_train.tables.reports import CLIP_ATTACK, CLIPS, Report


def test_every_subject_is_left_out_once_and_the_answers_are_pooled(
    tiny_clips, clip_settings, tmp_path
):
    out = tmp_path / "run"
    report = fit_clip_classifier(clip_settings(tiny_clips, out))
    assert json.loads((out / "score.json").read_text()) == json.loads(json.dumps(report))
    assert report["clips"] == 36
    assert report["subjects"] == 4
    assert report["reading"]["uar"] > 0.9
    assert np.array(report["confusion"]).sum() == 36
    low, high = report["reading"]["intervals"]["uar"]
    assert low <= report["reading"]["uar"] <= high
    assert sorted(path.name for path in out.glob("*.safetensors")) == [
        f"without-s{number}.safetensors" for number in range(4)
    ]


def test_folds_that_were_jobs_of_their_own_are_pooled_to_what_one_job_says(
    tiny_clips, clip_settings, tmp_path
):
    whole = fit_clip_classifier(clip_settings(tiny_clips, tmp_path / "whole"))
    attack = {"data": tiny_clips, "offsets": 2, "beat": Beat(steps=6, batch=6, cells=4)}
    attacked = attack_clips(
        AttackClipsSettings(runs=(tmp_path / "whole",), out=tmp_path / "all.json", **attack)
    )
    scores, attacks = [], []
    for fold in (3, 1, 4, 2):
        out = tmp_path / f"fold{fold}"
        scores.append(fit_clip_classifier(clip_settings(tiny_clips, out, fold=fold)))
        assert [path.stem for path in out.glob("*.safetensors")] == [f"without-s{fold - 1}"]
        settings = AttackClipsSettings(runs=(out,), out=out / "attack.json", fold=fold, **attack)
        attacks.append(attack_clips(settings))

    def reports(kind, contents):
        made = [json.loads(json.dumps(one)) for one in contents]
        return [Report(kind=kind, dataset="tiny", system="tiny", content=one) for one in made]

    (score,) = pooled(reports(CLIPS, scores))
    same = ("clips", "subjects", "confusion", "reading")
    assert {name: score.content[name] for name in same} == {name: whole[name] for name in same}
    (one,) = pooled(reports(CLIP_ATTACK, attacks))
    assert one.content["rows"] == attacked["rows"]
    assert one.content["folds"] == attacked["folds"] == 4
    assert len(pooled(reports(CLIPS, [*scores, *scores]))) == 2  # two seeds
    assert pooled(reports(CLIPS, [whole]))[0].content == json.loads(json.dumps(whole))


def test_a_fold_that_there_is_not_is_one_sentence(tiny_clips, clip_settings, tmp_path):
    with pytest.raises(run.RunError, match="there is no fold 5; loso has 4 here"):
        fit_clip_classifier(clip_settings(tiny_clips, tmp_path / "run", fold=5))


def test_a_fold_that_is_done_is_not_done_again(tiny_clips, clip_settings, tmp_path, monkeypatch):
    out = tmp_path / "run"
    whole = fit_clip_classifier(clip_settings(tiny_clips, out))
    (out / "without-s2.safetensors").unlink()
    trained = []

    def counted(*given):
        trained.append(given)
        fit_clips(*given)

    monkeypatch.setattr(recipe, "fit_clips", counted)
    assert fit_clip_classifier(clip_settings(tiny_clips, out))["confusion"] == whole["confusion"]
    assert len(trained) == 1


def test_a_run_with_other_settings_is_not_continued(tiny_clips, clip_settings, tmp_path):
    out = tmp_path / "run"
    fit_clip_classifier(clip_settings(tiny_clips, out))
    before = (out / "run.json").read_bytes()
    with pytest.raises(run.RunError, match="made with another training; give the same"):
        fit_clip_classifier(clip_settings(tiny_clips, out, training=ClipTraining(epochs=1)))
    assert (out / "run.json").read_bytes() == before
    assert json.loads(before)["processes"] == 1


def test_the_protocols_part_clips_as_they_say():
    subjects = np.array(["b", "b", "a", "a", "c"] * 4)
    loso = dict(folds("loso", subjects, seed=1))
    assert list(loso) == ["without-a", "without-b", "without-c"]
    assert (np.sum(list(loso.values()), axis=0) == 1).all()
    ((name, test),) = folds("80-20", subjects, seed=1)
    assert (name, test.sum()) == ("80-20", 4)
    ((_, nobody),) = folds("all", subjects, seed=1)
    assert not nobody.any()
    with pytest.raises(run.RunError, match="no protocol 'kfold'; there are loso, 80-20, all"):
        list(folds("kfold", subjects, seed=1))


def test_one_person_alone_is_one_sentence(tmp_path, clip_settings):
    frames, times_s = np.zeros((6, 112, 112), np.uint8), np.arange(6) / 30
    alone = (Clip(frames.copy(), times_s.copy(), 0, "s0", str(number)) for number in range(3))
    write_clips(tmp_path / "clips", {"dataset": "x", "classes": ("up", "down")}, alone)
    with pytest.raises(run.RunError, match="one person alone; loso leaves nobody to learn from"):
        fit_clip_classifier(clip_settings(tmp_path / "clips", tmp_path / "run", net="learnet"))


def test_what_is_exported_leaves_nobody_out(tiny_clips, clip_settings, tmp_path):
    assert fit_clip_classifier(clip_settings(tiny_clips, tmp_path / "run", protocol="all")) == {}
    tensors, state = run.load_checkpoint(tmp_path / "run" / "all.safetensors")
    assert tensors["answers"].shape == (0, 3)
    assert state["classes"] == ["up", "down", "none"]


def test_training_depends_on_the_seed_alone(tiny_clips):
    clips = Clips(
        torch.randint(0, 256, (12, 6, 112, 112), dtype=torch.uint8),
        torch.arange(12) % 3,
        np.array(["a"] * 12),
        ("x", "y", "z"),
    )

    def trained(seed):
        torch.manual_seed(0)
        net = nets.build_for_clips("tiny", 3, 6)
        torch.manual_seed(seed + 100)  # what else drew numbers before does not matter
        fit_clips(net, clips, ClipTraining(epochs=3, batch=4, seed=seed), lambda _loss: None)
        return clip_logits(net, clips.frames)

    torch.testing.assert_close(trained(1), trained(1), atol=0, rtol=0)
    assert (trained(1) - trained(2)).abs().max() > 0


def test_augmentation_keeps_range_and_time():
    clips = torch.rand(3, 6, 112, 112)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        seen = augmented(clips, generator)
        assert seen.shape == clips.shape
        assert 0.0 <= seen.min() <= seen.max() <= 1.0
    still = augmented(clips[:, :1].expand(-1, 6, -1, -1), generator)
    assert (still - still[:, :1]).abs().max() == 0


def test_pooled_figures_are_those_of_the_counts():
    truth, said = np.array([0, 0, 0, 0, 1, 1, 2]), np.array([0, 0, 0, 1, 1, 0, 0])
    figures = reading(truth, said, np.array(list("aabbaab")), 3)
    assert figures.accuracy == pytest.approx(4 / 7)
    assert figures.uar == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert figures.uf1 == pytest.approx((6 / 9 + 2 / 4 + 0) / 3)
    assert unweighted_f1(np.array([[3, 1], [0, 0]])) == pytest.approx(6 / 7)
    alone = reading(truth, said, np.array(["a"] * 7), 3)
    assert alone.intervals["accuracy"] == (alone.accuracy, alone.accuracy)


@pytest.mark.slow
@pytest.mark.warns_in_log
def test_from_faces_to_figures_by_the_command_line(tmp_path, caplog):
    """Real clips of one public portrait: too few to learn from, enough to go all the way."""
    grey = cv2.cvtColor(skimage.data.astronaut()[15:175, 140:300], cv2.COLOR_RGB2GRAY)
    face = cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA)
    images = np.stack([face + np.uint8(number) for number in range(4)])
    faces = Faces(images, np.full(4, 6))
    data = tmp_path / "faces.npz"
    write_npz(data, dict.fromkeys(SPLITS, faces))
    clips, out = tmp_path / "clips", tmp_path / "run"
    make = ["synthesize", "--data", str(data), "--out", str(clips), "--clips", "6"]
    assert main([*make, "--subjects", "3"]) == 0
    before = (clips / "clips.json").stat().st_mtime_ns
    assert main([*make, "--subjects", "3"]) == 0
    assert (clips / "clips.json").stat().st_mtime_ns == before
    assert main([*make, "--subjects", "5"]) == 4
    assert "5 people are asked for" in caplog.text
    assert main([*make, "--subjects", "3"]) == 0
    fit = ["fit-clips", "--data", str(clips), "--out", str(out), "--training-epochs", "1"]
    assert main([*fit, "--net", "learnet"]) == 0
    report = json.loads((Path(out) / "score.json").read_text())
    assert report["clips"] == 18
    assert report["subjects"] == 3
