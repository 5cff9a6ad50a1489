"""In the guest: starts, stops, kills and restarts the virtual camera; prints what a call sees."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np

from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink import loopback
from facecloak.sink.virtualcam import VirtualCameraSink

SIZE, COLOUR = (640, 480), (40, 90, 200)
DEVICE = loopback.find_device(Path("/sys/class/video4linux"))


def frame(index=0):
    return Frame(np.full((SIZE[1], SIZE[0], 3), COLOUR, np.uint8), 0.0, index)


def a_call_sees(sink):
    """Keep writing as the app does and capture with OpenCV as another program would."""
    over = threading.Event()

    def write():
        while not over.wait(1 / 30):
            sink.write(frame())

    sink.write(frame())
    writer = threading.Thread(target=write)
    writer.start()
    call = cv2.VideoCapture(str(DEVICE), cv2.CAP_V4L2)  # noqa: TID251
    taken, picture = call.read()
    seen = {
        "role": loopback.role(DEVICE).name,
        "size": [call.get(cv2.CAP_PROP_FRAME_WIDTH), call.get(cv2.CAP_PROP_FRAME_HEIGHT)],
        "fps": call.get(cv2.CAP_PROP_FPS),
        "off_by": int(np.abs(picture.astype(int) - COLOUR).max()) if taken else None,
    }
    call.release()
    over.set()
    writer.join()
    return seen


def main():
    told = {"device": str(DEVICE), "free": loopback.role(DEVICE).name}
    if "--hold" in sys.argv:
        with VirtualCameraSink(fps=30, size=SIZE) as sink:
            sink.write(frame())
            print("holding", flush=True)  # noqa: T201
            sys.stdin.read()
        return
    with VirtualCameraSink(fps=30, size=SIZE) as sink:
        told["first"] = a_call_sees(sink)
    told["after_stop"] = loopback.role(DEVICE).name
    with VirtualCameraSink(fps=30, size=SIZE) as sink:
        told["second"] = a_call_sees(sink)
    holder = subprocess.Popen(
        [sys.executable, __file__, "--hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    holder.stdout.readline()
    try:
        with VirtualCameraSink(fps=30, size=SIZE):
            told["beside_another"] = "opened"
    except SinkUnavailable as exc:
        told["beside_another"] = str(exc)
    holder.kill()
    holder.wait()
    told["after_kill"] = loopback.role(DEVICE).name
    with VirtualCameraSink(fps=30, size=SIZE) as sink:
        told["third"] = a_call_sees(sink)
    print(json.dumps(told))  # noqa: T201


main()
