"""The chain from weights to a table of attacks, on a network that learns in a second."""

import json

import numpy as np
import pytest
import torch
from facecloak_train.measure import pictures
from facecloak_train.recipes.measure_robustness import Attacked, measure_robustness
from facecloak_train.settings import RobustnessSettings
from skimage.io import imread
from torch import nn


def test_a_report_a_table_and_a_curve(tiny_weights, tiny_faces, tmp_path):
    out = tmp_path / "report" / "robustness.json"
    report = measure_robustness(
        RobustnessSettings(
            data=tiny_faces,
            weights=tiny_weights,
            out=out,
            eps=(2.0, 30.0),
            steps=5,
            faces=30,
            autoattack=6,
            autoattack_eps=30.0,
        )
    )
    assert json.loads(out.read_text()) == report
    left = {(row["attack"], row["eps"]): row["accuracy"] for row in report["rows"]}
    clean = left["none", 0.0]
    assert clean > 0.8
    assert left["PGD-5", 30.0] <= left["FGSM", 30.0] <= clean
    assert left["PGD-5", 30.0] <= left["PGD-5", 2.0]
    assert left["DeepFool", 30.0] < clean
    assert left["AutoAttack", 30.0] <= left["none, AutoAttack's faces", 0.0]
    table = out.with_suffix(".md").read_text()
    assert "| PGD-5 | 30 |" in table
    assert report["command"] in table
    assert imread(out.with_suffix(".png")).std() > 5


def test_an_attack_beyond_its_budget_is_not_counted():
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).eval()
    faces = torch.full((4, 1, 4, 4), 0.5)
    attacked = Attacked(net, faces, torch.zeros(4, dtype=torch.long))
    attacked.row("ours", 2.0, faces + 2 / 255)
    with pytest.raises(ValueError, match="budget of 2 levels"):
        attacked.row("ours", 2.0, faces + 2.1 / 255)
    for beyond in (-0.6, 0.6):
        with pytest.raises(ValueError, match="or the range"):
            attacked.row("ours", 255.0, faces + beyond)


def test_pictures_show_what_they_are_given(tmp_path):
    counts = np.array([[9, 1], [0, 10]])
    pictures.confusion(tmp_path / "right.png", counts, ["a", "b"], "x")
    pictures.confusion(tmp_path / "wrong.png", counts[::-1], ["a", "b"], "x")
    assert not np.array_equal(imread(tmp_path / "right.png"), imread(tmp_path / "wrong.png"))
    bins = [
        {"low": 0.0, "high": 0.5, "confidence": 0.4, "accuracy": 0.3, "faces": 10},
        {"low": 0.5, "high": 1.0, "confidence": 0.9, "accuracy": 0.0, "faces": 0},
    ]
    pictures.reliability(tmp_path / "bins.png", bins, "x")
    assert imread(tmp_path / "bins.png").std() > 5
