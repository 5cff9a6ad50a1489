"""A network that draws a perturbation for each face: its budgets, and that a run goes on."""

import json

import numpy as np
import pytest
import torch
from facecloak_train.attacks.painting import Painter
from facecloak_train.nets.tailor import CELLS, FIELD_CELLS, Tailor
from facecloak_train.recipes import make_tailor as recipe
from facecloak_train.recipes.make_tailor import make_tailor
from facecloak_train.run import RunError
from facecloak_train.settings import TailorSettings

from facecloak.core import displacement

CPU = torch.device("cpu")


def settings(faces, weights, out, **changes):
    usual = {"data": faces, "victims": (weights,), "out": out, "steps": 12, "batch": 16}
    return TailorSettings(**usual | {"told_steps": 4, "eps": 16.0, "smooth_share": 1.0} | changes)


def test_it_draws_within_the_shares_it_is_given():
    torch.manual_seed(0)
    tailor = Tailor()
    for layer in (tailor.pattern, tailor.field):
        torch.nn.init.normal_(layer.weight, std=30.0)
    pattern, field = tailor(torch.rand(3, 1, 48, 48))
    assert pattern.shape == (3, CELLS, CELLS)
    assert field.shape == (3, 2, FIELD_CELLS, FIELD_CELLS)
    for drawn in (pattern, field):
        assert drawn.abs().max() <= 1.0
        assert drawn.abs().max() > 0.9


def test_the_roughest_displacement_that_it_can_draw_keeps_its_budgets():
    rng = np.random.default_rng(0)
    for _ in range(200):
        signs = rng.integers(0, 2, (2, FIELD_CELLS, FIELD_CELLS)) * 2 - 1
        field = (signs * 0.01 / recipe._OVERSHOOT).astype(np.float32)
        assert displacement.largest(field) <= 0.01
        assert displacement.strain(field) <= 0.2


def test_a_batch_is_painted_as_each_face_by_itself():
    generator = torch.Generator().manual_seed(1)
    painter = Painter(48, 8.0, CPU)
    faces = torch.rand(3, 1, 48, 48, generator=generator)
    grids = (torch.rand(3, 12, 12, generator=generator) - 0.5) * 16.0
    fields = (torch.rand(3, 2, 6, 6, generator=generator) - 0.5) * 0.02
    together = painter.cloak(faces, grids, fields)
    for number in range(3):
        alone = painter.cloak(faces[number : number + 1], grids[number], fields[number])
        assert (together[number] - alone[0]).abs().max() <= 1.01 / 255.0  # rounding may tip over
        assert (together[number] - alone[0]).abs().mean() < 1e-4


@pytest.mark.slow
def test_it_learns_to_fool_and_a_run_that_was_cut_short_comes_to_the_same(
    tiny_faces, tiny_weights, tmp_path, monkeypatch
):
    whole = make_tailor(settings(tiny_faces, tiny_weights, tmp_path / "whole", steps=60))
    (name,) = whole
    assert whole[name] > 0.5  # of clean faces, none would change

    class Killed(Exception):
        pass

    step = recipe._Study.step

    def die(study):
        if study.done == 30:
            raise Killed
        step(study)

    cut = settings(tiny_faces, tiny_weights, tmp_path / "cut", steps=60)
    with monkeypatch.context() as patch:
        patch.setattr(recipe._Study, "step", die)
        with pytest.raises(Killed):
            make_tailor(cut)
    assert make_tailor(cut) == whole
    rows = [
        [json.loads(line) for line in (tmp_path / run / "metrics.jsonl").read_text().splitlines()]
        for run in ("whole", "cut")
    ]
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == list(range(4, 61, 4))
    with pytest.raises(RunError, match="other settings"):
        make_tailor(settings(tiny_faces, tiny_weights, tmp_path / "cut", steps=61))
