"""One key for the whole desktop that hides the user at once, where the platform allows.

X11 and Windows hand such a key to whoever asks; Wayland and macOS do not, or only by permissions
that a script cannot ask for: there a key of the desktop's own can run ``facecloak hide``. The
GlobalShortcuts portal is out of PyQt5's reach: its QtDBus cannot write ``a(sa{sv})``.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from facecloak.pipeline.worker import Worker

logger = logging.getLogger(__name__)

MODIFIERS: Final = ("ctrl", "alt", "shift", "super")
_WAIT_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A letter with modifiers.

    Attributes:
        modifiers: some of ``MODIFIERS``.
        letter: a to z.
    """

    modifiers: frozenset[str]
    letter: str


def parse(text: str) -> Shortcut | None:
    """What ``ctrl+alt+h`` and the like mean; None for ``none``. Raises ValueError."""
    if text == "none":
        return None
    *modifiers, letter = text.lower().split("+")
    known = set(modifiers) <= set(MODIFIERS) and len(letter) == 1 and "a" <= letter <= "z"
    if not (known and modifiers):
        msg = f"{text!r} is no hotkey; one is like ctrl+alt+h, or none"
        raise ValueError(msg)
    return Shortcut(frozenset(modifiers), letter)


class Hotkey:
    """Calls back, in a thread of its own, whenever the key is pressed, until it is closed.

    Args:
        shortcut: which key.
        pressed: what to do.

    Attributes:
        works: whether this desktop handed over the key.
    """

    def __init__(self, shortcut: Shortcut, pressed: Callable[[], None]) -> None:
        self.works = False
        self._closed = threading.Event()
        self._ready = threading.Event()
        self._shortcut = shortcut
        self._pressed = pressed
        self._worker = Worker("hotkey", self._listen, self._ready.set)
        self._ready.wait(2.0)

    def close(self) -> None:
        """Give the key back."""
        self._closed.set()
        self._worker.join(2.0)

    def _grabbed(self) -> None:
        self.works = True
        self._ready.set()

    def _listen(self) -> None:
        if sys.platform == "win32":
            self._listen_on_windows()
        elif os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            self._listen_on_x11()

    def _listen_on_x11(self) -> None:
        """Source: the X11 protocol's GrabKey; a grab that another program has is refused."""
        from Xlib import XK, X, display, error  # noqa: PLC0415 - Linux only

        masks = {"ctrl": X.ControlMask, "alt": X.Mod1Mask, "shift": X.ShiftMask}
        masks["super"] = X.Mod4Mask
        mask = sum(masks[name] for name in self._shortcut.modifiers)
        screen = display.Display()
        root = screen.screen().root
        code = screen.keysym_to_keycode(XK.string_to_keysym(self._shortcut.letter))
        refused = error.CatchError(error.BadAccess)
        for locks in (0, X.LockMask, X.Mod2Mask, X.LockMask | X.Mod2Mask):  # caps and num lock
            root.grab_key(code, mask | locks, 0, X.GrabModeAsync, X.GrabModeAsync, onerror=refused)
        screen.sync()
        if refused.get_error() is None:
            self._grabbed()
            while not self._closed.wait(_WAIT_S):
                while screen.pending_events():
                    if screen.next_event().type == X.KeyPress:
                        self._pressed()
        else:
            logger.warning("another program has the hotkey; choose another one")
        screen.close()

    def _listen_on_windows(self) -> None:
        """Source: Win32's RegisterHotKey, whose messages come to the thread that asked."""
        import ctypes  # noqa: PLC0415 - Windows only
        from ctypes import wintypes  # noqa: PLC0415

        user: Any = ctypes.WinDLL("user32")  # type: ignore[attr-defined,unused-ignore]
        bits = {"alt": 1, "ctrl": 2, "shift": 4, "super": 8}
        mask = sum(bits[name] for name in self._shortcut.modifiers) | 0x4000  # no repeats
        if not user.RegisterHotKey(None, 1, mask, ord(self._shortcut.letter.upper())):
            logger.warning("another program has the hotkey; choose another one")
            return
        self._grabbed()
        message = wintypes.MSG()
        while not self._closed.wait(_WAIT_S):
            while user.PeekMessageW(ctypes.byref(message), None, 0, 0, 1):
                if message.message == 0x0312:  # WM_HOTKEY
                    self._pressed()
        user.UnregisterHotKey(None, 1)
