"""What a run folder tells, and what it does with files that are broken."""

import json
import platform
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import cv2
import pytest
import torch
from facecloak_train import run
from facecloak_train.precision import computes_bf16
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.training import Training
from safetensors import SafetensorError

from tests.fakes.fits import fit_until_saved, settings


def test_a_run_says_with_what_it_was_made(tiny_net, tiny_faces, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["facecloak-train", "fit", "--out", "my run"])
    fit_classifier(settings(tiny_faces, tmp_path / "run", epochs=1, small_epochs=0, seed=3))
    about = json.loads((tmp_path / "run" / "run.json").read_text())
    assert about["command"] == "facecloak-train fit --out 'my run'"
    assert about["settings"]["seed"] == 3
    assert about["data_sha256"] == run.digest_of(tiny_faces)
    git = [shutil.which("git") or "true", "describe", "--always", "--dirty"]
    commit = subprocess.run(
        git, check=False, capture_output=True, text=True, cwd=Path(run.__file__).parent
    )
    assert about["commit"] == (commit.stdout.strip() or "unknown")
    assert datetime.fromisoformat(about["when"]).utcoffset() is not None
    versions = {name: version(name) for name in ("facecloak", "numpy", "torch")}
    versions |= {"opencv": cv2.__version__, "python": platform.python_version()}
    where = {"processes": 1, "threads": 1}  # which a fixture makes one
    cuda = torch.cuda.is_available()
    where["device"] = "cuda" if cuda else "cpu"
    where["gpu"] = torch.cuda.get_device_name() if cuda else None
    where["precision"] = "bf16" if computes_bf16(where["device"]) else "fp32"
    assert {name: about[name] for name in versions | where} == versions | where
    assert "resumed" not in about


def test_a_run_that_goes_on_says_with_what(tiny_net, tiny_faces, tmp_path, monkeypatch):
    """What it was begun with stays; a run that is begun anew is told anew."""
    out = tmp_path / "run"
    monkeypatch.setattr(run, "_commit", lambda: "first")
    with monkeypatch.context() as patch:
        patch.setattr(Training, "step", lambda _self: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):  # before anything was saved
            fit_classifier(settings(tiny_faces, out, seed=7))
    fit_until_saved(monkeypatch, settings(tiny_faces, out), 4)
    begun = json.loads((out / "run.json").read_text())
    assert begun["settings"]["seed"] == 1
    assert "resumed" not in begun
    monkeypatch.setattr(run, "_commit", lambda: "second")
    monkeypatch.setattr(cv2, "__version__", "9.9")
    fit_classifier(settings(tiny_faces, out, checkpoint_steps=5))
    monkeypatch.setattr(sys, "argv", ["facecloak-train", "fit", "--again"])
    monkeypatch.setattr(run, "_commit", lambda: "first")
    fit_classifier(settings(tiny_faces, out))
    about = json.loads((out / "run.json").read_text())
    then, again = about.pop("resumed")
    assert about == begun
    assert then.pop("when") >= begun["when"]
    steps = {"checkpoint_steps": 5}
    assert then == {"commit": "second", "opencv": "9.9", "settings": begun["settings"] | steps}
    assert again.pop("when") >= begun["when"]
    command = "facecloak-train fit --again"
    assert again == {"commit": "first", "opencv": "9.9", "command": command}


@pytest.mark.parametrize("broken", ["{", "3", "[1]"])
def test_a_description_that_is_none_is_one_sentence(tiny_net, tiny_faces, tmp_path, broken):
    out = tmp_path / "run"
    fit_classifier(settings(tiny_faces, out, epochs=1, small_epochs=0))
    (out / "run.json").write_text(broken)
    with pytest.raises(run.RunError, match=r"run\.json is no description of a run .*remove it"):
        fit_classifier(settings(tiny_faces, out, epochs=1, small_epochs=0))


def test_what_is_no_checkpoint_is_one_sentence(tmp_path):
    (tmp_path / "last.safetensors").write_bytes(b"half a file")
    for name in ("last.safetensors", "none.safetensors"):
        with pytest.raises(run.RunError, match=name):
            run.load_checkpoint(tmp_path / name)


def test_a_full_disk_is_one_sentence_and_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.safetensors"
    run.save_checkpoint(path, {"x": torch.ones(3)}, {"step": 1})

    def full(_tensors, part, **_options):
        part.write_bytes(b"half a file")
        msg = "I/O error: No space left on device"
        raise SafetensorError(msg)

    monkeypatch.setattr(run, "save_file", full)
    with pytest.raises(run.RunError, match=r"last\.safetensors cannot be written .*make room"):
        run.save_checkpoint(path, {"x": torch.zeros(3)}, {"step": 2})
    assert run.load_checkpoint(path)[1] == {"step": 1}
    assert [one.name for one in tmp_path.iterdir()] == ["last.safetensors"]


def test_a_row_that_a_kill_cut_short_is_dropped_and_a_broken_one_is_told(
    tiny_net, tiny_faces, tmp_path
):
    out = tmp_path / "run"
    file = out / "metrics.jsonl"
    fit_classifier(settings(tiny_faces, out, epochs=2, small_epochs=0))
    whole = file.read_text().splitlines(keepends=True)
    for cut in ("{", '{"epoch": 2, "lo', '{"epoch": 2}'):
        file.write_text("".join(whole[:2]) + cut)
        fit_classifier(settings(tiny_faces, out, epochs=2, small_epochs=0))
        assert file.read_text().splitlines(keepends=True) == whole
    for broken in ("{\n", "3\n", '{"epoch": "x"}\n'):
        file.write_text(whole[0] + broken + whole[1])
        with pytest.raises(run.RunError, match=r"metrics\.jsonl, line 2 is no row"):
            fit_classifier(settings(tiny_faces, out, epochs=2, small_epochs=0))
        assert broken in file.read_text()
