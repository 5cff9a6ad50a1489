"""The attack's recipe: one perturbation for all faces, or a bank, and what it tells."""

import logging

import numpy as np
import pytest
import torch
from facecloak_train.attacks.budgets import visibility
from facecloak_train.data import fer2013
from facecloak_train.recipes.make_universal import make_universal
from facecloak_train.settings import AttackSettings
from safetensors import SafetensorError

from facecloak.core import artifacts, bank, perturbation_file
from facecloak.core.perturbation import ANY

pytestmark = pytest.mark.slow


def settings(faces, weights, out, **changes):
    usual = {
        "data": faces,
        "victims": (weights,),
        "out": out,
        "eps": 16.0,
        "step": 4.0,
        "cells": 12,
        "batch": 20,
        "faces": 200,
        "passes": 2,
    }
    return AttackSettings(**usual | changes)


def test_without_a_selector_it_is_one_perturbation(tiny_faces, tiny_weights, tmp_path):
    out = tmp_path / "one.safetensors"
    made = make_universal(settings(tiny_faces, tiny_weights, out))
    assert made.labels == (ANY,)
    alone = bank.load(out)
    assert alone.header.format == 4
    assert alone.header.victims[0].name == "tiny"
    assert np.abs(alone.members[ANY].static).max() <= 16.0
    assert alone.member("happy") is alone.members[ANY]


def test_a_smooth_share_keeps_the_pattern_faint_where_faces_are_smooth(
    tiny_faces, tiny_weights, tmp_path
):
    flat, faint = (
        make_universal(
            settings(tiny_faces, tiny_weights, tmp_path / "p.safetensors", smooth_share=share)
        ).member(ANY)
        for share in (1.0, 0.1)
    )
    images = torch.from_numpy(fer2013.read_npz(tiny_faces)["Training"].images)[:, None]
    most = 16.0 * visibility(images, 12, 0.1).numpy() + 1e-4
    assert (np.abs(faint.static) <= most).all()
    assert (np.abs(flat.static) > most).any()


def test_a_sparse_pattern_leaves_all_else_alone(tiny_faces, tiny_weights, tmp_path):
    out = tmp_path / "bank.safetensors"
    dense, sparse = (
        make_universal(
            settings(tiny_faces, tiny_weights, out, selector=tiny_weights, dense=share)
        ).members
        for share in (1.0, 0.3)
    )
    for label, member in sparse.items():
        painted = np.count_nonzero(member.static)
        assert 0 < painted <= 0.31 * dense[label].static.size, label
        assert painted < 0.5 * np.count_nonzero(dense[label].static), label


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"dense": 0.0}, "above 0"),
        ({"dense": 1.2}, "at most 1"),
        ({"dense": 0.5, "passes": 1}, "--passes 2"),
    ],
)
def test_a_share_that_makes_no_sense_is_told_before_anything_is_read(tmp_path, changes, told):
    nowhere = tmp_path / "missing"
    with pytest.raises(ValueError, match=told):
        make_universal(settings(nowhere, nowhere, nowhere, **changes))


def test_what_each_network_makes_of_it_is_told(tiny_faces, tiny_weights, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="facecloak_train")
    out = tmp_path / "bank.safetensors"
    asked = settings(
        tiny_faces, tiny_weights, out, selector=tiny_weights, unseen=(tiny_weights,), passes=1
    )
    made = make_universal(asked)
    assert made.selector == "tiny"
    told = [line for line in caplog.messages if "by the bank" in line]
    assert [line.split()[0] for line in told] == ["victim", "unseen"]
    assert told[0].split(":")[1] == told[1].split(":")[1]  # of the same network, the same


def test_a_full_disk_is_one_sentence_and_leaves_the_old_perturbation(tmp_path, monkeypatch):
    path = tmp_path / "own.safetensors"
    made = bank.load(artifacts.perturbation("default"))
    made.save(path)
    before = path.read_bytes()

    def full(_tensors, part, **_options):
        part.write_bytes(b"half a file")
        msg = "I/O error: No space left on device"
        raise SafetensorError(msg)

    monkeypatch.setattr(perturbation_file, "save_file", full)
    with pytest.raises(OSError, match=r"own\.safetensors cannot be written .*make room"):
        made.save(path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["own.safetensors"]
