"""Makes docs/window.png: the window around the demo portrait, off screen.

QT_QPA_PLATFORM=offscreen python docs/window_picture.py docs/window.png [--language de]
"""

import argparse
import tempfile
from pathlib import Path

from PyQt5.QtCore import QTimer
from PyQt5.QtWidgets import QApplication

from facecloak.session.session import Session
from facecloak.settings import Settings
from facecloak.sink.display import require_display
from facecloak.ui.application import Interface
from facecloak.ui.picture import Look
from facecloak.ui.words import translator

SECONDS = 25.0


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
    with tempfile.TemporaryDirectory() as folder, Session(chosen) as session:
        interface = Interface(
            application,
            session,
            chosen,
            file=Path(folder) / "settings.toml",
            perturbations=("default",),
            cameras=lambda: [("Integrated Camera", "0")],
        )
        interface.start()

        # What is added, not the portrait: this repository holds no picture of anybody.
        interface.window.picture.look = Look.DIFFERENCE

        def shoot() -> None:
            interface.window.grab().save(str(asked.out))
            application.quit()

        QTimer.singleShot(int(1000 * SECONDS), shoot)
        application.exec_()
        interface.finish()


if __name__ == "__main__":
    main()
