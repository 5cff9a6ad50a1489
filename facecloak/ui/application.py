"""Puts window and tray together around a session, and remembers what the user chose."""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, QTimer
from PyQt5.QtWidgets import QApplication, QMessageBox, QSystemTrayIcon

from facecloak import settings as stored
from facecloak.core.errors import FaceCloakError
from facecloak.core.perturbation import Header
from facecloak.session.session import Session
from facecloak.settings import Settings
from facecloak.ui import autostart
from facecloak.ui.presenter import present
from facecloak.ui.tray import Tray
from facecloak.ui.window import Deeds, Window
from facecloak.ui.words import say

logger = logging.getLogger(__name__)

_SEEN_MS: Final = 33
_UNSEEN_MS: Final = 500
_SAVE_MS: Final = 1000
_CAMERAS_MS: Final = 1000

Cameras = Callable[[], Sequence[tuple[str, str]]]
"""The cameras last listed, each a title and what ``Settings.source`` calls it; returns at once."""


class Interface(QObject):
    """Everything between the user and a running session.

    Args:
        application: Qt's.
        session: is running.
        chosen: the settings it runs with.
        kept: those of them that are kept; the others came from the command line or the environment,
            and are kept once they are changed here.
        file: where settings are kept.
        perturbations: see :class:`~facecloak.ui.form.Form`.
        cameras: lists the cameras, without waiting for a device.
        tray: whether to use the tray; where there is none, the window is enough.
    """

    def __init__(  # noqa: PLR0913 - the one place where all of them meet
        self,
        application: QApplication,
        session: Session,
        chosen: Settings,
        *,
        kept: Settings,
        file: Path,
        perturbations: Mapping[str, Header | None],
        cameras: Cameras,
        tray: bool = True,
    ) -> None:
        super().__init__()
        self._application = application
        self._session = session
        self._chosen = chosen
        self._kept = kept
        self._file = file
        self._cameras = cameras
        self._listed: list[tuple[str, str]] = []
        deeds = Deeds(
            change=self.change,
            switch=self._switch,
            hide=lambda hidden: session.hide(hidden=hidden),
            autostart=self._autostart,
            quit=application.quit,
        )
        has_tray = tray and QSystemTrayIcon.isSystemTrayAvailable()
        self.window = Window(
            chosen, perturbations, deeds, autostarts=autostart.enabled(), tray=has_tray
        )
        self.window.seen.connect(self._seen)
        self.tray = (
            Tray(
                deeds,
                self.open_window,
                lambda strength: self.change(self._with(strength=strength), show=True),
                lambda source: self.change(self._with(source=source), show=True),
            )
            if has_tray
            else None
        )
        self._looking = self._every(_UNSEEN_MS, self.look)
        self._saving = QTimer(self)
        self._saving.setSingleShot(True)
        self._saving.setInterval(_SAVE_MS)
        self._saving.timeout.connect(self.save)
        self._listing = self._every(_CAMERAS_MS, self._list_cameras)
        application.setQuitOnLastWindowClosed(False)

    def start(self) -> None:
        """Show what the settings ask for: the window, or the tray only where there is one."""
        self._list_cameras()
        if self.tray is not None:
            self.tray.show()
        if self.tray is None or self._chosen.start_in == "window":
            self.window.show()

    def open_window(self) -> None:
        """Show the window, in front."""
        self.window.showNormal()
        self.window.raise_()
        self.window.activateWindow()

    def hide_or_show(self) -> None:
        """Hide the user, or show him again. Any thread may call it."""
        self._session.hide(hidden=not self._session.hidden)

    def look(self) -> None:
        """Show the present moment."""
        moment = self._session.moment()
        view = present(moment, say)
        if self.window.isVisible():
            self.window.show_moment(moment, view)
        if self.tray is not None:
            self.tray.show_moment(moment, view)

    def change(self, chosen: Settings, *, show: bool = False) -> None:
        """Go on with other settings, and keep what was changed."""
        before, after = dataclasses.asdict(self._chosen), dataclasses.asdict(chosen)
        changed = {name: value for name, value in after.items() if value != before[name]}
        self._kept = dataclasses.replace(self._kept, **changed)
        self._chosen = chosen
        self._session.change(chosen)
        self._saving.start()
        if show:
            self.window.form.show_settings(chosen)

    def save(self) -> None:
        """Write the settings now; what cannot be written is told."""
        self._saving.stop()
        try:
            stored.save(self._kept, self._file)
        except FaceCloakError as exc:
            self.tell(exc)

    def finish(self) -> None:
        """Write what is not written yet, and take the window and the tray away."""
        if self._saving.isActive():
            self.save()
        for timer in (self._looking, self._listing):
            timer.stop()
        if self.tray is not None:
            self.tray.hide()
        self.window.hide()

    def tell(self, problem: FaceCloakError) -> None:
        """Say a problem and its remedy, without waiting for an answer."""
        logger.warning("%s", problem)
        box = QMessageBox(self.window)
        box.setWindowTitle("FaceCloak")
        box.setText(say(problem.what))
        box.setInformativeText(say(problem.remedy))
        box.open()

    def _with(self, **fields: object) -> Settings:
        return dataclasses.replace(self._chosen, **fields)  # type: ignore[arg-type]

    def _switch(self, on: bool) -> None:  # noqa: FBT001 - a deed
        self._session.switch(on=on)
        self.window.show_protecting(on=on)
        if self.tray is not None:
            self.tray.show_protecting(on=on)

    def _autostart(self, on: bool) -> None:  # noqa: FBT001 - a deed
        try:
            autostart.enable(on=on)
        except FaceCloakError as exc:
            self.tell(exc)
        self.window.autostart.setChecked(autostart.enabled())

    def _seen(self, seen: bool) -> None:  # noqa: FBT001 - Qt's signal
        self._session.recorder.visible = seen
        self._looking.setInterval(_SEEN_MS if seen else _UNSEEN_MS)

    def _list_cameras(self) -> None:
        listed = list(self._cameras())
        if listed != self._listed:
            self._listed = listed
            self.window.form.show_cameras(listed)
            if self.tray is not None:
                self.tray.show_cameras(listed)

    def _every(self, milliseconds: int, deed: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(deed)
        timer.start(milliseconds)
        return timer
