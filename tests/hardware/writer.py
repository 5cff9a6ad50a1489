"""Plays a saved film into a loopback device as a webcam would, each picture stamped as it is sent.

    python writer.py DEVICE FILM.npy

Nobody is in front of it until SIGUSR1 comes: the pictures are grey. Late ones are left out. It
tells on SIGTERM how many were sent and in how many seconds.
"""

import json
import signal
import sys
import threading
import time

import numpy as np
import pyvirtualcam

from tests.hardware import timecode
from tests.hardware.portrait import FPS, NOBODY, size, stamp


def main():
    device, film = sys.argv[1], np.load(sys.argv[2])
    stop, somebody = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGUSR1, lambda *_: somebody.set())
    nobody = np.full_like(film[0], 128)
    layout = pyvirtualcam.PixelFormat.I420
    sent, due = 0, 0
    with pyvirtualcam.Camera(*size(nobody), FPS, fmt=layout, device=device) as camera:
        began_s = time.monotonic()
        while not stop.wait(max(0.0, began_s + due / FPS - time.monotonic())):
            due = max(due, int((time.monotonic() - began_s) * FPS))
            index = due % len(film) if somebody.is_set() else NOBODY
            picture = nobody if index == NOBODY else film[index].copy()
            stamp(picture, timecode.Code(index, timecode.now_ms(time.monotonic())))
            camera.send(picture)
            sent, due = sent + 1, due + 1
    print(json.dumps({"sent": sent, "seconds": time.monotonic() - began_s}))  # noqa: T201


main()
