"""A study of tiny runs: it goes on, and never looks at PrivateTest."""

import json
import shutil

import numpy as np
import optuna
import pytest
from facecloak_train import run
from facecloak_train.cli import main
from facecloak_train.data.fer2013 import Faces, read_npz, write_npz
from facecloak_train.recipes import tune_fit as recipe
from facecloak_train.settings import TuneSettings


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def settings(tiny_faces, tmp_path, **changes):
    usual = {"data": tiny_faces, "out": tmp_path / "tune", "net": "tiny", "epochs": 2}
    return TuneSettings(**usual | {"batch": 20, "trials": 2} | changes)


def trials(tmp_path):
    return optuna.load_study(
        study_name="fit", storage=f"sqlite:///{tmp_path / 'tune' / 'study.db'}"
    ).trials


def test_a_study_goes_on_where_it_was(tiny_net, tiny_faces, tmp_path, monkeypatch):
    kept, begun = recipe.train, []

    def dies_in_the_second(chosen, *rest):
        begun.append(chosen.out.name)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return kept(chosen, *rest)

    monkeypatch.setattr(recipe, "train", dies_in_the_second)
    with pytest.raises(KeyboardInterrupt):
        recipe.tune_fit(settings(tiny_faces, tmp_path, trials=3))
    best = recipe.tune_fit(settings(tiny_faces, tmp_path, trials=3))
    complete = [one for one in trials(tmp_path) if one.state == optuna.trial.TrialState.COMPLETE]
    assert len(complete) == 3
    told = json.loads((tmp_path / "tune" / "best.json").read_text())
    assert told["public"] == max(one.value for one in complete)
    assert told["label_smoothing"] == best.label_smoothing
    before = len(trials(tmp_path))
    recipe.tune_fit(settings(tiny_faces, tmp_path, trials=3))
    assert len(trials(tmp_path)) == before


def test_a_study_is_not_continued_with_other_settings(tiny_net, tiny_faces, tmp_path):
    recipe.tune_fit(settings(tiny_faces, tmp_path, trials=1, epochs=1))
    with pytest.raises(run.RunError, match="another epochs; give the same"):
        recipe.tune_fit(settings(tiny_faces, tmp_path, trials=2))


@pytest.mark.warns_in_log
def test_processes_of_torchrun_draw_no_trials_of_their_own(
    tiny_net, tiny_faces, tmp_path, monkeypatch, caplog
):
    out = tmp_path / "tune"
    asked = ["tune", "--data", str(tiny_faces), "--out", str(out), "--net", tiny_net]
    asked += ["--trials", "1", "--epochs", "1", "--batch", "20"]
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(asked) == 4
    assert "torchrun cannot spread a study; start `facecloak-train tune` without" in caplog.text
    assert not out.exists()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert main(asked) == 0


def test_a_trial_that_learns_nothing_is_cut_short(tiny_net, tiny_faces, tmp_path, monkeypatch):
    """The sixth trial is told that it stays behind."""
    asked = []

    def pretends(chosen, _splits, _crew, after_epoch):
        asked.append(chosen.out.name)
        for epoch in (1, 2):
            after_epoch(epoch, 0.1 if len(asked) > 5 else 0.5 + 0.1 * epoch)

    monkeypatch.setattr(recipe, "train", pretends)
    recipe.tune_fit(settings(tiny_faces, tmp_path, trials=6))
    states = [one.state.name for one in trials(tmp_path)]
    assert states == ["COMPLETE"] * 5 + ["PRUNED"]


def test_a_study_that_is_stopped_after_each_trial_tries_the_same(
    tiny_net, tiny_faces, tmp_path, monkeypatch
):
    """Twelve trials: the first ten are drawn at random, the others follow from those."""

    def pretends(chosen, _splits, _crew, after_epoch):
        after_epoch(1, chosen.label_smoothing + chosen.erase)

    monkeypatch.setattr(recipe, "train", pretends)
    recipe.tune_fit(settings(tiny_faces, tmp_path, trials=12))
    whole = [one.params for one in trials(tmp_path)]
    shutil.rmtree(tmp_path / "tune")
    for count in range(1, 13):
        recipe.tune_fit(settings(tiny_faces, tmp_path, trials=count))
    assert [one.params for one in trials(tmp_path)] == whole
    assert len({one["erase"] for one in whole}) == 12
    shutil.rmtree(tmp_path / "tune")
    recipe.tune_fit(settings(tiny_faces, tmp_path, trials=1, seed=2))
    assert trials(tmp_path)[0].params != whole[0]


def test_private_faces_choose_nothing(tiny_net, tiny_faces, tmp_path):
    first = recipe.tune_fit(settings(tiny_faces, tmp_path))
    splits = read_npz(tiny_faces)
    other = Faces(np.zeros_like(splits["PrivateTest"].images), splits["PrivateTest"].labels)
    write_npz(tmp_path / "other.npz", splits | {"PrivateTest": other})
    again = recipe.tune_fit(settings(tmp_path / "other.npz", tmp_path, out=tmp_path / "again"))
    assert first.learning_rate == again.learning_rate
    values = [
        json.loads((folder / "best.json").read_text())["public"]
        for folder in (tmp_path / "tune", tmp_path / "again")
    ]
    assert values[0] == values[1]
