"""A Linux machine as ``facecloak doctor`` sees it: files below a root, cameras that are listed."""

from facecloak.capture.listing import Camera
from facecloak.commands import checks
from facecloak.sink.loopback import LABEL

WEBCAM = Camera(0, "Integrated Camera", "/dev/video0")


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def has_driver(root, exclusive="Y,N"):
    write(root, "sys/module/v4l2loopback/version", "0.12.7\n")
    write(root, "sys/module/v4l2loopback/parameters/exclusive_caps", exclusive + "\n")


def has_label(root, name=LABEL):
    write(root, "sys/class/video4linux/video9/name", name + "\n")


def has_open(root, process, program, device):
    fd = root / f"proc/{process}/fd"
    fd.mkdir(parents=True)
    (fd / "3").symlink_to(device)
    write(root, f"proc/{process}/comm", program + "\n")


def only(found):
    (check,) = found
    assert check.state != "fault" or (check.remedy and check.exit_code)
    assert check.state == "fault" or check.exit_code == 0
    return check


def listed(monkeypatch, *there):
    monkeypatch.setattr(checks, "cameras", lambda: list(there))


def camera_that(monkeypatch, *, gives=None, raises=None):
    class Fake:
        size, fps = gives, 30.0

        def __init__(self, device, **_asked):
            self.device = device

        def __enter__(self):
            if raises:
                raise raises

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(checks, "CameraSource", Fake)
