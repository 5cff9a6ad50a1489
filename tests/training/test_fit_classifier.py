"""Training a classifier of faces."""

import json

import pytest
import torch
from facecloak_train import run
from facecloak_train.crew import Crew
from facecloak_train.data.fer2013 import read_npz
from facecloak_train.nets.vgg import Vgg19
from facecloak_train.optimization import one_cycle
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import Jitter
from facecloak_train.training import Training

from tests.fakes.fits import settings


def test_vgg19_is_the_published_network():
    net = Vgg19(7)
    assert sum(p.numel() for p in net.parameters()) == 20_038_983
    for side in (32, 44, 48):
        assert net.eval()(torch.rand(2, 1, side, side)).shape == (2, 7)


def test_it_learns_and_says_what_it_did(tiny_net, tiny_faces, tmp_path):
    out = tmp_path / "run"
    private = fit_classifier(settings(tiny_faces, out, epochs=12))
    assert private > 0.9
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows[:-1]] == list(range(1, 13))
    assert rows[-1]["private_ten_crop"] == pytest.approx(private)
    about = json.loads((out / "run.json").read_text())
    assert about["data_sha256"] == run.digest_of(tiny_faces)
    assert about["settings"]["epochs"] == 12


def test_mixed_faces_are_learnt_as_mixtures(tiny_net, tiny_faces, tmp_path):
    """Each face is wanted as the classes that it is made of, and other faces come out right."""
    about = settings(tiny_faces, tmp_path / "run", mixup=1.0)
    training = Training(about, read_npz(about.data)["Training"], Crew(0, 1, torch.device("cpu")))
    chosen = torch.arange(20)
    _, faces, wanted = training._batch(chosen, 44, torch.Generator().manual_seed(0))
    torch.testing.assert_close(wanted.sum(1), torch.ones(20))
    assert ((wanted > 0.0).sum(1) == 2).float().mean() > 0.5
    halves = [
        Training(about, read_npz(about.data)["Training"], Crew(rank, 2, torch.device("cpu")))
        for rank in (0, 1)
    ]
    parts = [half._batch(chosen, 44, torch.Generator().manual_seed(0)) for half in halves]
    assert torch.equal(torch.cat([part[1] for part in parts]), faces)
    assert torch.equal(torch.cat([part[2] for part in parts]), wanted)
    assert fit_classifier(settings(tiny_faces, tmp_path / "all", epochs=24, mixup=0.2)) > 0.8
    with pytest.raises(run.RunError, match=r"--mixup is -0\.2; give 0"):
        fit_classifier(settings(tiny_faces, tmp_path / "none", mixup=-0.2))


def test_an_optimizer_that_is_not_there_is_one_sentence(tiny_net, tiny_faces, tmp_path):
    with pytest.raises(run.RunError, match="no optimiser 'adam'; there are adamw, sgd"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", optimizer="adam"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"input_px": 31}, "--input-px is 31; give 32 to 48"),
        ({"input_px": 49}, "--input-px is 49; give 32 to 48"),
        ({"small_px": 28}, "--small-px is 28; give 32 to 48"),
        ({"batch": 141}, "--batch is 141; give 1 to 140, the training faces"),
        ({"batch": 0}, "--batch is 0; give 1 to 140"),
        ({"epochs": 0}, "--epochs is 0; give 1 or more"),
        ({"learning_rate": 0.0}, "--learning-rate is 0.0; give more than 0"),
        ({"learning_rate": float("nan")}, "--learning-rate is nan; give more than 0"),
        ({"checkpoint_steps": 0}, "--checkpoint-steps is 0; give 1 or more"),
        ({"seed": -1}, "--seed is -1; give 0 or more"),
        ({"teachers_share": -1.0}, "--teachers-share is -1.0; give 0 to 1"),
        ({"erase": 3.0}, "--erase is 3.0; give 0 to 1"),
        ({"label_smoothing": 3.0}, "--label-smoothing is 3.0; give 0 to 1"),
        ({"jitter": Jitter(scale=-3.0)}, "--jitter-scale is -3.0; give 0 to 1"),
    ],
)
def test_what_nothing_can_be_trained_with_is_refused(tiny_net, tiny_faces, tmp_path, changes, told):
    with pytest.raises(run.RunError, match=told):
        fit_classifier(settings(tiny_faces, tmp_path / "run", **changes))
    usual = {"epochs": 1, "input_px": 48, "small_epochs": 0, "small_px": 28, "batch": 140}
    fit_classifier(settings(tiny_faces, tmp_path / "run", **usual))


def test_one_cycle_rises_and_falls_to_zero():
    rates = [one_cycle(step / 100) for step in range(101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[0] == pytest.approx(0.04)
    assert rates[-1] == pytest.approx(0.0)
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
