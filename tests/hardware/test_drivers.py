"""The real drivers of a webcam and of the virtual camera, in a guest: see ``guest.py``."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from facecloak.sink.loopback import LABEL
from tests.hardware.guest import FOLDER_VARIABLE, Guest

pytestmark = [pytest.mark.guest, pytest.mark.slow]

HERE = Path(__file__).parent
LOAD = ["modprobe", "v4l2loopback", "video_nr=10", f'card_label="{LABEL}"', "exclusive_caps=1"]


@pytest.fixture(scope="module")
def guest():
    folder = os.environ.get(FOLDER_VARIABLE)
    if not folder:
        pytest.skip(f"{FOLDER_VARIABLE} names no Linux guest with camera drivers")
    for needed in ("busybox", "modprobe"):
        if shutil.which(needed, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            pytest.skip(f"the guest needs {needed}")
    return Guest(Path(folder).resolve())


def python(*arguments):
    root = HERE.parent.parent
    return ["env", f"PYTHONPATH={root}", sys.executable, *map(str, arguments)]


def test_it_starts_again_after_a_stop_and_after_a_kill(guest):
    outcome = guest.run([LOAD, python(HERE / "scenario_restart.py")], timeout_s=200)
    assert outcome.status == 0, outcome.said
    told = json.loads(outcome.said.splitlines()[-1])
    assert told["device"] == "/dev/video10"
    assert told["free"] == "OUTPUT"
    # What the cure is for; a newer driver, which needs none, says OUTPUT here.
    assert told["after_stop"] == told["after_kill"] == "NEITHER"
    for which in ("first", "second", "third"):
        seen = told[which]
        assert seen["role"] == "CAPTURE", which
        assert seen["size"] == [640, 480], which
        assert seen["fps"] == pytest.approx(30), which
        assert seen["off_by"] <= 2, which
    assert "Another program writes to /dev/video10" in told["beside_another"]


def test_install_sets_up_the_driver_beside_that_of_another_program(guest):
    theirs = 'options v4l2loopback devices=1 video_nr=20 card_label="OBS Cam" exclusive_caps=1\n'
    other = [
        "sh",
        "-c",
        f"mkdir -p /etc/modprobe.d; printf '%s' '{theirs}' >/etc/modprobe.d/o.conf",
    ]
    facecloak = python("-m", "facecloak")
    outcome = guest.run(
        [
            other,
            ["modprobe", "v4l2loopback"],  # as it runs before FaceCloak comes
            [*facecloak, "camera", "install"],
            [*facecloak, "camera", "install", "--apply"],
            ["sh", "-c", "head /sys/class/video4linux/*/name"],
            [*facecloak, "devices"],
            [*facecloak, "camera", "install", "--apply"],
            [*facecloak, "camera", "remove", "--apply"],
            ["modprobe", "v4l2loopback"],
            [*facecloak, "devices"],
        ],
        timeout_s=200,
    )
    assert outcome.status == 0, outcome.said
    said = outcome.said
    assert "1. Name the camera, after OBS Cam." in said
    assert "video20/name <==\nOBS Cam\n" in said
    assert f'"{LABEL}" is /dev/video' in said
    assert "is there already" in said
    assert f'"{LABEL}" is gone.' in said
    assert said.rstrip().endswith("none: facecloak camera install")


def test_a_webcam_that_is_unplugged_is_found_again(guest):
    load = ["modprobe", "vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0"]
    outcome = guest.run([load, python(HERE / "scenario_replug.py")], timeout_s=200)
    assert outcome.status == 0, outcome.said
    told = json.loads(outcome.said.splitlines()[-1])
    assert told["before"] >= 10
    for which in ("first", "second"):
        assert told[f"{which}_noticed_s"] <= 2
        assert told[f"{which}_back_s"] <= 10
        assert told[f"{which}_after"] >= 10


def test_the_camera_is_on_only_while_a_call_shows_it(guest):
    camera = ["modprobe", "vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x0"]
    outcome = guest.run([camera, LOAD, python(HERE / "scenario_on_demand.py")], timeout_s=280)
    assert outcome.status == 0, outcome.said
    told = json.loads(outcome.said.splitlines()[-1])
    assert told["before"] is False
    for which in ("first", "second"):
        assert told[f"{which}_on_s"] <= 3
        assert told[f"{which}_pictures"] == [480, 640, 3]
        assert told[f"{which}_off_s"] <= 6
    assert told["listing_turns_it_on"] is False
    assert told["exit"] == 0, told["log"]
