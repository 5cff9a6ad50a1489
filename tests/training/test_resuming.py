"""A training that was stopped or killed, and goes on."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from facecloak_train import run
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import Hardening

from tests.fakes.fits import assert_same, fit_until_saved, rows_of, settings


@pytest.mark.parametrize(
    ("optimizer", "attack"), [("adamw", "none"), ("sgd", "fgsm"), ("sgd", "trades")]
)
def test_a_run_cut_short_goes_on_to_the_same_result(
    tiny_net, tiny_faces, tmp_path, monkeypatch, optimizer, attack
):
    whole, parts, teacher = tmp_path / "whole", tmp_path / "parts", tmp_path / "teacher"
    fit_classifier(settings(tiny_faces, teacher, epochs=1, small_epochs=0))
    how = {"optimizer": optimizer, "weight_decay": 5e-4, "erase": 0.5, "mixup": 0.4}
    how["teachers"] = (teacher / "best.safetensors",)
    how["hardening"] = Hardening(attack=attack, steps=2)
    fit_classifier(settings(tiny_faces, whole, **how))
    fit_until_saved(monkeypatch, settings(tiny_faces, parts, **how), 4)  # in the second epoch
    fit_classifier(settings(tiny_faces, parts, **how))
    assert_same(whole, parts)
    # Killed between the line about the last epoch and its checkpoint; and asked once more.
    with (parts / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 7, "loss": 1.0}\n')
    fit_classifier(settings(tiny_faces, parts, **how))
    assert [row.get("epoch") for row in rows_of(parts)] == [1, 2, 3, 4, 5, 6, None]
    assert_same(whole, parts)


def test_a_run_of_before_losses_were_kept_goes_on(tiny_net, tiny_faces, tmp_path, monkeypatch):
    """What it cannot know is the losses before the stop; the others are the mean."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fit_classifier(settings(tiny_faces, whole))
    fit_until_saved(monkeypatch, settings(tiny_faces, parts), 4)
    tensors, state = run.load_checkpoint(parts / "last.safetensors")
    assert state["step"] == 9
    assert tensors.pop("losses").shape == (2,)
    run.save_checkpoint(parts / "last.safetensors", tensors, state)
    fit_classifier(settings(tiny_faces, parts))
    rows, others = rows_of(whole), rows_of(parts)
    assert rows[1].pop("loss") != others[1].pop("loss")
    assert rows == others


def test_a_run_is_not_continued_with_other_settings(tiny_net, tiny_faces, tmp_path):
    out = tmp_path / "run"
    fit_classifier(settings(tiny_faces, out, epochs=1, small_epochs=0))
    about = (out / "run.json").read_text()
    with pytest.raises(run.RunError, match=r"another epochs, learning_rate; give the same"):
        fit_classifier(settings(tiny_faces, out, epochs=2, small_epochs=0, learning_rate=0.1))
    assert (out / "run.json").read_text() == about


def test_a_run_of_before_faces_could_be_mixed_goes_on(tiny_net, tiny_faces, tmp_path):
    out = tmp_path / "run"
    private = fit_classifier(settings(tiny_faces, out, epochs=1, small_epochs=0))
    tensors, state = run.load_checkpoint(out / "last.safetensors")
    del state["settings"]["mixup"]
    run.save_checkpoint(out / "last.safetensors", tensors, state)
    assert fit_classifier(settings(tiny_faces, out, epochs=1, small_epochs=0)) == private
    with pytest.raises(run.RunError, match="another mixup"):
        fit_classifier(settings(tiny_faces, out, epochs=1, small_epochs=0, mixup=0.2))


KILLED = """
    import os, signal, sys
    from pathlib import PosixPath
    sys.path.insert(0, {here!r})
    from conftest import TinyNet
    from facecloak_train import nets
    from facecloak_train.recipes.fit_classifier import fit_classifier
    from facecloak_train.settings import FitSettings, Hardening, Jitter
    from facecloak_train.training import Training
    nets.NETS["tiny"] = TinyNet
    step = Training.step

    def dies(self):
        step(self)
        if self.done == {after}:
            os.kill(os.getpid(), signal.SIGKILL)

    Training.step = dies
    fit_classifier({about!r})
"""
"""A process that trains and, after so many steps, is ended by the system."""


def fits_until_killed(about, after):
    here = str(Path(__file__).parent)
    script = textwrap.dedent(KILLED.format(here=here, about=about, after=after))
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


@pytest.mark.slow
def test_a_killed_process_leaves_a_checkpoint_that_can_be_read(tiny_faces, tmp_path):
    out = tmp_path / "run"
    process = fits_until_killed(settings(tiny_faces, out, epochs=10000, checkpoint_steps=1), -1)
    last = out / "last.safetensors"
    deadline = time.monotonic() + 120
    while not last.is_file() and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            pytest.fail(f"it ended by itself: {process.wait(0.05)}")
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    tensors, state = run.load_checkpoint(last)
    assert state["step"] >= 1
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_same_result(tiny_net, tiny_faces, tmp_path):
    """It is killed in an epoch, two steps after its last checkpoint."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    how = {"small_epochs": 1, "erase": 0.5, "mixup": 0.4}
    fit_classifier(settings(tiny_faces, whole, **how))
    about = settings(tiny_faces, parts, **how)
    assert fits_until_killed(about, 20).wait(120) == -signal.SIGKILL
    assert run.load_checkpoint(parts / "last.safetensors")[1]["step"] == 18
    assert [row["epoch"] for row in rows_of(parts)] == [1, 2]
    fit_classifier(about)
    assert_same(whole, parts)
