"""``facecloak camera install | remove``: the driver of the virtual camera, set up or taken away."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from facecloak.core.errors import ConfigError, DeviceError
from facecloak.sink import driver
from facecloak.sink.loopback import LABEL, find_device

Runner = Callable[[Sequence[str], str], tuple[int, str]]
"""Runs a command with a text on its standard input; returns exit status and what it said."""


def camera(
    deed: Literal["install", "remove"],
    *,
    apply: bool,
    root: Path = Path("/"),
    runner: Runner | None = None,
) -> Iterator[str]:
    """Say, or do, what is needed, line by line as it happens.

    Args:
        deed: whether to make the virtual camera or to take it away.
        apply: do it.
        root: the root of the file system.
        runner: runs a command as root.

    Raises:
        ConfigError: this system has no commands that could be applied.
        DeviceError: a step failed; what was done before it stays done, and may be done again.
    """
    sysfs = root / "sys/class/video4linux"
    steps = driver.install(root) if deed == "install" else driver.remove(root)
    if not steps:
        yield _nothing(deed, find_device(sysfs))
        return
    if apply and platform.system() != "Linux":
        msg = "There is nothing that could be applied on this system."
        raise ConfigError(msg, f"Do by hand what this says: facecloak camera {deed}")
    for number, step in enumerate(steps, 1):
        yield f"{number}. {step.why}"
        if not step.command:
            continue
        yield f"   {step.shell}"
        if apply:
            status, said = (runner or _as_root)(step.command, step.text)
            if status:
                what = f"`{step.shell}` failed: {said.strip() or f'exit status {status}'}."
                again = f"Correct that, then run again: facecloak camera {deed} --apply"
                raise DeviceError(what, again)
    if not apply:
        if platform.system() == "Linux":
            yield f"\nTo have all of it done: facecloak camera {deed} --apply"
        return
    there = find_device(sysfs)
    if deed == "install" and there is None:
        what = f'The driver was started, but there is no camera labelled "{LABEL}".'
        raise DeviceError(what, "Restart the computer, then see: facecloak devices")
    yield f'"{LABEL}" is {there}.' if there else f'"{LABEL}" is gone.'


def _nothing(deed: str, there: Path | None) -> str:
    if deed == "install":
        return f'"{LABEL}" is there already: {there}.' if there else "Nothing is known to be done."
    return "FaceCloak has set up nothing here that it could take away."


def _as_root(command: Sequence[str], text: str) -> tuple[int, str]:
    """Run a command as root, asking for a password on the terminal if need be."""
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            return 1, "sudo is not installed; run it as root"
        command = ("sudo", *command)
    try:
        done = subprocess.run(  # noqa: S603 - the commands are constants of sink.driver
            command,
            input=text or None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"},
        )
    except OSError as exc:
        return 1, str(exc)
    return done.returncode, done.stderr
