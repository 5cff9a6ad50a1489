"""Runs that train the tiny network, cut short where a test wants it."""

import json

import pytest
import torch
from facecloak_train import run
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import FitSettings, Jitter


def settings(tiny_faces, out, **changes):
    usual = {
        "data": tiny_faces,
        "out": out,
        "net": "tiny",
        "epochs": 6,
        "small_epochs": 2,
        "batch": 20,
        "learning_rate": 0.02,
        "average_decay": 0.8,
        "checkpoint_steps": 3,
        "jitter": Jitter(rotation_deg=3, shift=0.01, scale=0.02, flip=True),
    }
    return FitSettings(**usual | changes)


def rows_of(out):
    """What a run told of its epochs, but for how long they took."""
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


def assert_same(one, other):
    """Two runs ended alike: the last state, the best weights and what was told of the epochs."""
    assert rows_of(one) == rows_of(other)
    for name in ("last.safetensors", "best.safetensors"):
        (tensors, state), (others, its) = (run.load_checkpoint(out / name) for out in (one, other))
        assert state == its
        assert tensors.keys() == others.keys()
        for key, tensor in tensors.items():
            assert torch.equal(tensor, others[key]), f"{name}: {key}"


def fit_until_saved(monkeypatch, about, count):
    """A run that is stopped after its state was saved for the ``count``-th time."""
    kept, saved = run.save_checkpoint, []

    def dies(path, tensors, state):
        kept(path, tensors, state)
        saved.append(path.name)
        if saved.count("last.safetensors") == count:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run, "save_checkpoint", dies)
        with pytest.raises(KeyboardInterrupt):
            fit_classifier(about)
