"""``facecloak window``, and ``facecloak`` alone: the window and the tray around a session."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from PyQt5.QtWidgets import QApplication

from facecloak import settings as stored
from facecloak.capture.listing import cameras
from facecloak.core import artifacts
from facecloak.core import bank as banks
from facecloak.core.errors import ArtifactError, ConfigError
from facecloak.core.perturbation import Header
from facecloak.pipeline.worker import Worker
from facecloak.session.session import Session
from facecloak.sink.display import require_display
from facecloak.sink.loopback import LABEL
from facecloak.ui import only_one
from facecloak.ui.application import Interface
from facecloak.ui.hotkey import Hotkey, parse
from facecloak.ui.words import translator

logger = logging.getLogger(__name__)

_LIST_EVERY_S: Final = 5.0


def window(options: Mapping[str, Any], environment: Mapping[str, str], file: Path) -> None:
    """Show window and tray until the user quits. Belongs to the main thread.

    Args:
        options: settings from the command line; they win, and are not saved unless changed.
        environment: such as ``os.environ``.
        file: the settings file; one that cannot be used is set aside, which is told.

    Raises:
        SinkUnavailable: there is no display.
        ConfigError: an option cannot be used.
    """
    require_display()
    chosen, fault = stored.load_or_set_aside(environment, file)
    if options:
        chosen = stored.load(options, environment, file if fault is None else None)
    application = QApplication(["facecloak"])
    application.setApplicationName("FaceCloak")
    application.setDesktopFileName("facecloak")
    words = translator(chosen.language)
    if words is not None:
        application.installTranslator(words)

    only = only_one.OnlyOne(only_one.place())
    opened: list[Interface] = []

    def called(wish: bytes) -> None:
        for one in opened:
            if wish == only_one.HIDE:
                one.hide_or_show()
            else:
                one.open_window()

    if not only.first(called):
        logger.info("FaceCloak runs already; its window is shown")
        return
    names = artifacts.perturbations()
    listed = _Listed()
    try:
        with Session(chosen, others=names) as session:
            interface = Interface(
                application,
                session,
                chosen,
                kept=stored.kept(file),
                file=file,
                perturbations={name: _header(name) for name in names},
                cameras=lambda: listed.cameras,
            )
            opened.append(interface)
            interface.start()
            if fault is not None:
                interface.tell(fault)
            with _signals_quit(application), _hotkey(chosen.hotkey, interface):
                application.exec_()
            interface.finish()
    finally:
        listed.close()
        only.close()


def _header(name: str) -> Header | None:
    """What a perturbation promises; None of one that cannot be read, which is told once chosen."""
    try:
        return banks.load(artifacts.perturbation(name)).header
    except ArtifactError:
        return None


@contextmanager
def _hotkey(text: str, interface: Interface) -> Iterator[None]:
    """Let a key hide the user and show him again; a text that names none is told."""
    try:
        shortcut = parse(text)
    except ValueError:
        what = f"{text!r} is no hotkey; one is like ctrl+alt+h, or none."
        interface.tell(ConfigError(what, "Correct `hotkey` in the settings file."))
        shortcut = None
    if shortcut is None:
        yield
        return
    hotkey = Hotkey(shortcut, interface.hide_or_show)
    try:
        yield
    finally:
        hotkey.close()


class _Listed:
    """The cameras, listed every few seconds in a thread: some systems take long to tell."""

    def __init__(self) -> None:
        self.cameras: tuple[tuple[str, str], ...] = ()
        self._closed = threading.Event()
        self._worker = Worker("cameras", self._list, lambda: None)

    def close(self) -> None:
        self._closed.set()

    def _list(self) -> None:
        while not self._closed.is_set():
            self.cameras = tuple(
                (one.name or f"camera {one.number}", str(one.number))
                for one in cameras()
                if one.name != LABEL
            )
            self._closed.wait(_LIST_EVERY_S)


@contextmanager
def _signals_quit(application: QApplication) -> Iterator[None]:
    """Let Ctrl-C quit, and let a mistake in a slot be told instead of aborting the process."""

    def told(kind: type[BaseException], exc: BaseException, tb: TracebackType | None) -> None:
        logger.error("an error of FaceCloak itself (%s)", kind.__name__)
        logger.debug("details", exc_info=(kind, exc, tb))

    def end(_number: int, _frame: object) -> None:
        application.quit()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    hook, sys.excepthook = sys.excepthook, told
    try:
        yield
    finally:
        sys.excepthook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
