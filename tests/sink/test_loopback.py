import platform
import struct
from pathlib import Path

import pytest

from facecloak.sink import loopback
from facecloak.sink.loopback import LABEL, Role


def test_the_device_is_found_by_its_label_never_as_the_first(tmp_path):
    for node, label in (("video0", "Integrated Camera"), ("video9", LABEL)):
        (tmp_path / node).mkdir()
        (tmp_path / node / "name").write_text(f"{label}\n")
    assert loopback.find_device(tmp_path) == Path("/dev/video9")
    (tmp_path / "video9" / "name").write_text("OBS Virtual Camera\n")
    assert loopback.find_device(tmp_path) is None
    assert loopback.find_device(tmp_path / "none") is None


def test_a_device_that_goes_while_they_are_looked_through_is_passed_over(tmp_path):
    (tmp_path / "video0" / "name").mkdir(parents=True)  # cannot be read
    (tmp_path / "video9").mkdir()
    (tmp_path / "video9" / "name").write_text(LABEL)
    assert loopback.find_device(tmp_path) == Path("/dev/video9")


@pytest.mark.parametrize(
    ("caps", "role"),
    [
        (0x05200002, Role.OUTPUT),
        (0x05200001, Role.CAPTURE),
        (0x05200003, Role.OUTPUT),  # exclusive_caps=0
        (0x05200000, Role.NEITHER),
    ],
)
def test_the_role_is_read_from_what_the_device_offers_now(monkeypatch, caps, role):
    def driver(_device, request, argument):
        assert (request, len(argument)) == (0x80685600, 104)
        whole = 0x85200003  # what the driver could ever do, which says nothing
        return struct.pack("16s32s32sIII12x", b"v4l2 loopback", LABEL.encode(), b"", 1, whole, caps)

    monkeypatch.setattr(loopback, "_ioctl", driver)
    assert loopback.role(Path("/dev/video9")) is role
    assert loopback.exclusive(Path("/dev/video9")) == (caps != 0x05200003)


@pytest.mark.skipif(platform.system() != "Linux", reason="speaks of ioctl")
def test_what_is_no_video_device_is_an_os_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for name in ("file", "none"):
        with pytest.raises(OSError, match=r"ioctl|No such file"):
            loopback.role(tmp_path / name)
        with pytest.raises(OSError, match=r"ioctl|No such file"):
            loopback.revive(tmp_path / name)
