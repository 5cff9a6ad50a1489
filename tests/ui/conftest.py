"""A session that a test scripts, and the real window and tray around it."""

import dataclasses
import os
from types import SimpleNamespace

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PyQt5.QtWidgets import QApplication, QSystemTrayIcon

from facecloak.core.perturbation import Header
from facecloak.core.types import Reading
from facecloak.session.moment import Meter, Moment, Status
from facecloak.settings import Settings
from facecloak.sink.display import require_display
from facecloak.ui.application import Interface


class FakeSession:
    """Remembers what it was told; ``now`` is what there is to see."""

    def __init__(self):
        clean, sent = (np.full((90, 160, 3), grey, np.uint8) for grey in (100, 103))
        reading = Meter("VGG19", 10, 9, Reading("happy", 0.9), Reading("sad", 0.6))
        self.now = Moment(
            status=Status.PROTECTED, faces=1, clean=clean, sent=sent, meters=(reading,), fps=30.0
        )
        self.recorder = SimpleNamespace(visible=False)
        self.settings, self.on, self.hidden = [], True, False

    def moment(self):
        return dataclasses.replace(self.now, hidden=self.hidden)

    def change(self, settings):
        self.settings.append(settings)

    def switch(self, *, on):
        self.on = on

    def hide(self, *, hidden):
        self.hidden = hidden


@pytest.fixture(scope="session")
def application():
    require_display()
    return QApplication.instance() or QApplication(["facecloak"])


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture
def session():
    return FakeSession()


@pytest.fixture
def opened(application, session, tmp_path, monkeypatch):
    """Opens interfaces; each is finished when the test ends."""
    made = []

    header = Header(eps=5.0, shift=0.01, strain=0.2, method="", seed=0, datasets=(), victims=())

    def open_one(settings=None, *, tray=False, cameras=(("Webcam", "0"),), kept=None):
        monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: tray))
        interface = Interface(
            application,
            session,
            settings or Settings(),
            kept=kept or settings or Settings(),
            file=tmp_path / "settings.toml",
            perturbations={"default": header, "other": None},
            cameras=lambda: cameras,
        )
        made.append(interface)
        interface.start()
        application.processEvents()
        return interface

    yield open_one
    for interface in made:
        interface.finish()
