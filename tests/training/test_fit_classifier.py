import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from facecloak_train import nets, run
from facecloak_train.crew import Crew
from facecloak_train.data.fer2013 import LABELS, DatasetError, Faces, read_npz, write_npz
from facecloak_train.nets.vgg import Vgg19
from facecloak_train.optimization import one_cycle
from facecloak_train.precision import computes_bf16
from facecloak_train.recipes.fit_classifier import fit_classifier
from facecloak_train.settings import FitSettings, Hardening, Jitter
from facecloak_train.teachers import crowd_taught, taught
from facecloak_train.training import Training
from safetensors import SafetensorError


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


def test_teachers_are_part_of_the_target(tiny_net, tiny_faces, tmp_path, monkeypatch):
    """A teacher that is right teaches a student whose labels are all wrong."""
    teacher = tmp_path / "teacher"
    assert fit_classifier(settings(tiny_faces, teacher, epochs=12)) > 0.9
    splits = read_npz(tiny_faces)
    wrong = splits | {
        "Training": Faces(splits["Training"].images, (splits["Training"].labels + 1) % 7)
    }
    write_npz(tmp_path / "wrong.npz", wrong)
    best = teacher / "best.safetensors"
    told, untold = (
        fit_classifier(
            settings(
                tmp_path / "wrong.npz",
                tmp_path / f"student{share}",
                epochs=12,
                teachers=(best, best),
                teachers_share=share,
            )
        )
        for share in (0.9, 0.0)
    )
    assert told > 0.7
    assert untold < 0.4
    taught, about = run.load_checkpoint(tmp_path / "student0.9" / "taught.safetensors")
    assert about["teachers"] == [run.digest_of(best)] * 2
    torch.testing.assert_close(taught["probabilities"].sum(1), torch.ones(140))


def test_a_crowd_teaches_what_its_votes_have_meant():
    """Where ten people say A, the label was A in two thirds; where they say B, it was C."""
    votes = np.zeros((120, 10), np.int64)
    votes[:60, 0], votes[60:, 1] = 10, 10
    labels = np.concatenate([np.arange(60) % 3 // 2, np.full(60, 2)])
    told = crowd_taught(votes, labels, 7)
    torch.testing.assert_close(told.sum(1), torch.ones(120))
    torch.testing.assert_close(
        told[[0, -1], :3], torch.tensor([[2 / 3, 1 / 3, 0.0], [0.0, 0.0, 1.0]]), atol=0.03, rtol=0
    )


def voted(tmp_path, seen):
    """The votes of a crowd that is of one mind in each training face."""
    names = {
        "neutral": "neutral",
        "happiness": "happy",
        "surprise": "surprise",
        "sadness": "sad",
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fear",
    }
    numbers = [LABELS.index(ours) for ours in names.values()]
    rows = [",".join("10" if n == label else "0" for n in numbers) + ",0,0,0" for label in seen]
    path = tmp_path / "votes.csv"
    path.write_text(
        "\n".join(
            [
                f"Usage,Image name,{','.join(names)},contempt,unknown,NF",
                *(f"Training,{n}.png,{row}" for n, row in enumerate(rows)),
            ]
        )
    )
    return path


def test_the_crowd_is_one_teacher_more(tiny_net, tiny_faces, tmp_path):
    """A crowd that is right teaches a student whose labels are all wrong half the time."""
    splits = read_npz(tiny_faces)
    truth = splits["Training"].labels
    wrong = np.where(np.arange(len(truth)) // 7 % 2, truth, (truth + 1) % 7)
    write_npz(
        tmp_path / "wrong.npz", splits | {"Training": Faces(splits["Training"].images, wrong)}
    )
    path = voted(tmp_path, truth)
    about = settings(
        tmp_path / "wrong.npz", tmp_path / "run", epochs=12, ferplus=path, teachers_share=1.0
    )
    training = Training(about, read_npz(about.data)["Training"], Crew(0, 1, torch.device("cpu")))
    wanted = training._wanted
    torch.testing.assert_close(wanted.sum(1), torch.ones(len(truth)))
    rows_of = torch.arange(len(truth))
    half = torch.full((len(truth),), 0.5)
    torch.testing.assert_close(wanted[rows_of, torch.from_numpy(truth)], half, atol=0.05, rtol=0)


def test_a_crowd_that_looked_at_the_faces_in_another_order_teaches_nothing(
    tiny_net, tiny_faces, tmp_path
):
    votes = voted(tmp_path, np.sort(read_npz(tiny_faces)["Training"].labels))
    with pytest.raises(DatasetError, match=r"in another order; prepare them from fer2013\.csv"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", ferplus=votes))


def test_what_teachers_said_of_other_faces_or_sizes_is_not_taken(tiny_net, tiny_faces, tmp_path):
    teacher = tmp_path / "teacher"
    fit_classifier(settings(tiny_faces, teacher, epochs=1, small_epochs=0))
    splits = read_npz(tiny_faces)
    some, others = (
        torch.from_numpy(splits["Training"].images[first::2])[:, None] for first in (0, 1)
    )

    def told(faces, size_px, cache):
        best = (teacher / "best.safetensors",)
        return taught(best, lambda name: nets.build(name, 7), faces, size_px, 1, tmp_path / cache)

    for name, asked in {"first": (some, 44), "faces": (others, 44), "size": (some, 40)}.items():
        assert torch.equal(told(*asked, "cache"), told(*asked, name)), name
    marked, about = run.load_checkpoint(tmp_path / "cache")
    run.save_checkpoint(tmp_path / "cache", {"probabilities": -marked["probabilities"]}, about)
    assert torch.equal(told(some, 40, "cache"), -marked["probabilities"])  # it is looked up


def test_a_teacher_may_have_another_architecture(tiny_net, tiny_faces, tmp_path):
    teacher = tmp_path / "teacher"
    fit_classifier(settings(tiny_faces, teacher, net="resnet14", epochs=1))
    best = teacher / "best.safetensors"
    fit_classifier(settings(tiny_faces, tmp_path / "student", epochs=1, teachers=(best,)))
    taught, _ = run.load_checkpoint(tmp_path / "student" / "taught.safetensors")
    torch.testing.assert_close(taught["probabilities"].sum(1), torch.ones(140))


def test_a_teacher_of_an_unknown_kind_is_one_sentence(tiny_net, tiny_faces, tmp_path):
    other = tmp_path / "other.safetensors"
    run.save_checkpoint(other, {"features.0.weight": torch.zeros(3)}, {"net": "tiny"})
    with pytest.raises(run.RunError, match="holds another network than TinyNet"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", teachers=(other,)))
    run.save_checkpoint(tmp_path / "nameless.safetensors", {"x": torch.zeros(3)}, {})
    nameless = (tmp_path / "nameless.safetensors",)
    with pytest.raises(run.RunError, match="does not name its network"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", teachers=nameless))
    with pytest.raises(run.RunError, match="holds another network than TinyNet"):
        fit_classifier(settings(tiny_faces, tmp_path / "run", start=other))


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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"input_px": 31}, "--input-px is 31; give 32 to 48"),
        ({"input_px": 49}, "--input-px is 49; give 32 to 48"),
        ({"small_px": 28}, "--small-px is 28; give 32 to 48"),
        ({"batch": 141}, "--batch is 141; give 1 to 140, the training faces"),
        ({"batch": 0}, "--batch is 0; give 1 to 140"),
    ],
)
def test_faces_of_an_impossible_size_or_number_are_refused(
    tiny_net, tiny_faces, tmp_path, changes, told
):
    with pytest.raises(run.RunError, match=told):
        fit_classifier(settings(tiny_faces, tmp_path / "run", **changes))
    usual = {"epochs": 1, "input_px": 48, "small_epochs": 0, "small_px": 28, "batch": 140}
    fit_classifier(settings(tiny_faces, tmp_path / "run", **usual))


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


def test_one_cycle_rises_and_falls_to_zero():
    rates = [one_cycle(step / 100) for step in range(101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates[0] == pytest.approx(0.04)
    assert rates[-1] == pytest.approx(0.0)
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
