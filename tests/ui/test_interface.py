"""The real widgets, off screen, driven by keys, around a session that a test scripts."""

import dataclasses
import re

import numpy as np
import pytest
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QMessageBox, QSlider

from facecloak.core.errors import SinkUnavailable
from facecloak.session.moment import Moment, Status
from facecloak.settings import Settings, load
from facecloak.sink.preview import as_qimage
from facecloak.ui import autostart
from facecloak.ui.only_one import HIDE, OPEN, OnlyOne, call
from facecloak.ui.picture import difference
from facecloak.ui.words import translator


def answer(title):
    """Click this button of the next question."""

    def click():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        (button,) = (b for b in box.buttons() if b.text().replace("&", "") == title)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(50, click)


def colour_of(widget):
    """The colour in the middle of a widget, as red, green, blue."""
    image = widget.grab().toImage()
    return image.pixelColor(image.width() // 2, image.height() // 2).getRgb()[:3]


def test_the_window_shows_the_moment(opened, session):
    window = opened().window
    assert session.recorder.visible
    QTest.qWait(80)
    assert window.headline.text() == "Protected"
    assert window.figures.text() == "30 frames per second"
    (meter, readings) = window._bars["VGG19"]
    assert meter.value() == 90
    assert readings.text() == "reads happy (90%), from what is sent sad (60%)"
    assert colour_of(window.picture) == (103, 103, 103)


def test_before_and_difference_show_only_while_held(opened):
    window = opened().window
    for button, wanted in ((window.before, 100), (window.difference, 158)):
        QTest.keyPress(button, Qt.Key.Key_Space)
        QTest.qWait(80)
        assert colour_of(window.picture) == (wanted,) * 3
        QTest.keyRelease(button, Qt.Key.Key_Space)
        QTest.qWait(80)
        assert colour_of(window.picture) == (103, 103, 103)


def test_a_picture_keeps_its_colours_and_its_shape():
    image = np.zeros((3, 5, 3), np.uint8)
    image[1, 2] = (10, 20, 30)  # blue, green, red
    shown = as_qimage(image)
    assert (shown.width(), shown.height()) == (5, 3)
    assert shown.pixelColor(2, 1).getRgb()[:3] == (30, 20, 10)
    assert difference(image, image).min() == difference(image, image).max() == 128


def test_protection_is_switched_off_only_by_a_deliberate_answer(opened, session):
    window = opened().window
    answer("Keep protecting")
    QTest.mouseClick(window.protect, Qt.MouseButton.LeftButton)
    assert session.on
    assert window.protect.isChecked()
    answer("Switch off")
    QTest.mouseClick(window.protect, Qt.MouseButton.LeftButton)
    assert not session.on
    assert not window.protect.isChecked()
    QTest.mouseClick(window.protect, Qt.MouseButton.LeftButton)  # no question this time
    assert session.on


def test_escape_and_enter_keep_protecting(opened, session):
    window = opened().window
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_Return):
        QTimer.singleShot(50, lambda key=key: QTest.keyClick(QApplication.activeModalWidget(), key))
        QTest.mouseClick(window.protect, Qt.MouseButton.LeftButton)
        assert session.on


def test_off_is_loud(opened, session):
    interface = opened()
    window = interface.window
    session.now = dataclasses.replace(session.now, status=Status.OFF)
    interface.look()
    assert "PROTECTION IS OFF" in window.headline.text()
    assert "#c62828" in window.headline.styleSheet()


def test_the_strength_tells_what_is_promised(opened):
    form = opened(Settings(strength=1.0)).window.form

    def told():
        return form.strength_text.text().splitlines()

    assert told() == [
        "1.00 of the designed perturbation:",
        "at most 5 of 255 levels,",
        "1 % of the face's width",
    ]
    QTest.keyClick(form.strength, Qt.Key.Key_PageUp)
    assert told()[0].startswith("1.25 of")
    assert told()[1:] == ["at most 6 of 255 levels,", "1.2 % of the face's width"]
    assert form.strength_text.height() >= form.strength_text.sizeHint().height()  # nothing is cut
    QTest.keyClick(form.perturbation, Qt.Key.Key_Down)  # of which nothing is known
    assert told() == ["1.25 of the designed perturbation"]


def test_what_is_changed_reaches_the_session_and_the_file(opened, session, tmp_path):
    interface = opened()
    form = interface.window.form
    form.strength.setFocus()
    QTest.keyClick(form.strength, Qt.Key.Key_PageUp)
    assert session.settings[-1] == Settings(strength=1.25)
    for combo, keys in (
        (form.resolution, 1),
        (form.empty_room, 1),
        (form.perturbation, 1),
        (form.camera, 1),
    ):
        for _ in range(keys):
            QTest.keyClick(combo, Qt.Key.Key_Down)
    wanted = Settings(
        strength=1.25,
        width=1920,
        height=1080,
        empty_room="pass",
        perturbation="other",
        source="demo",
    )
    assert session.settings[-1] == wanted
    assert not (tmp_path / "settings.toml").exists()
    interface.finish()
    assert load({}, {}, tmp_path / "settings.toml") == wanted


def test_what_an_option_chose_is_kept_once_it_is_changed_here_only(opened, tmp_path):
    file = tmp_path / "settings.toml"
    interface = opened(Settings(start_in="tray", source="demo"), kept=Settings(width=1920))
    interface.change(Settings(start_in="tray", source="demo", strength=0.5))
    interface.save()
    assert load({}, {}, file) == Settings(width=1920, strength=0.5)
    interface.change(Settings(start_in="tray", source="1", strength=0.5))
    interface.save()
    assert load({}, {}, file) == Settings(width=1920, strength=0.5, source="1")


@pytest.mark.warns_in_log
def test_settings_that_cannot_be_saved_are_told(opened, tmp_path):
    interface = opened()
    (tmp_path / "settings.toml").mkdir()
    interface.change(Settings(strength=1.0))
    interface.save()
    (box,) = interface.window.findChildren(QMessageBox)
    assert "cannot be saved" in box.text()
    box.close()


def test_what_the_lists_do_not_offer_is_shown_all_the_same(opened):
    form = opened(Settings(width=800, height=600, source="/dev/video7")).window.form
    assert form.resolution.currentText() == "800 x 600"
    assert form.camera.currentText() == "/dev/video7"


def test_problems_are_shown_with_their_remedy(opened, session):
    interface = opened()
    window = interface.window
    problem = SinkUnavailable("There is no virtual camera.", "Run: facecloak camera install")
    session.now = Moment(problems=(problem,))
    interface.look()
    assert window.detail.text() == "There is no virtual camera. Run: facecloak camera install"


@pytest.mark.warns_in_log
def test_problems_are_told_in_the_language_of_the_window(opened, application, session):
    german = translator("de")
    application.installTranslator(german)
    try:
        interface = opened()
        gone = SinkUnavailable("You may not write to /dev/video10.", "Load its driver again.")
        session.now = Moment(problems=(gone,))
        interface.look()
        interface.tell(gone)
    finally:
        application.removeTranslator(german)
    told = ["Sie dürfen nicht auf /dev/video10 schreiben.", "Laden Sie ihren Treiber neu."]
    assert interface.window.detail.text() == " ".join(told)
    (box,) = interface.window.findChildren(QMessageBox)
    assert [box.text(), box.informativeText()] == told
    box.close()


def test_without_a_tray_the_window_opens_and_closing_it_quits(opened, application):
    interface = opened(Settings(start_in="tray"))
    assert interface.tray is None
    assert interface.window.isVisible()
    quits = []
    application.aboutToQuit.connect(lambda: quits.append(True))
    QTimer.singleShot(50, interface.window.close)
    QTimer.singleShot(5000, lambda: application.exit(1))
    assert application.exec_() == 0


def test_with_a_tray_it_can_start_there_and_closing_the_window_goes_back(opened, session):
    interface = opened(Settings(start_in="tray"), tray=True)
    assert not interface.window.isVisible()
    assert not session.recorder.visible
    interface.tray.menu.actions()[0].trigger()
    assert interface.window.isVisible()
    assert session.recorder.visible
    interface.window.close()
    assert not session.recorder.visible


def test_the_tray_tells_the_status_and_steers(opened, session):
    interface = opened(tray=True)
    tray = interface.tray
    colours = set()
    for status in Status:
        session.now = dataclasses.replace(session.now, status=status)
        interface.look()
        colours.add(tray.icon().pixmap(64, 64).toImage().pixelColor(14, 14).name())
        assert tray.toolTip().startswith("FaceCloak: ")
    assert len(colours) == len(Status)
    tray.strengths.actions()[-1].trigger()
    assert session.settings[-1].strength == 2.0
    assert interface.window.form.strength.value() == 200
    (camera,) = tray.cameras.actions()
    camera.trigger()
    assert session.settings[-1].source == "0"
    tray.hide_me.trigger()
    assert session.hidden
    answer("Switch off")
    tray.protect.trigger()
    assert not session.on
    assert not interface.window.protect.isChecked()


def test_the_tray_tells_a_problem_once(opened, session, monkeypatch):
    interface = opened(tray=True)
    told = []
    monkeypatch.setattr(
        interface.tray, "showMessage", lambda _title, text, _kind: told.append(text)
    )
    session.now = Moment(problems=(SinkUnavailable("It is gone.", "Bring it back."),))
    for _ in range(3):
        interface.look()
    session.now = Moment()
    interface.look()
    assert told == ["It is gone. Bring it back."]


def test_starting_with_the_desktop_is_one_click(opened):
    window = opened().window
    QTest.mouseClick(window.autostart, Qt.MouseButton.LeftButton)
    assert autostart.enabled() == window.autostart.isChecked()


def keys_of(window):
    texts = [w.text() for w in window.findChildren(QAbstractButton)]
    texts += [label.text() for label in window.findChildren(QLabel) if label.buddy()]
    return [key.upper() for text in texts for key in re.findall("&(.)", text)]


@pytest.mark.parametrize("language", ["en", "de"])
def test_everything_has_a_name_and_a_key_of_its_own(opened, application, language):
    german = translator(language)
    if german is not None:
        application.installTranslator(german)
    try:
        window = opened().window
    finally:
        if german is not None:
            application.removeTranslator(german)
    keys = keys_of(window)
    assert len(keys) == len(set(keys)), keys
    for kind in (QAbstractButton, QComboBox, QSlider):
        for widget in window.findChildren(kind):
            named = widget.accessibleName() or getattr(widget, "text", str)()
            assert named, widget
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, widget


def test_a_second_one_calls_the_first(application):
    heard = []
    first, second = OnlyOne("facecloak-test"), OnlyOne("facecloak-test")
    assert not call("facecloak-test", HIDE)
    try:
        assert first.first(heard.append)
        assert not second.first(lambda _wish: None)
        QTest.qWait(100)
        assert heard == [OPEN]
        assert call("facecloak-test", HIDE)
        QTest.qWait(100)
        assert heard == [OPEN, HIDE]
    finally:
        first.close()
    assert second.first(lambda _wish: None)
    second.close()


def test_hiding_from_elsewhere_is_undone_by_the_same(opened, session):
    interface = opened()
    for hidden in (True, False):
        interface.hide_or_show()
        interface.look()
        assert session.hidden is hidden
        assert interface.window.hide_me.isChecked() is hidden
