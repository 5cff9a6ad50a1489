import configparser
import plistlib
import shlex
import sys

import pytest

from facecloak.core.errors import ConfigError
from facecloak.ui import autostart


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(autostart.platform, "system", lambda: "Linux")


@pytest.fixture
def mac(monkeypatch):
    monkeypatch.setattr(autostart.platform, "system", lambda: "Darwin")


def test_linux_gets_a_desktop_entry_that_starts_in_the_tray(linux, home):
    assert not autostart.enabled()
    autostart.enable(on=True)
    assert autostart.enabled()
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(home / "config/autostart/facecloak.desktop")
    command = shlex.split(entry["Desktop Entry"]["Exec"])
    assert command == [sys.executable, "-m", "facecloak", "window", "--start-in", "tray"]
    autostart.enable(on=False)
    autostart.enable(on=False)
    assert not autostart.enabled()


def test_a_mac_gets_a_launch_agent(mac, home):
    autostart.enable(on=True)
    (file,) = (home / "Library/LaunchAgents").iterdir()
    agent = plistlib.loads(file.read_bytes())
    assert agent["ProgramArguments"] == list(autostart.COMMAND)
    assert agent["RunAtLoad"]
    assert agent["Label"] == file.stem


def test_what_cannot_be_written_is_told(linux, home):
    (home / "config").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be changed"):
        autostart.enable(on=True)
