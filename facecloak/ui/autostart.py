"""Starting with the desktop: an entry where each system looks for one."""

import os
import platform
import plistlib
import shlex
import sys
from pathlib import Path
from typing import Final

from facecloak.core.errors import ConfigError

COMMAND: Final = (sys.executable, "-m", "facecloak", "window", "--start-in", "tray")
_NAME: Final = "facecloak"
_RUN_KEY: Final = r"Software\Microsoft\Windows\CurrentVersion\Run"


def entry(system: str | None = None) -> Path | None:
    """The file that makes it start; None on Windows, whose registry has it."""
    system = system or platform.system()
    if system == "Windows":
        return None
    if system == "Darwin":
        return Path.home() / "Library/LaunchAgents" / f"org.{_NAME}.{_NAME}.plist"
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "autostart" / f"{_NAME}.desktop"


def enabled() -> bool:
    """Whether FaceCloak starts with the desktop."""
    file = entry()
    return file.is_file() if file is not None else _registry_value() is not None


def enable(*, on: bool) -> None:
    """Start with the desktop from now on, or no longer. Raises ConfigError."""
    file = entry()
    try:
        if file is None:
            _set_registry_value(on=on)
        elif on:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_property_list() if file.suffix == ".plist" else _desktop_entry())
        else:
            file.unlink(missing_ok=True)
    except OSError as exc:
        msg = f"Starting with the desktop cannot be changed: {exc.strerror}."
        raise ConfigError(msg, "Allow writing there, or set it in the system's settings.") from exc


def _desktop_entry() -> bytes:
    """Source: freedesktop.org, Desktop Entry Specification 1.5 and Autostart Specification 0.5."""
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Name=FaceCloak",
        f"Exec={shlex.join(COMMAND)}",
        "X-GNOME-Autostart-enabled=true",
    )
    return ("\n".join(lines) + "\n").encode()


def _property_list() -> bytes:
    return plistlib.dumps(
        {"Label": f"org.{_NAME}.{_NAME}", "ProgramArguments": list(COMMAND), "RunAtLoad": True}
    )


if sys.platform == "win32":
    import subprocess
    import winreg

    def _registry_value() -> str | None:
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:
                return str(winreg.QueryValueEx(key, _NAME)[0])
        except FileNotFoundError:
            return None

    def _set_registry_value(*, on: bool) -> None:
        access = winreg.KEY_SET_VALUE
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY, access=access) as key:
            if on:
                told = subprocess.list2cmdline(COMMAND)
                winreg.SetValueEx(key, _NAME, 0, winreg.REG_SZ, told)
            elif _registry_value() is not None:
                winreg.DeleteValue(key, _NAME)
else:

    def _registry_value() -> str | None:
        return None

    def _set_registry_value(*, on: bool) -> None:
        """There is no registry here."""
