"""The chain from weights to a table of attacks, on a network that learns in a second."""

import json
import math

import numpy as np
import pytest
import torch
from facecloak_train.attacks.individual import Nearest
from facecloak_train.measure import pictures
from facecloak_train.recipes import measure_robustness as recipe
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
    assert left["AutoAttack's parts", 30.0] <= left["none, AutoAttack's faces", 0.0]
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


class Stubborn(nn.Module):
    """Reads dark faces as one class and bright ones as the other; those below a tenth withstand."""

    def forward(self, faces):
        bright = faces.mean((1, 2, 3))
        lead = torch.where(bright < 0.1, -1.0 + 0.0 * bright, 10.0 * (bright - 0.5))
        return torch.stack([-lead, lead], 1)


def test_faces_that_withstand_are_infinitely_far():
    faces = torch.tensor([0.05, 0.05, 0.45])[:, None, None, None].expand(-1, 1, 4, 4)
    attacked = Attacked(Stubborn().eval(), faces, torch.zeros(3, dtype=torch.long))
    nearest, levels = attacked.by_deepfool()
    assert levels[:2].tolist() == [math.inf] * 2
    assert 255 * 0.05 <= levels[2] < 255 * 0.06
    assert torch.equal(nearest[:2], faces[:2])


@pytest.mark.parametrize("fooled", [True, False])
def test_a_median_that_is_infinite_is_null(tiny_weights, tiny_faces, tmp_path, monkeypatch, fooled):
    monkeypatch.setattr(
        recipe,
        "deepfool",
        lambda _net, faces, norm: Nearest(faces, torch.full((len(faces),), fooled)),
    )
    out = tmp_path / "robustness.json"
    settings = RobustnessSettings(
        data=tiny_faces, weights=tiny_weights, out=out, eps=(2.0,), steps=1, faces=5
    )
    measure_robustness(settings)
    told = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert told["deepfool_median_levels"] == (0.0 if fooled else None)
    said = "nearest change is 0.00 levels." if fooled else "finds no change of class for half"
    assert said in out.with_suffix(".md").read_text()


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


def learnt(tmp_path, *values, bar=70.0):
    """The picture of one run whose epochs read so many percent rightly."""
    path = tmp_path / "learning.png"
    panel = pictures.Panel("x", {"run": list(enumerate(values, 1))}, {"bar": bar})
    pictures.learning(path, [panel], ("epoch", "%"))
    return imread(path)


def test_learning_is_drawn_from_half_on_with_its_bar(tmp_path):
    usual = learnt(tmp_path, 20.0, 60.0, 65.0)
    assert usual.std() > 5
    assert np.array_equal(usual, learnt(tmp_path, 20.0, 60.0, 65.0))
    assert not np.array_equal(usual, learnt(tmp_path, 20.0, 60.0, 66.0))
    assert not np.array_equal(usual, learnt(tmp_path, 20.0, 60.0, 65.0, bar=71.0))
    low = learnt(tmp_path, 20.0, 30.0, 40.0)  # a run that never comes so far is drawn whole
    assert not np.array_equal(low, learnt(tmp_path, 20.0, 31.0, 40.0))
