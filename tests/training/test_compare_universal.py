"""The comparison of universal perturbations, by its command, on networks that learn at once."""

import json

import numpy as np
import pytest
import torch
from facecloak_train.attacks.published import METHODS
from facecloak_train.cli import main
from facecloak_train.data.fer2013 import read_npz
from facecloak_train.recipes.compare_universal import _Made, _Network
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import CompareSettings
from skimage.io import imread


@pytest.fixture
def compared(tiny_weights, tiny_faces, tiny_settings, tmp_path):
    """Makes a report through the command line, with another network as the unseen one."""
    other = tiny_settings("other", seed=2)
    fit_classifier(other)

    def make(options):
        out = tmp_path / "report" / "compare.json"
        code = main(
            f"compare --data {tiny_faces} --victim {tiny_weights} --out {out} "
            f"--unseen {other.out / 'best.safetensors'} --faces 70 --passes 4 --batch 20 "
            f"--steps 5 {options}".split()
        )
        return code, out

    return make


def test_the_command_compares_everything_on_every_network(compared):
    code, out = compared("--eps 4 30")
    assert code == 0
    report = json.loads(out.read_text())
    rows = {(row["perturbation"], row["eps"], row["network"]): row for row in report["rows"]}
    names = {name for name, _, _ in rows}
    each = {"FGSM, each face", "PGD-5, each face"}
    assert names == {"random sign", "chessboard", "chessboard, 4 px", "Perlin", *METHODS, *each}
    assert len(rows) == 2 * 2 * len(names) == len(report["rows"])
    assert report["victim"] == "run"
    assert [*report["classifiers"]] == ["run", "other"]
    assert report["faces"] == 35
    assert report["training_faces"] == 70
    for (name, _, _), row in rows.items():
        assert row["faces"] == 35
        assert row["low"] <= row["fooling_rate"] <= row["high"]
        assert row["clean_accuracy"] > 0.8
        assert row["learns"] == (name in METHODS)
        assert len(row["reached"]) <= 4
        if row["learns"]:
            seconds = [point[0] for point in row["reached"]]
            assert seconds == sorted(seconds)
            assert row["seconds"] == seconds[-1] > 0
            done = [at for at, rate in row["reached"] if rate >= report["goal"]]
            assert row["goal_s"] == (done[0] if done else None)
    fooled = {name: rows[name, 30.0, "run"]["fooling_rate"] for name in names}
    for name in METHODS:
        assert fooled[name] > max(fooled["random sign"], fooled["chessboard"])
        assert fooled[name] > rows[name, 4.0, "run"]["fooling_rate"] - 0.1
        assert rows[name, 30.0, "run"]["bits"] < rows[name, 30.0, "run"]["clean_bits"]
    assert fooled["PGD-5, each face"] >= max(fooled.values())
    table = out.with_suffix(".md").read_text()
    assert "| 30 | cos-uap | " in table
    assert "not reached in" in table
    assert "to 70 %" in table
    for network in ("run", "other"):
        assert imread(out.with_name(f"compare-{network}.png")).std() > 5


def test_the_toolbox_s_perturbation_is_stopped_when_its_time_is_up(compared):
    code, out = compared("--eps 30 --methods spgd --art --art-s 1")
    assert code == 0
    report = json.loads(out.read_text())
    row = next(row for row in report["rows"] if row["perturbation"].startswith("ART"))
    assert row["learns"]
    assert 0 < row["seconds"] < 60
    assert row["reached"][-1][0] == row["seconds"]


@pytest.mark.warns_in_log
def test_an_unknown_method_and_twins_are_refused(compared, tiny_weights, caplog):
    assert compared("--methods sga guess")[0] == 4
    assert "no method 'guess'; there are uap, spgd, df-uap, cos-uap, sga" in caplog.text
    assert compared(f"--unseen {tiny_weights}")[0] == 4
    assert "same name" in caplog.text
    usual = CompareSettings(data=tiny_weights, victim=tiny_weights, out=tiny_weights)
    assert usual.methods == tuple(METHODS)


def test_an_attack_that_breaks_its_budget_is_not_counted(tiny_weights, tiny_faces):
    settings = CompareSettings(data=tiny_faces, victim=tiny_weights, out=tiny_faces)
    splits = read_npz(tiny_faces)
    faces = torch.full((4, 1, 44, 44), 0.5)
    network = _Network(
        tiny_weights, splits["Training"], faces, np.zeros(4, dtype=np.int64), settings
    )
    assert network.row("ours", 2.0, _Made(faces + 2 / 255, 1.0))["seconds"] == 1.0
    with pytest.raises(ValueError, match="budget of 2 levels"):
        network.row("ours", 2.0, _Made(faces + 2.1 / 255, 1.0))
    with pytest.raises(ValueError, match="or the range"):
        network.row("ours", 255.0, _Made(faces + 0.6, 1.0))
