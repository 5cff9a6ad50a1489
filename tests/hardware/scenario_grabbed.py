"""In the guest: another program has the webcam, at the start and after a suspend; tells of it.

A suspended webcam is, for who reads it, one that sends nothing, goes, and comes back: it is unbound
from its driver and bound again, and the other program takes it first.
"""

import json
import subprocess
import sys

from facecloak.capture import open_source
from tests.hardware.scenario_replug import DRIVER, frames_within, wait_until

HOLDER = """
import sys, time, cv2
while True:
    camera = cv2.VideoCapture("/dev/video0", cv2.CAP_V4L2)
    if camera.read()[0]:
        break
    camera.release()
    time.sleep(0.05)
print("holds", flush=True)
while camera.read()[0]:
    pass
"""


def holder():
    """Another program, which takes the webcam as soon as it can."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def freed(other, source):
    """Seconds from the end of the other program to the first frame."""
    other.kill()
    other.wait()
    return wait_until(source, framed=True, limit=20)


def main():
    other = holder()
    other.stdout.readline()
    with open_source("0", size=(1280, 720), patient=True) as source:
        told = {"held_frames": frames_within(source, 3), "held": source.problem.what}
        told["free_s"] = freed(other, source)
        told["size"], told["free_frames"] = source.size, frames_within(source, 2)

        (DRIVER / "unbind").write_text("vivid.0")
        told["noticed_s"] = wait_until(source, framed=False, limit=6)
        frames_within(source, 4)  # the pauses between two tries grow
        other = holder()
        (DRIVER / "bind").write_text("vivid.0")
        other.stdout.readline()
        told["taken_frames"] = frames_within(source, 3)
        told["taken"] = source.problem is not None
        told["back_s"] = freed(other, source)
        told["back_frames"] = frames_within(source, 2)
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
