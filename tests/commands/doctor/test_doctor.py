"""``facecloak doctor``: what it sees, what it says to do, and what it never hides."""

import json
import platform
import shutil
from pathlib import Path

import pytest

from facecloak import app, cli
from facecloak.commands import checks
from facecloak.commands import doctor as clinic
from facecloak.commands.checks import Check, Machine
from facecloak.core import artifacts
from facecloak.core.errors import SourceUnavailable
from facecloak.core.stats import StageTimes
from facecloak.core.types import Faces, Output
from facecloak.pipeline.protector import Protected
from facecloak.settings import Settings
from tests.fakes.linux_machine import (
    camera_that,
    only,
)

NAMES = [
    "settings",
    "driver",
    "label",
    "caps",
    "readers",
    "camera",
    "model",
    "perturbation",
    "providers",
    "self-test",
]
SHIPPED = artifacts.folder("perturbations")


# The whole command, with the real models, perturbation, finder and portrait.


def test_everything_is_told_as_json_and_a_real_face_comes_out_cloaked(monkeypatch, capfd):
    monkeypatch.setenv("FACECLOAK_SINK", "null")  # so that no driver is needed
    assert cli.main(["doctor", "--json", "--source", "demo", "--device", "cpu"]) == 0
    out, err = capfd.readouterr()
    told = json.loads(out)
    assert list(told) == ["version", "platform", "checks"]
    assert set(told["platform"]) == {"system", "release", "machine", "python"}
    assert all(list(one) == ["name", "state", "seen", "remedy"] for one in told["checks"])
    told_of = [one["name"] for one in told["checks"]]
    assert list(dict.fromkeys(told_of)) == NAMES
    assert told_of.count("model") == len(artifacts.models()) + len(artifacts.gradients())
    assert len(told_of) == len(NAMES) - 1 + told_of.count("model")
    seen = {one["name"]: one["seen"] for one in told["checks"]}
    assert "FACECLOAK_SINK" in seen["settings"]
    assert "10 of 10 frames went through, 10 cloaked and 0 raw" in seen["self-test"]
    assert not err


@pytest.mark.skipif(
    bool(list(Path("/dev").glob("video*"))) or platform.system() != "Linux",
    reason="this machine has a camera",
)
def test_a_machine_without_camera_and_driver_is_a_readable_story(monkeypatch, capfd):
    monkeypatch.setattr(clinic, "self_test", lambda _machine: iter(()))
    assert cli.main(["doctor"]) == 3
    out, err = capfd.readouterr()
    assert not err
    lines = out.splitlines()
    assert "light goes on" in lines[1]
    driver = lines.index("FAULT  driver        The driver v4l2loopback is not loaded.")
    assert lines[driver + 1].startswith(" " * 21 + "-> Run: facecloak camera install --apply")
    assert "FAULT  camera        There is no camera /dev/video0. Listed: none." in lines
    assert lines[-1] == "2 faults (driver, camera), 3 warnings."


# Exit codes, and that no fault hides another.


def test_where_all_is_well_nothing_has_to_be_done(healthy):
    found = healthy()
    assert {check.state for check in found} == {"ok"}
    assert not any(check.remedy for check in found)
    assert clinic.exit_code(found) == 0
    assert clinic.summary(found) == "No fault, 0 warnings."


def test_settings_that_cannot_be_used_are_told_and_the_rest_goes_on(healthy, tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text('strength = 9\nperturbation = "nonesuch"\n')
    found = healthy(file)
    first = found[0]
    assert (first.name, first.state) == ("settings", "fault")
    assert "strength must be within 0.25 to 2" in first.seen
    assert "defaults" in first.remedy
    assert {check.state for check in found[1:]} == {"ok"}
    assert clinic.exit_code(found) == 2


def test_a_settings_file_is_named_and_a_folder_in_its_place_too(healthy, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("strength = 0.7\n")
    assert healthy(file)[0].seen == f"{file} can be used."
    assert healthy(tmp_path)[0].state == "warning"


def test_the_gravest_class_is_the_exit_code(healthy, tmp_path, monkeypatch):
    shutil.copytree(artifacts.folder("models"), tmp_path / "models")
    (tmp_path / "models/a.onnx").write_bytes(b"no model")
    monkeypatch.setattr(
        artifacts, "folder", lambda kind: tmp_path / kind if kind == "models" else SHIPPED
    )
    camera_that(monkeypatch, raises=SourceUnavailable("It is gone.", "Connect it."))
    found = healthy()
    assert clinic.exit_code(found) == 4
    assert clinic.summary(found) == "2 faults (camera, model), 0 warnings."


@pytest.mark.parametrize("raised", [OSError("disk"), RuntimeError("odd"), ValueError("value")])
def test_a_check_that_fails_itself_is_a_fault_and_hides_nothing(healthy, monkeypatch, raised):
    def caps(_machine):
        raise raised

    monkeypatch.setattr(checks, "caps", caps)
    found = healthy()
    (broken,) = (check for check in found if check.state == "fault")
    assert broken.name == "caps"
    assert str(raised) in broken.seen
    assert "--debug" in broken.remedy
    assert [check.name for check in found if check is not broken][-1] == "providers"
    assert clinic.exit_code(found) == 3


def test_the_exit_code_and_the_remedies_reach_the_user(monkeypatch, capfd):
    found = [
        Check("driver", "fault", "It is\nnot there.", "Load it.", 3),
        Check("label", "warning", "Not checked."),
    ]
    monkeypatch.setattr(clinic, "doctor", lambda *_, **__: iter(found))
    assert cli.main(["doctor", "--no-camera"]) == 3
    out, err = capfd.readouterr()
    assert out.splitlines()[1:] == [
        "FAULT  driver        It is not there.",
        "                     -> Load it.",
        "warn   label         Not checked.",
        "1 fault (driver), 1 warning.",
    ]
    assert "light" not in out
    assert not err


# The self-test on pipelines that do not work.


def self_test(**chosen):
    return only(clinic.self_test(Machine(settings=Settings(**chosen))))


def test_a_pipeline_that_finds_no_face_is_a_fault(fakes):
    fakes(lambda _frame: Faces())
    check = self_test()
    assert check.state == "fault"
    assert "10 of 10 frames went through, 0 cloaked and 0 raw" in check.seen


def test_a_raw_frame_is_seen_whatever_the_pipeline_calls_it(monkeypatch):
    class Leaky:
        times = StageTimes()

        def protect(self, frame):
            return Protected(frame, Output.CLOAKED, Faces(), ())

        def close(self):
            pass

    class Made:
        protector = Leaky()

    monkeypatch.setattr(app, "protection", lambda _settings, *, live: Made())
    check = self_test()
    assert check.state == "fault"
    assert "10 raw" in check.seen
    assert "Do not use" in check.remedy


def test_a_slate_that_the_user_asked_for_is_only_a_warning(fakes):
    fakes(lambda _frame: Faces())
    check = self_test(unfooled="shield")
    assert check.state == "warning"
    assert "--strength" in check.remedy


def test_settings_that_the_pipeline_refuses_keep_their_class(tmp_path):
    wrong = {"perturbation": "nonesuch", "source": "demo"}
    *_, last = clinic.doctor(wrong, {"FACECLOAK_SINK": "null"}, tmp_path / "none.toml")
    assert (last.name, last.state, last.exit_code) == ("self-test", "fault", 4)
    assert "nonesuch" in last.seen
