"""The tray: a colour that tells the status, and a menu for what is wanted most often."""

import functools
from collections.abc import Callable
from typing import Final

from PyQt5.QtWidgets import QAction, QMenu, QSystemTrayIcon

from facecloak.session.moment import Moment, Status
from facecloak.ui.icons import icon
from facecloak.ui.presenter import View
from facecloak.ui.window import Deeds, confirmed_off
from facecloak.ui.words import say

STRENGTHS: Final = (0.5, 1.0, 1.5, 2.0)


class Tray(QSystemTrayIcon):
    """Tells the status, and once each what the problems are.

    Args:
        deeds: what the user can do.
        open_window: shows the window.
        set_strength: goes on with another strength.
        set_camera: goes on with another camera, by what ``Settings.source`` calls it.
    """

    def __init__(
        self,
        deeds: Deeds,
        open_window: Callable[[], None],
        set_strength: Callable[[float], None],
        set_camera: Callable[[str], None],
    ) -> None:
        super().__init__(icon(Status.WAITING))
        self._deeds = deeds
        self._set_camera = set_camera
        self._status = Status.WAITING
        self._told = ""
        self.menu = QMenu()
        self.menu.addAction(say("Open &window"), open_window)
        self.protect = self._checkable(say("&Protect my face"))
        self.protect.setChecked(True)
        self.protect.triggered.connect(self._protect_clicked)
        self.hide_me = self._checkable(say("&Hide me"))
        self.hide_me.triggered.connect(deeds.hide)
        self.strengths, self.cameras = QMenu(say("&Strength")), QMenu(say("&Camera"))
        self.menu.addMenu(self.strengths)
        self.menu.addMenu(self.cameras)
        for strength in STRENGTHS:
            self.strengths.addAction(f"{strength:g}", functools.partial(set_strength, strength))
        self.menu.addSeparator()
        self.menu.addAction(say("&Quit"), deeds.quit)
        self.setContextMenu(self.menu)
        self._open_window = open_window
        self.activated.connect(self._clicked)

    def show_cameras(self, cameras: list[tuple[str, str]]) -> None:
        """Offer these cameras, each a title and what ``Settings.source`` calls it."""
        self.cameras.clear()
        for title, source in cameras:
            self.cameras.addAction(title, functools.partial(self._set_camera, source))

    def show_moment(self, moment: Moment, view: View) -> None:
        """Show the status, and say what is new about it."""
        if view.status is not self._status:
            self._status = view.status
            self.setIcon(icon(view.status))
        self.setToolTip(f"FaceCloak: {view.headline}")
        self.hide_me.setChecked(moment.hidden)
        if view.detail and view.detail != self._told and (moment.problems or moment.raised):
            kind = QSystemTrayIcon.MessageIcon.Warning
            self.showMessage("FaceCloak", view.detail, kind)
        self._told = view.detail

    def show_protecting(self, *, on: bool) -> None:
        """Show whether protection is on."""
        self.protect.setChecked(on)

    def _checkable(self, title: str) -> QAction:
        action = QAction(title, self.menu)
        action.setCheckable(True)
        self.menu.addAction(action)
        return action

    def _clicked(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._open_window()

    def _protect_clicked(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        if on or confirmed_off(None):
            self._deeds.switch(on)
        else:
            self.protect.setChecked(True)
