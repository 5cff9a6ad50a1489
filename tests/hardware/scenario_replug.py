"""In the guest: a webcam is unplugged while it is read and plugged in again; tells of it."""

import json
import time
from pathlib import Path

from facecloak.capture import open_source
from facecloak.capture.camera import SILENCE_S

DRIVER = Path("/sys/bus/platform/drivers/vivid")


def frames_within(source, seconds):
    """How many frames come."""
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        count += source.read(0.1) is not None
    return count


def wait_until(source, *, framed, limit):
    """Seconds until a read gives a frame, or gives none for half a second."""
    began = last = time.monotonic()
    while (now := time.monotonic()) < began + limit:
        frame = source.read(0.1)
        if frame is not None:
            last = now
        if (frame is not None) == framed and (framed or now - last > 0.5):
            return now - began
    return None


def main():
    with open_source("0", size=(640, 480)) as source:
        told = {"size": source.size, "start_s": wait_until(source, framed=True, limit=10)}
        told["before"] = frames_within(source, 2)
        for round_ in ("first", "second"):
            (DRIVER / "unbind").write_text("vivid.0")
            told[f"{round_}_noticed_s"] = wait_until(source, framed=False, limit=SILENCE_S + 3)
            (DRIVER / "bind").write_text("vivid.0")
            told[f"{round_}_back_s"] = wait_until(source, framed=True, limit=20)
            told[f"{round_}_after"] = frames_within(source, 2)
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
