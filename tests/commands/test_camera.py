import platform

import pytest

from facecloak.capture.listing import Camera
from facecloak.commands import devices as listing
from facecloak.commands.camera import camera
from facecloak.commands.devices import devices
from facecloak.core.errors import ConfigError, DeviceError
from facecloak.sink.loopback import LABEL


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    return tmp_path


def label(root):
    node = root / "sys/class/video4linux/video9"
    node.mkdir(parents=True)
    (node / "name").write_text(LABEL + "\n")


def test_without_apply_it_only_says_what_is_needed(root):
    lines = list(camera("install", apply=False, root=root, runner=pytest.fail))
    assert any(line.endswith("sudo modprobe v4l2loopback") for line in lines)
    assert lines[-1].endswith("facecloak camera install --apply")
    assert not list(root.iterdir())


def test_with_apply_it_does_it_and_says_where_the_camera_is(root):
    done = []

    def runner(command, text):
        done.append((command[0], text))
        if command == ("modprobe", "v4l2loopback"):
            label(root)
        return 0, ""

    lines = list(camera("install", apply=True, root=root, runner=runner))
    assert lines[-1] == f'"{LABEL}" is /dev/video9.'
    assert [name for name, _ in done][-3:] == ["tee", "tee", "modprobe"]
    assert f'card_label="{LABEL}"' in done[-3][1]
    again = camera("install", apply=True, root=root, runner=pytest.fail)
    assert list(again) == [f'"{LABEL}" is there already: /dev/video9.']


def test_a_step_that_fails_is_told_and_ends_it(root):
    said = "modprobe: ERROR: could not insert 'v4l2loopback': Key was rejected by service\n"
    outcomes = {"modprobe": (1, said)}
    with pytest.raises(DeviceError, match=r"Key was rejected.*run again.*--apply"):
        list(
            camera(
                "install",
                apply=True,
                root=root,
                runner=lambda c, _text: outcomes.get(c[0], (0, "")),
            )
        )


def test_a_driver_that_makes_no_camera_is_told(root):
    with pytest.raises(DeviceError, match="no camera labelled"):
        list(camera("install", apply=True, root=root, runner=lambda *_: (0, "")))


def test_taking_away_what_is_not_there_is_no_fault(root):
    (line,) = camera("remove", apply=True, root=root, runner=pytest.fail)
    assert "nothing" in line


def test_elsewhere_apply_is_refused_and_the_steps_are_words(root, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert any("OBS" in line for line in camera("install", apply=False, root=root))
    with pytest.raises(ConfigError, match="by hand"):
        list(camera("install", apply=True, root=root))


def test_devices_lists_cameras_and_ours_apart(root, monkeypatch):
    sysfs = root / "sys/class/video4linux"
    monkeypatch.setattr(listing, "cameras", list)
    assert devices(sysfs).count("none: ") == 2
    label(root)
    found = [Camera(0, "Integrated Camera", "/dev/video0"), Camera(9, LABEL, "/dev/video9")]
    monkeypatch.setattr(listing, "cameras", lambda: found)
    above, below = devices(sysfs).split("\n\n")
    assert "0  Integrated Camera  /dev/video0" in above
    assert LABEL not in above
    assert f"/dev/video9  {LABEL}" in below
