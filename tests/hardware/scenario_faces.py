"""In the guest: a face comes before a webcam, the app runs, and a program reads the virtual camera.

    python scenario_faces.py FILM.npy COUNT

Waits for COUNT pictures with a face. Saves every picture that is neither a slate nor a repetition
to ``received.npy``, in the order in which they came, and tells what else there was to see. They are
judged outside of the guest.
"""

import json
import shutil
import signal
import subprocess
import sys
import time
from itertools import groupby
from pathlib import Path

import av
import cv2
import numpy as np

from facecloak.sink import loopback
from facecloak.sink.loopback import Role
from tests.hardware import timecode
from tests.hardware.judging import is_slate

WEBCAM, OURS = Path("/dev/video9"), Path("/dev/video10")
AT_MOST_S = 60.0
"""For how long pictures with a face are waited for."""
GONE_S = 20.0
"""How long the slate is waited for once the webcam is gone."""


class Reader:
    """Reads the virtual camera with OpenCV and notes what each picture is."""

    def __init__(self) -> None:
        self._call = cv2.VideoCapture(str(OURS), cv2.CAP_V4L2)  # noqa: TID251
        self.kinds: list[str] = []
        self.pictures: list[np.ndarray] = []
        self.latencies_ms: list[int] = []
        self.first_s = self.last_s = 0.0

    def announced(self):
        """Size, rate and layout as the driver says."""
        width, height, fps, layout = (
            int(self._call.get(which))
            for which in (
                cv2.CAP_PROP_FRAME_WIDTH,
                cv2.CAP_PROP_FRAME_HEIGHT,
                cv2.CAP_PROP_FPS,
                cv2.CAP_PROP_FOURCC,
            )
        )
        layout = layout.to_bytes(4, "little").decode()
        return {"size": [width, height], "fps": fps, "layout": layout}

    def look(self):
        """Take one picture and return what it is."""
        taken, picture = self._call.read()
        now_s = time.monotonic()
        if not taken:
            kind = "nothing"
        elif is_slate(picture):
            kind = "slate"
        elif self.pictures and np.array_equal(picture, self.pictures[-1]):
            kind = "same"
        else:
            kind = "face"
            self.pictures.append(picture)
            self.first_s, self.last_s = self.first_s or now_s, now_s
            code = timecode.read(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
            if code is not None:
                now = timecode.now_ms(now_s)
                self.latencies_ms.append(timecode.elapsed_ms(code.at_ms, now))
        self.kinds.append(kind)
        return kind

    def look_until(self, kind, *, limit_s):
        """Go on until one is of that kind; tells after how many seconds."""
        began_s = time.monotonic()
        while self.look() != kind and time.monotonic() < began_s + limit_s:
            pass
        return round(time.monotonic() - began_s, 2)

    def story(self):
        """The kinds in their order, as ``[kind, how many]``."""
        return [[kind, len(list(run))] for kind, run in groupby(self.kinds)]


def started(log, *arguments):
    return subprocess.Popen(
        [sys.executable, *arguments], stderr=log.open("w"), stdout=subprocess.PIPE
    )


def wait_for_picture(process, device):
    """Until others can see the loopback device: the process has written to it."""
    while process.poll() is None and loopback.role(device) is not Role.CAPTURE:
        time.sleep(0.1)  # noqa: TID251


def told_by(*command):
    """What a program says, None where it is not installed."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def seen_by_ffmpeg():
    """What ffmpeg's own reader of such devices announces, and a picture that it decoded."""
    with av.open(str(OURS), format="v4l2") as opened:
        stream = opened.streams.video[0]
        picture = next(opened.decode(stream))
        told = {
            "size": [stream.width, stream.height],
            "fps": float(stream.average_rate or 0),
            "layout": picture.format.name,
        }
        return told, picture.to_ndarray(format="bgr24")


def play(film):
    writer = started(Path("writer.log"), str(Path(__file__).with_name("writer.py")), WEBCAM, film)
    wait_for_picture(writer, WEBCAM)
    return writer


def protect(*options):
    app = started(
        Path("app.log"),
        *("-m", "facecloak", "run", "--source", str(WEBCAM), "--sink", "virtual"),
        *("--camera-on", "always", "--strength", "2", "--tailor", "off", *options),
    )
    wait_for_picture(app, OURS)
    return app


def main():
    film, enough = sys.argv[1:]
    writer = play(film)
    app = protect()
    reader = Reader()
    while app.poll() is None and reader.kinds.count("slate") < 10:
        reader.look()
    with_nobody, reader.kinds = reader.story(), []
    writer.send_signal(signal.SIGUSR1)
    told = {"name": (Path("/sys/class/video4linux") / OURS.name / "name").read_text().strip()}
    told |= reader.announced() | {"with_nobody": with_nobody}
    end_s = time.monotonic() + AT_MOST_S
    while len(reader.pictures) < int(enough) and time.monotonic() < end_s:
        reader.look()
    told["with_a_face"] = reader.story()
    count, took_s = len(reader.pictures), reader.last_s - reader.first_s
    told["received_fps"] = round((count - 1) / took_s, 1) if count > 1 else None
    told["latencies_ms"] = list(reader.latencies_ms)
    told["v4l2_ctl"] = told_by("v4l2-ctl", "-d", str(OURS), "--get-fmt-video", "--get-parm")
    told["ffmpeg"], picture = seen_by_ffmpeg()
    reader.pictures.append(picture)
    writer.send_signal(signal.SIGTERM)
    told["writer"] = json.loads(writer.communicate(timeout=30)[0])
    reader.kinds = []
    told["slate_after_s"] = reader.look_until("slate", limit_s=GONE_S)
    for _ in range(20):
        reader.look()
    told["without_webcam"] = reader.story()
    app.send_signal(signal.SIGINT)
    told["exit"], told["log"] = app.wait(60), Path("app.log").read_text()
    np.save("received.npy", np.array(reader.pictures))
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
