"""In the guest: the app runs, calls come and go; tells when the webcam was on."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2

from facecloak.sink import loopback
from facecloak.sink.loopback import Role
from facecloak.sink.usage import Usage

CAMERA, OURS = "/dev/video0", "/dev/video10"


def is_on(app):
    fds = Path(f"/proc/{app.pid}/fd")
    return any(str(entry.readlink()) == CAMERA for entry in fds.iterdir() if entry.is_symlink())


def wait_for(app, *, on, limit_s):
    began = time.monotonic()
    while time.monotonic() < began + limit_s:
        if is_on(app) == on:
            return time.monotonic() - began
        time.sleep(0.05)  # noqa: TID251
    return None


def wait_for_slate(app):
    """Until calls can see the virtual camera: the app has written its first frame."""
    while app.poll() is None and loopback.role(Path(OURS)) is not Role.CAPTURE:
        time.sleep(0.2)  # noqa: TID251


def driver_tells():
    """Whether this version of the driver sends the event of ``sink.usage``."""
    try:
        with Usage(Path(OURS)):
            return True
    except OSError:
        return False


def main():
    log = Path("app.log")
    with log.open("w") as stderr:
        app = subprocess.Popen(
            [sys.executable, "-m", "facecloak", "run", "--width", "640", "--height", "480"],
            stderr=stderr,
        )
    wait_for_slate(app)
    told = {"before": is_on(app), "driver_tells": driver_tells()}
    for which in ("first", "second"):
        call = cv2.VideoCapture(OURS, cv2.CAP_V4L2)  # noqa: TID251
        told[f"{which}_on_s"] = wait_for(app, on=True, limit_s=10)
        taken, picture = call.read()
        told[f"{which}_pictures"] = list(picture.shape) if taken else None
        call.release()
        told[f"{which}_off_s"] = wait_for(app, on=False, limit_s=15)
    for _ in range(10):  # as programs do that only list cameras
        cv2.VideoCapture(OURS, cv2.CAP_V4L2).release()  # noqa: TID251
        time.sleep(0.2)  # noqa: TID251
    told["listing_turns_it_on"] = is_on(app)
    app.send_signal(signal.SIGINT)
    told["exit"], told["log"] = app.wait(30), log.read_text()
    print(json.dumps(told))  # noqa: T201


main()
