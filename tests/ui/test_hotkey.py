"""The key for the whole desktop, pressed on a real X server."""

import os
import shutil
import subprocess
import sys
import threading

import pytest

from facecloak.ui.hotkey import Hotkey, Shortcut, parse


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("none", None),
        ("ctrl+alt+h", Shortcut(frozenset({"ctrl", "alt"}), "h")),
        ("Super+Q", Shortcut(frozenset({"super"}), "q")),
    ],
)
def test_a_hotkey_is_modifiers_and_a_letter(text, wanted):
    assert parse(text) == wanted


@pytest.mark.parametrize("text", ["h", "ctrl+", "ctrl+f1", "hyper+h", "", "ctrl+alt"])
def test_what_is_none_is_told_with_an_example(text):
    with pytest.raises(ValueError, match="like ctrl\\+alt\\+h"):
        parse(text)


def test_where_the_desktop_has_no_such_keys_it_says_so(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    hotkey = Hotkey(parse("ctrl+alt+h"), lambda: None)
    assert not hotkey.works
    hotkey.close()


@pytest.fixture
def x_server(monkeypatch):
    server = shutil.which("Xvfb")
    if sys.platform != "linux" or server is None:
        pytest.skip("needs Xvfb")
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(writer), "-nolisten", "tcp", "-noreset"],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as told:
        monkeypatch.setenv("DISPLAY", ":" + told.readline().strip())
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    yield
    process.terminate()
    process.wait(10)


def press(*names):
    from Xlib import XK, X, display  # noqa: PLC0415 - Linux only
    from Xlib.ext import xtest  # noqa: PLC0415

    screen = display.Display()
    codes = [screen.keysym_to_keycode(XK.string_to_keysym(name)) for name in names]
    for code in codes:
        xtest.fake_input(screen, X.KeyPress, code)
    for code in reversed(codes):
        xtest.fake_input(screen, X.KeyRelease, code)
    screen.sync()
    screen.close()


@pytest.mark.warns_in_log
def test_it_is_heard_whoever_has_the_focus_and_only_one_program_gets_it(x_server):
    heard = threading.Event()
    hotkey = Hotkey(parse("ctrl+alt+h"), heard.set)
    assert hotkey.works
    press("Control_L", "Alt_L", "g")
    assert not heard.wait(0.5)
    press("Control_L", "Alt_L", "h")
    assert heard.wait(5.0)
    other = Hotkey(parse("ctrl+alt+h"), lambda: None)
    assert not other.works
    other.close()
    hotkey.close()
    heard.clear()
    press("Control_L", "Alt_L", "h")
    assert not heard.wait(0.5)
