"""In the guest: a face before a webcam, the app runs, and Chromium shows the virtual camera.

    python scenario_chromium.py FILM.npy COUNT LIMIT_S [CODEC]

With CODEC it sends the camera over a connection to itself. Saves the pictures that it showed as
``NUMBER.png`` and tells what the page said.
"""

import json
import signal
import sys
from pathlib import Path

import numpy as np

from facecloak.sink.loopback import LABEL
from tests.hardware import browser, portrait
from tests.hardware.scenario_faces import play, protect


def main():
    film, count, limit_s, *codec = sys.argv[1:]
    writer = play(film)
    writer.send_signal(signal.SIGUSR1)
    app = protect()
    size = "{}x{}".format(*portrait.size(np.load(film, mmap_mode="r")[0]))
    query = {"label": LABEL, "size": size, "count": count}
    query |= {"codec": codec[0]} if codec else {}
    visited = browser.visit(*browser.FEW_PROCESSES, limit_s=float(limit_s), **query)
    for number, png in enumerate(visited.pngs):
        Path(f"{number}.png").write_bytes(png)
    for process in (app, writer):
        process.send_signal(signal.SIGTERM)
    told = {"page": visited.told, "exit": app.wait(60), "app": Path("app.log").read_text()}
    if not visited.told:
        told["chromium"] = visited.log[-3000:]
    writer.communicate(timeout=60)
    print(json.dumps(told))  # noqa: T201


main()
