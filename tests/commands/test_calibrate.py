"""``facecloak calibrate`` from the command line: what is written, and what never is."""

import signal
import stat
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecloak import cli, settings
from facecloak.calibrate.fitting import Fit, Outcome
from facecloak.calibrate.refining import Found
from facecloak.commands import calibrate as command
from facecloak.core import artifacts, bank, displacement
from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.perturbation import ANY
from facecloak.settings import Settings

SHIPPED = bank.load(artifacts.perturbation("default"))


@pytest.fixture(autouse=True)
def own(monkeypatch, tmp_path):
    """Where the personal perturbation would lie; nothing of the user's own is seen."""
    folder = tmp_path / "data" / "perturbations"
    monkeypatch.setattr(artifacts, "own_folder", lambda: folder)
    monkeypatch.setattr(settings, "config_file", lambda: tmp_path / "settings.toml")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def small_judge(monkeypatch):
    """ResNet14 alone, which is three times as fast as VGG19."""
    (path,) = (one for one in artifacts.models() if one.stem == "resnet14")
    monkeypatch.setattr(artifacts, "models", lambda: (path,))


class Ticking:
    """A clock on which every look at it takes a while, so that a search has so many rounds."""

    def __init__(self, step_s):
        self.now_s, self._step_s = 0.0, step_s

    def __call__(self):
        self.now_s += self._step_s
        return self.now_s


def written_bytes():
    """What this process has handed to ``write`` so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return dict(line.split(": ") for line in lines)["wchar"]


@pytest.mark.slow
def test_the_portrait_is_misread_more_and_no_picture_of_it_is_written(own, small_judge, tmp_path):
    before = int(written_bytes()) if sys.platform == "linux" else 0
    told = command.calibrate(
        Settings(source="demo", device="cpu"), seconds=4.0, minutes=1.0, clock=Ticking(0.25)
    )
    if sys.platform == "linux":
        assert int(written_bytes()) - before < 160_000  # a frame has 2.7 MB, the crops 2.6 MB
    path = own / "personal.safetensors"
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path] == [told.path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 or sys.platform == "win32"
    made = bank.load(path)
    assert made.labels == SHIPPED.labels
    for name in ("eps", "shift", "strain", "period_s"):
        assert getattr(made.header, name) == getattr(SHIPPED.header, name)
    smiling, usual = made.member("happy"), SHIPPED.member("happy")
    assert displacement.largest(smiling.displacement) <= SHIPPED.header.shift
    assert (smiling.static != usual.static).any()
    for label in (ANY, "sad", "neutral"):  # the portrait smiles all the time
        np.testing.assert_array_equal(made.member(label).static, SHIPPED.member(label).static)
    assert made.header.datasets == (*SHIPPED.header.datasets, "your own face, 48 crops")
    assert {one.name for one in SHIPPED.header.victims} == {one.name for one in made.header.victims}
    measured = made.header.measured
    assert measured["ResNet14_lead_after"] > measured["ResNet14_lead_before"] + 0.2
    assert measured["ResNet14_fooling_rate_after"] >= measured["ResNet14_fooling_rate_before"]
    assert (measured["refined_on"], measured["held_out"]) == (48.0, 28.0)
    assert made.header.command == (
        "facecloak calibrate --source demo --seconds 4 --minutes 1 --strength 1 "
        "--perturbation default"
    )
    assert artifacts.perturbation("personal") == path
    assert "personal" in artifacts.perturbations()


@pytest.mark.warns_in_log
@pytest.mark.usefixtures("small_judge")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--source", "nosuch.mp4"], 3, "nosuch.mp4 cannot be read"),
        (["--source", "grey.png"], 3, "No face was seen in grey.png. Face the camera"),
        (
            ["--source", "demo", "--seconds", "0.3"],
            3,
            "demo shows a face in too few pictures: 9 of at least 16. Give more",
        ),
        (["--source", "demo", "--seconds", "100"], 2, "leave no time to refine"),
        (["--source", "demo", "--minutes", "0"], 2, "--minutes 0 is not a positive number"),
        (["--source", "demo", "--strength", "9"], 2, "strength must be within 0.25 to 2"),
        (["--perturbation", "nonesuch"], 4, "no perturbation called nonesuch"),
    ],
)
def test_a_failure_is_one_sentence_and_writes_nothing(arguments, code, said, tmp_path, capfd):
    cv2.imwrite("grey.png", np.full((240, 320, 3), 120, np.uint8))
    assert cli.main(["calibrate", "--device", "cpu", *arguments]) == code
    out, err = capfd.readouterr()
    assert said.lower() in err.splitlines()[-1].lower()
    assert not out
    assert [one.name for one in tmp_path.rglob("*")] == ["grey.png"]


def fitted(*, helped, rates=(0.1, 0.6)):
    before, after = (Outcome("ResNet14", rate, 4 * rate - 2) for rate in rates)
    found = Found(SHIPPED.alone(ANY), steps=400)
    return Fit(SHIPPED.alone(ANY), helped, (before,), (after,), 48, 28, found)


@pytest.fixture
def sat(monkeypatch):
    """Replace the looking and the refining: the fit comes to what the test says."""

    def become(fit, people=1):
        class Sitting:
            crops = np.zeros((20, 180, 180), np.uint8)

        Sitting.people = people
        monkeypatch.setattr(command, "gather", lambda *_args, **_options: Sitting)
        monkeypatch.setattr(command, "fit", fit)

    return become


def test_what_does_not_help_is_not_written_and_that_is_said(sat, own, capfd, small_judge):
    sat(lambda *_args, **_options: fitted(helped=False, rates=(0.4, 0.3)))
    assert cli.main(["calibrate", "--source", "demo"]) == 0
    out, _ = capfd.readouterr()
    assert "ResNet14 misreads 40 % with default, 30 % with the refined one" in out
    assert "no gain, so default stays and nothing was written" in out
    assert not own.exists()


def test_the_gain_the_file_and_what_it_is_are_told(sat, own, capfd, small_judge):
    sat(lambda *_args, **_options: fitted(helped=True), people=2)
    assert cli.main(["calibrate", "--source", "demo"]) == 0
    out, _ = capfd.readouterr()
    assert out.startswith("2 faces were followed; the one seen most was taken.\n")
    assert "misreads 10 % with default, 60 % with the refined one" in out
    assert "personal data" in out
    assert str(own / "personal.safetensors") in out
    assert [one.name for one in own.iterdir()] == ["personal.safetensors"]


def test_a_new_calibration_begins_with_the_shipped_one(sat, own, small_judge):
    begun = []

    def fit(start, *_args, **_options):
        begun.append(start.header)
        return fitted(helped=True)

    sat(fit)
    for _ in "ab":
        command.calibrate(Settings(source="demo", perturbation="personal"), seconds=1, minutes=1)
    assert begun == [SHIPPED.alone(ANY).header] * 2


def test_ctrl_c_while_it_refines_keeps_what_was_found(sat, own, small_judge):
    def fit(*args):
        spent = args[-1].keywords["spent"]
        assert spent() < 1.0
        signal.raise_signal(signal.SIGINT)
        assert spent() == 1.0
        return fitted(helped=True)

    sat(fit)
    told = command.calibrate(Settings(source="demo"), seconds=1, minutes=1)
    assert told.path is not None
    assert told.path.is_file()


@pytest.mark.warns_in_log
def test_ctrl_c_before_leaves_nothing(monkeypatch, own, capfd, small_judge):
    def gather(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "gather", gather)
    assert cli.main(["calibrate", "--source", "demo"]) == 130
    assert not own.exists()


def test_too_little_time_is_told_instead_of_a_fit(sat, own, small_judge):
    def fit(*_args, **_options):
        alone = SHIPPED.alone(ANY)
        return Fit(alone, False, (), (), 48, 28, Found(alone))

    sat(fit)
    with pytest.raises(ConfigError, match="more --minutes"):
        command.calibrate(Settings(source="demo"), seconds=1, minutes=1)


def test_a_folder_that_cannot_be_written_leaves_nothing_half_written(sat, own, small_judge):
    own.parent.write_text("a file where the folder should be")
    sat(lambda *_args, **_options: fitted(helped=True))
    with pytest.raises(SinkUnavailable, match=r"cannot be written.*Make room"):
        command.calibrate(Settings(source="demo"), seconds=1, minutes=1)
    assert own.parent.is_file()


def test_broken_settings_keep_nobody_from_forgetting(own, capfd, monkeypatch):
    path = own / "personal.safetensors"
    own.mkdir(parents=True)
    SHIPPED.save(path)
    monkeypatch.setenv("FACECLOAK_FPS", "x")
    assert cli.main(["calibrate", "--forget"]) == 0
    assert not path.exists()
    assert "is deleted. Nothing fitted to your face is kept." in capfd.readouterr().out


def test_to_forget_deletes_the_file_and_says_so(own, capfd):
    path = own / "personal.safetensors"
    assert cli.main(["calibrate", "--forget"]) == 0
    assert f"There is no {path}" in capfd.readouterr().out
    own.mkdir(parents=True)
    SHIPPED.save(path)
    assert cli.main(["calibrate", "--forget", "--perturbation", "personal"]) == 0
    said = capfd.readouterr().out
    assert f"{path} is deleted" in said
    assert "choose another perturbation" in said
    assert not any(own.iterdir())


def test_the_search_leaves_time_to_read_what_was_held_out():
    clock = iter([10.0, 14.0, 14.0 + 40.0, 14.0 + 80.0])
    spent = command._Spent(100.0, threading.Event(), lambda: next(clock))
    assert spent() == 0.0  # 4 s for what is held out, so it ends at 94 s
    assert spent() == pytest.approx(0.5)
    assert spent() == 1.0


def test_a_slow_start_leaves_most_of_the_rest_for_the_search():
    clock = iter([0.0, 60.0, 75.0, 90.0])
    spent = command._Spent(100.0, threading.Event(), lambda: next(clock))
    assert spent() == 0.0  # it ends at 90 s, although what is held out took 60 s
    assert spent() == pytest.approx(0.5)
    assert spent() == 1.0
