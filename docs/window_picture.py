"""Makes docs/window.png: the window around the demo portrait, off screen.

QT_QPA_PLATFORM=offscreen python docs/window_picture.py docs/window.png [--language de]

It shows what is added to the moved face. The difference from the face as captured, which the window
itself shows, would show outlines of the face: this repository holds no picture of anybody.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from facecloak.core import artifacts, bank
from facecloak.core.perturbation import MAX_EPS
from facecloak.core.stats import StageTimes
from facecloak.core.types import Frame, Image, Output
from facecloak.pipeline.protector import Protected
from facecloak.session.recorder import Recorder
from facecloak.session.session import Session
from facecloak.settings import Settings
from facecloak.sink.display import require_display
from facecloak.ui.application import Interface
from facecloak.ui.picture import Look
from facecloak.ui.words import translator

SECONDS = 25.0
EVERY_S = 1.0
"""How often there is a new picture, in seconds: what is made here only takes time, too."""


class Added(Recorder):
    """Hands out the moved face in place of the captured one, so that they differ by what is added.

    A pair that differs by more than any pattern may add is not shown: the cloak was just replaced.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pair: dict[str, Image | None] = {"clean": None, "sent": None}
        self._next_s = 0.0

    def see(self, clean: Frame | None, protected: Protected, times: StageTimes) -> None:
        """As of any recorder."""
        super().see(clean, protected, times)
        if clean is None or protected.output is not Output.CLOAKED:
            return
        if clean.captured_s >= self._next_s:
            self._next_s = clean.captured_s + EVERY_S
            moved = self.displaced(clean, protected.faces.found).image
            sent = protected.frame.image
            if np.abs(sent.astype(np.int16) - moved).max() <= MAX_EPS:
                self._pair = {"clean": moved, "sent": sent}

    def seen(self) -> dict[str, Any]:
        """As of any recorder, with that pair."""
        return super().seen() | self._pair


def main() -> None:
    """Let a session run for a while, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--language", default="en")
    asked = parser.parse_args()
    require_display()
    application = QApplication(["facecloak"])
    words = translator(asked.language)
    if words is not None:
        application.installTranslator(words)
    chosen = Settings(source="demo", sink="null")
    session = Session(chosen)
    session.recorder = Added()
    with tempfile.TemporaryDirectory() as folder, session:
        interface = Interface(
            application,
            session,
            chosen,
            kept=chosen,
            file=Path(folder) / "settings.toml",
            perturbations={"default": bank.load(artifacts.perturbation("default")).header},
            cameras=lambda: [("Integrated Camera", "0")],
        )
        interface.start()
        interface.window.picture.look = Look.DIFFERENCE

        def shoot() -> None:
            interface.window.grab().save(str(asked.out))
            application.quit()

        QTimer.singleShot(int(1000 * SECONDS), shoot)
        application.exec_()
        interface.finish()


if __name__ == "__main__":
    main()
