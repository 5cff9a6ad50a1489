"""The window: picture, status, meters, and what can be steered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from facecloak.core.perturbation import Header
from facecloak.session.moment import Moment
from facecloak.settings import Settings
from facecloak.ui.form import Form
from facecloak.ui.icons import COLOURS, icon
from facecloak.ui.picture import Look, Picture
from facecloak.ui.presenter import Bar, View
from facecloak.ui.words import say


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """What the user can do; each returns at once.

    Attributes:
        change: go on with other settings.
        switch: protection on or off.
        hide: camera off and on.
        autostart: start with the desktop or not; may raise FaceCloakError.
        quit: end it all.
    """

    change: Callable[[Settings], None]
    switch: Callable[[bool], None]
    hide: Callable[[bool], None]
    autostart: Callable[[bool], None]
    quit: Callable[[], None]


class Window(QWidget):
    """The one window. Closing it hides it where a tray keeps FaceCloak going.

    Args:
        settings: to begin with.
        perturbations: see :class:`~facecloak.ui.form.Form`.
        deeds: what the user can do.
        autostarts: whether FaceCloak starts with the desktop.
        tray: whether there is a tray to go to.
    """

    seen = pyqtSignal(bool)
    """Whether it can be seen now."""

    def __init__(
        self,
        settings: Settings,
        perturbations: Mapping[str, Header | None],
        deeds: Deeds,
        *,
        autostarts: bool,
        tray: bool,
    ) -> None:
        super().__init__()
        self._deeds = deeds
        self._tray = tray
        self._bars: dict[str, tuple[QProgressBar, QLabel]] = {}
        self.setWindowTitle("FaceCloak")

        self.picture = Picture()
        self.before = self._held(say("&Before (hold)"), Look.BEFORE)
        self.difference = self._held(say("&Difference x 10 (hold)"), Look.DIFFERENCE)
        self.headline = QLabel()
        self.headline.setWordWrap(True)
        self.headline.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.headline.setAccessibleName(say("Status"))
        self.detail = QLabel()
        self.detail.setWordWrap(True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.pattern, self.figures = QLabel(), QLabel()
        for text in (self.pattern, self.figures):
            text.setWordWrap(True)
        self.protect = QPushButton(say("&Protect my face"))
        self.protect.setCheckable(True)
        self.protect.setChecked(True)
        self.protect.clicked.connect(self._protect_clicked)
        self.hide_me = QPushButton(say("&Hide me"))
        self.hide_me.setCheckable(True)
        self.hide_me.clicked.connect(deeds.hide)
        self.meters = QVBoxLayout()
        self.form = Form(settings, perturbations, deeds.change)
        self.autostart = QCheckBox(say("Start with the des&ktop"))
        self.autostart.setChecked(autostarts)
        self.autostart.clicked.connect(deeds.autostart)
        quit_button = QPushButton(say("&Quit"))
        quit_button.clicked.connect(deeds.quit)
        self._lay_out(quit_button)

    def _lay_out(self, quit_button: QPushButton) -> None:
        presses = QHBoxLayout()
        presses.addWidget(self.before)
        presses.addWidget(self.difference)
        left = QVBoxLayout()
        left.addWidget(self.headline)
        left.addWidget(self.picture, 1)
        left.addLayout(presses)
        left.addWidget(self.figures)
        deeds = QHBoxLayout()
        deeds.addWidget(self.protect)
        deeds.addWidget(self.hide_me)
        right = QVBoxLayout()
        right.addLayout(deeds)
        right.addWidget(self.detail)
        right.addLayout(self.meters)
        right.addWidget(self.pattern)
        right.addWidget(self.form)
        right.addWidget(self.autostart)
        right.addStretch(1)
        right.addWidget(quit_button)
        whole = QHBoxLayout(self)
        whole.addLayout(left, 3)
        whole.addLayout(right, 2)
        self.resize(1240, 640)

    def show_moment(self, moment: Moment, view: View) -> None:
        """Show what there is to see now."""
        self.picture.show_pictures(moment.clean, moment.sent)
        if self.headline.text() != view.headline or self.windowIcon().isNull():
            self.headline.setText(view.headline)
            colour = COLOURS[view.status]
            self.headline.setStyleSheet(
                f"background: {colour}; color: white; font-weight: bold; padding: 8px"
            )
            self.setWindowIcon(icon(view.status))
        self.detail.setText(view.detail)
        self.figures.setText(view.figures)
        self.pattern.setText(view.pattern)
        self.pattern.setVisible(bool(view.pattern))
        self.hide_me.setChecked(moment.hidden)
        self._show_bars(view.bars)

    def show_protecting(self, *, on: bool) -> None:
        """Show whether protection is on."""
        self.protect.setChecked(on)

    def _show_bars(self, bars: Sequence[Bar]) -> None:
        for bar in bars:
            if bar.title not in self._bars:
                self._bars[bar.title] = self._new_bar(bar.title)
            meter, readings = self._bars[bar.title]
            meter.setValue(bar.percent)
            meter.setFormat(f"{bar.title}: {bar.text}")
            readings.setText(bar.readings)
        for title, (meter, readings) in self._bars.items():
            present = any(bar.title == title for bar in bars)
            meter.setVisible(present)
            readings.setVisible(present)

    def _new_bar(self, title: str) -> tuple[QProgressBar, QLabel]:
        meter, readings = QProgressBar(), QLabel()
        meter.setRange(0, 100)
        meter.setAccessibleName(say("How often {name} was fooled").format(name=title))
        readings.setWordWrap(True)
        self.meters.addWidget(meter)
        self.meters.addWidget(readings)
        return meter, readings

    def _held(self, title: str, look: Look) -> QPushButton:
        """A button that shows another picture while it is held, by mouse or space bar."""
        button = QPushButton(title)
        button.pressed.connect(lambda: setattr(self.picture, "look", look))
        button.released.connect(lambda: setattr(self.picture, "look", Look.SENT))
        return button

    def _protect_clicked(self, on: bool) -> None:  # noqa: FBT001 - Qt's signal
        if on or confirmed_off(self):
            self._deeds.switch(on)
        else:
            self.protect.setChecked(True)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell that it can be seen."""
        super().showEvent(event)
        self.seen.emit(True)  # noqa: FBT003 - Qt's signal

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell that it can be seen no longer."""
        super().hideEvent(event)
        self.seen.emit(False)  # noqa: FBT003 - Qt's signal

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Go to the tray, or end it all where there is none."""
        super().closeEvent(event)
        if not self._tray:
            self._deeds.quit()


def confirmed_off(parent: QWidget | None) -> bool:
    """Ask whether protection shall really be off; the safe answer is the default."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle("FaceCloak")
    box.setText(say("Show your face as it is?"))
    box.setInformativeText(
        say("Everybody in the call, and every program that watches it, can then read your face.")
    )
    keep = box.addButton(say("&Keep protecting"), QMessageBox.ButtonRole.RejectRole)
    off = box.addButton(say("Switch &off"), QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec_()
    return box.clickedButton() is off
