"""What a hardened step minimises, and what hardening is for."""

import dataclasses
import json

import pytest
import torch
from facecloak_train import nets, run
from facecloak_train.attacks.individual import against, fgsm
from facecloak_train.data.fer2013 import read_npz
from facecloak_train.hardening import attacked_accuracy, hardened_loss
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import Hardening
from torch import nn
from torch.nn.functional import cross_entropy, one_hot


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    faces = 0.3 + 0.4 * torch.rand(16, 1, 4, 4, generator=generator)
    return faces, one_hot(torch.arange(16) % 3, 3).float()


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 3))


def loss(net, batch, **hardening):
    return hardened_loss(net, *batch, Hardening(**hardening), 0.0, torch.Generator().manual_seed(0))


def test_the_weight_lies_between_clean_and_attacked_faces(net, batch):
    faces, wanted = batch
    bent = fgsm(net, faces, against(net(faces).argmax(1)), 20 / 255)
    clean, attacked = (cross_entropy(net(some), wanted) for some in (faces, bent))
    assert not torch.isclose(attacked, clean)
    for weight in (0.0, 0.25, 1.0):
        got = loss(net, batch, attack="fgsm", eps=20.0, weight=weight)
        torch.testing.assert_close(got, torch.lerp(clean, attacked, weight))
    torch.testing.assert_close(loss(net, batch), clean)


def test_trades_is_plain_without_room_and_more_with_it(net, batch):
    plain = loss(net, batch)
    torch.testing.assert_close(loss(net, batch, attack="trades", eps=0.0, weight=6.0), plain)
    once = loss(net, batch, attack="trades", eps=20.0, weight=1.0) - plain
    assert once > 0
    six = loss(net, batch, attack="trades", eps=20.0, weight=6.0) - plain
    torch.testing.assert_close(six, 6 * once)


def test_the_attack_is_one_sentence_where_it_is_not_known(net, batch):
    with pytest.raises(run.RunError, match="none, fgsm, pgd, trades"):
        loss(net, batch, attack="deepfool")


@pytest.mark.parametrize("attack", ["fgsm", "pgd", "trades"])
def test_hardening_hardens(tiny_settings, tiny_faces, attack):
    weight = {"fgsm": 0.5, "pgd": 1.0, "trades": 2.0}[attack]
    hardening = Hardening(attack=attack, eps=9.0, steps=3, weight=weight)
    judged = Hardening(attack="pgd", eps=9.0, steps=5)
    faces = read_npz(tiny_faces)["PublicTest"]
    left = {}
    for name, kind in (("plain", Hardening()), ("hard", hardening)):
        settings = tiny_settings(name, hardening=kind)
        fit_classifier(settings)
        net = nets.build("tiny", 7)
        net.load_state_dict(run.load_checkpoint(settings.out / "best.safetensors")[0])
        asked = dataclasses.replace(settings, hardening=judged)
        left[name] = attacked_accuracy(net, faces, asked, torch.device("cpu"))
    assert left["hard"] > left["plain"] + 0.5
    row = json.loads((settings.out / "metrics.jsonl").read_text().splitlines()[0])
    assert {"public", "public_attacked"} <= row.keys()
