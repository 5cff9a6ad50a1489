"""What ``facecloak doctor`` says of the virtual camera, of who uses it, and of the camera."""

import platform

import pytest

from facecloak.capture.listing import Camera
from facecloak.commands import checks
from facecloak.commands.checks import Machine
from facecloak.core.errors import SourceUnavailable
from facecloak.settings import Settings
from facecloak.sink.loopback import LABEL
from tests.fakes.linux_machine import (
    WEBCAM,
    camera_that,
    has_driver,
    has_label,
    has_open,
    listed,
    only,
    write,
)

# The virtual camera.


def test_a_driver_that_is_not_loaded_is_no_fault_where_nothing_needs_it(root):
    write(root, "etc/os-release", "ID=debian\n")
    for sink, state in (("virtual", "fault"), ("/dev/video9", "fault"), ("preview", "warning")):
        check = only(checks.driver(Machine(settings=Settings(sink=sink), root=root)))
        assert (check.state, check.remedy) == (state, "Run: facecloak camera install --apply")


def test_secure_boot_is_part_of_the_remedy(root):
    write(root, "etc/os-release", "ID=debian\n")
    boot = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    write(root, boot, "\6\0\0\0\1")
    check = only(checks.driver(Machine(settings=Settings(), root=root)))
    assert "Enroll MOK" in check.remedy


def test_the_version_of_the_driver_is_told(root):
    has_driver(root)
    seen = only(checks.driver(Machine(settings=Settings(), root=root))).seen
    assert seen == "The driver v4l2loopback 0.12.7 is loaded."


def test_the_label_must_be_exactly_ours(root):
    machine = Machine(settings=Settings(), root=root)
    assert only(checks.label(machine)).seen == "Not checked: the driver is not loaded."
    has_driver(root)
    has_label(root, "FaceCloak camera")
    check = only(checks.label(machine))
    assert (check.state, check.exit_code) == ("fault", 3)
    assert "there is FaceCloak camera" in check.seen
    assert "facecloak camera install --apply" in check.remedy
    has_label(root)
    assert only(checks.label(machine)).seen == f'"{LABEL}" is /dev/video9.'


def test_a_device_that_the_settings_name_may_be_called_otherwise(root):
    has_label(root, "OBS Cam")
    check = only(checks.label(Machine(settings=Settings(sink="/dev/video9"), root=root)))
    assert check.state == "warning"
    assert 'Pick "OBS Cam"' in check.remedy
    check = only(checks.label(Machine(settings=Settings(sink="/dev/video8"), root=root)))
    assert check.state == "fault"
    assert "There is no /dev/video8" in check.seen


@pytest.mark.parametrize(("option", "state"), [("Y,N", "ok"), ("N,N", "fault"), ("0", "fault")])
def test_caps_are_read_from_sysfs_where_the_device_cannot_be_asked(root, option, state):
    has_driver(root, option)
    has_label(root)
    check = only(checks.caps(Machine(settings=Settings(), root=root)))
    assert check.state == state
    assert state == "ok" or "/etc/modprobe.d" in check.remedy
    write(root, "etc/modprobe.d/zz-facecloak.conf", "")  # it was us
    check = only(checks.caps(Machine(settings=Settings(), root=root)))
    assert state == "ok" or check.remedy.startswith("Run: facecloak camera remove --apply")


def test_the_device_itself_is_believed_more_than_sysfs(root, monkeypatch):
    has_driver(root, "Y")
    has_label(root)
    machine = Machine(settings=Settings(), root=root)
    for exclusive, state in ((True, "ok"), (False, "fault")):
        monkeypatch.setattr(checks.loopback, "exclusive", lambda _device, told=exclusive: told)
        assert only(checks.caps(machine)).state == state

    def forbidden(_device):
        raise PermissionError

    monkeypatch.setattr(checks.loopback, "exclusive", forbidden)
    assert "usermod -aG video" in only(checks.caps(machine)).remedy


@pytest.mark.skipif(platform.system() != "Linux", reason="speaks of /proc")
def test_who_reads_is_named_and_that_not_all_are_seen(root):
    machine = Machine(settings=Settings(), root=root)
    assert only(checks.readers(machine)).state == "warning"
    has_label(root)
    assert "by nobody; programs of other users" in only(checks.readers(machine)).seen
    has_open(root, 71, "zoom", "/dev/video9")
    has_open(root, 72, "firefox", "/dev/video9")
    seen = only(checks.readers(machine)).seen
    assert "zoom (71)" in seen
    assert "firefox (72)" in seen


@pytest.mark.parametrize("system", ["Windows", "Darwin"])
def test_elsewhere_the_listing_tells_of_the_virtual_camera(root, monkeypatch, system):
    monkeypatch.setattr(platform, "system", lambda: system)
    machine = Machine(settings=Settings(), root=root)
    listed(monkeypatch)
    missing = only(checks.driver(machine))
    assert missing.state == "fault"
    assert "OBS" in missing.remedy
    assert only(checks.label(machine)).state == "warning"
    listed(monkeypatch, WEBCAM, Camera(1, "OBS Virtual Camera", ""))
    assert only(checks.driver(machine)).state == "ok"
    assert 'Pick "OBS Virtual Camera"' in only(checks.label(machine)).remedy
    listed(monkeypatch, Camera(1, "OBS Virtual Camera", ""), Camera(2, LABEL, ""))
    assert only(checks.label(machine)).state == "ok"
    assert only(checks.caps(machine)).state == only(checks.readers(machine)).state == "ok"


# The camera.


def test_a_camera_that_gives_pictures_is_told_with_their_size(root, monkeypatch):
    listed(monkeypatch, WEBCAM, Camera(9, LABEL, "/dev/video9"))
    camera_that(monkeypatch, gives=(640, 480))
    check = only(checks.camera(Machine(settings=Settings(), root=root)))
    assert check.seen == (
        "Integrated Camera gives 640x480, not the size asked for, 30 frames a second. "
        "Listed: 0 (Integrated Camera)."
    )


@pytest.mark.skipif(platform.system() != "Linux", reason="speaks of /proc")
def test_who_has_the_camera_is_named_and_we_may_be_it_ourselves(root, monkeypatch):
    listed(monkeypatch, WEBCAM)
    camera_that(monkeypatch, raises=SourceUnavailable("It is busy.", "Close what uses it."))
    machine = Machine(settings=Settings(), root=root)
    check = only(checks.camera(machine))
    assert (check.state, check.remedy) == ("fault", "Close what uses it.")
    has_open(root, 50, "facecloak", "/dev/video0")
    assert only(checks.camera(machine)).state == "warning"
    has_open(root, 51, "cheese", "/dev/video0")
    check = only(checks.camera(machine))
    assert "cheese (51)" in check.seen
    assert (check.state, check.exit_code) == ("fault", 3)


def test_without_leave_no_camera_is_opened(root, monkeypatch):
    def opened(*_, **__):
        pytest.fail("the light went on")

    monkeypatch.setattr(checks, "CameraSource", opened)
    machine = Machine(settings=Settings(), root=root, open_camera=False)
    listed(monkeypatch, WEBCAM)
    assert "not opened (--no-camera)" in only(checks.camera(machine)).seen
    listed(monkeypatch)
    check = only(checks.camera(machine))
    assert (check.state, check.seen) == ("fault", "There is no camera 0. Listed: none.")


@pytest.mark.parametrize("sending", [True, False])
def test_our_own_picture_is_no_source(root, monkeypatch, sending):
    monkeypatch.setattr(checks, "CameraSource", lambda *_, **__: pytest.fail("it was opened"))
    has_label(root)
    listed(monkeypatch, *([Camera(9, LABEL, "/dev/video9")] if sending else []))
    for source in ("9", "/dev/video9"):
        check = only(checks.camera(Machine(settings=Settings(source=source), root=root)))
        assert check.state == "fault"
        assert f"{LABEL} itself" in check.seen


def test_a_source_that_is_no_camera_must_be_there(root, monkeypatch):
    listed(monkeypatch)
    write(root, "clip.mp4", "")
    for source, state in (("demo", "ok"), (str(root / "clip.mp4"), "ok"), ("gone.mp4", "fault")):
        check = only(checks.camera(Machine(settings=Settings(source=source), root=root)))
        assert check.state == state
