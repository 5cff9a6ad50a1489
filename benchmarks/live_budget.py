"""What a call costs with the window open: each stage, as a ratio to MediaPipe's face mesh alone.

    QT_QPA_PLATFORM=offscreen python benchmarks/live_budget.py [--seconds 20] [--beside N]
        [--json FILE]

A session runs as `facecloak` starts it, with its judges, its preview and its window, on the demo
portrait that comes as motion JPEG at 30 frames a second. The mesh of one face alone gets the same
pictures at the same pace before and after, so that the noise of the machine falls on both. With
``--beside`` so many other programs want a core each all the while, as a video call does.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from facecloak import app, endpoints
from facecloak.core.ports import Source
from facecloak.face.mediapipe_finder import MeshModel
from facecloak.session.session import Session
from facecloak.settings import Settings
from facecloak.sink.display import require_display
from facecloak.ui.application import Interface

FPS = 30.0
MESH_S = 5.0
WARM_S = 5.0
"""How long the session runs before it is measured: models load, the first verdict comes."""


def mesh_alone(settings: Settings) -> list[float]:
    """Time the mesh on the pictures, each when it is due; in seconds, without the first half."""
    taken: list[float] = []
    with endpoints.rehearsal(settings, MESH_S) as source, MeshModel(faces=1, video=True) as mesh:
        for _ in range(round(MESH_S * FPS)):
            frame = source.read(1.0)
            if frame is None:
                continue
            rgb = np.ascontiguousarray(frame.image[:, :, ::-1])
            began_s = time.perf_counter()
            mesh.landmarks(rgb)
            taken.append(time.perf_counter() - began_s)
    return taken[len(taken) // 2 :]


@contextmanager
def beside(programs: int) -> Iterator[None]:
    """So many other programs that each want a core."""
    with ExitStack() as stack:
        for _ in range(programs):
            busy = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(busy.kill)
        yield


class Window:
    """A session with its window, for a while.

    Attributes:
        stages: what each stage took, in seconds, by name.
        cores: seconds of work in a second of time, of the whole program.
        seconds: how long was measured.
    """

    def __init__(self, settings: Settings, seconds: float) -> None:
        self.stages: dict[str, list[float]] = {}
        self.cores = self.seconds = 0.0
        self._settings = settings
        self._lasts_s = seconds
        self._made: list[app.Protection] = []
        self._before: dict[str, int] = {}
        self._began_s = self._busy_s = 0.0

    def run(self) -> None:
        """Open the window, measure, close it."""
        require_display()
        application = QApplication(["facecloak"])
        protection = app.protection

        def remembered(chosen: Settings, *, live: bool) -> app.Protection:
            self._made.append(protection(chosen, live=live))
            return self._made[-1]

        def rehearsed(_chosen: Settings, **_how: object) -> Source:
            return endpoints.rehearsal(self._settings, WARM_S + self._lasts_s + 60.0)

        with (
            patch.object(app, "protection", remembered),
            patch.object(endpoints, "source", rehearsed),
            tempfile.TemporaryDirectory() as folder,
            Session(self._settings) as session,
        ):
            interface = Interface(
                application,
                session,
                self._settings,
                kept=self._settings,
                file=Path(folder) / "settings.toml",
                perturbations={"default": None},
                cameras=list,
            )
            interface.start()
            QTimer.singleShot(round(1000 * WARM_S), self._begin)
            QTimer.singleShot(round(1000 * (WARM_S + self._lasts_s)), self._end)
            QTimer.singleShot(round(1000 * (WARM_S + self._lasts_s)), application.quit)
            application.exec_()
            interface.finish()

    def _counts(self) -> dict[str, int]:
        stages = self._made[-1].protector.times.summary()
        return {name: int(stage["count"]) for name, stage in stages.items()}

    def _begin(self) -> None:
        self._before = self._counts()
        self._began_s, self._busy_s = time.perf_counter(), time.process_time()

    def _end(self) -> None:
        self.seconds = time.perf_counter() - self._began_s
        self.cores = (time.process_time() - self._busy_s) / self.seconds
        times = self._made[-1].protector.times
        for name, count in self._counts().items():
            self.stages[name] = times.recent(name, count - self._before.get(name, 0))


def main() -> None:
    """Print one row for each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--beside", type=int, default=0, help="other programs that want a core")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    settings = Settings(source="demo", sink="null", width=asked.width, height=asked.height)
    window = Window(settings, asked.seconds)
    with beside(asked.beside):
        alone = mesh_alone(settings)
        window.run()
        alone += mesh_alone(settings)
    stages = {"mesh alone": alone} | window.stages
    reference_ms = 1000 * float(np.median(alone))
    rows = {}
    for name, seconds in stages.items():
        p50, p95, p99 = (1000 * float(q) for q in np.percentile(seconds, (50, 95, 99)))
        rows[name] = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "count": len(seconds)}
        rows[name]["p50_per_mesh"] = p50 / reference_ms
    shown = len(window.stages["added"])
    told = {
        "size": [asked.width, asked.height],
        "beside": asked.beside,
        "seconds": window.seconds,
        "frames_per_second": shown / window.seconds,
        "missing_frames": max(0, round(window.seconds * FPS) - shown),
        "cores": window.cores,
        "stages": rows,
    }
    print(
        f"{asked.width}x{asked.height}, {told['frames_per_second']:.1f} of {FPS:.0f} frames a "
        f"second, {told['missing_frames']} missing, {window.cores:.2f} cores, window included\n\n"
        "| stage | p50 ms | p95 ms | p99 ms | p50 / mesh alone |\n|---|---|---|---|---|"
    )
    for name, row in rows.items():
        print(
            f"| {name} | {row['p50_ms']:.2f} | {row['p95_ms']:.2f} | {row['p99_ms']:.2f} "
            f"| {row['p50_per_mesh']:.2f} |"
        )
    if asked.json is not None:
        asked.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
