"""A process of a job: how it is started, asked to stop, and what it said last."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from facecloak_train.grid import leash

_TAIL: Final = 8000
"""How many bytes of the log may hold the reason of a failure."""


@dataclass(slots=True)
class Stop:
    """Asks a job that runs in another thread to stop."""

    _process: subprocess.Popen[bytes] | None = None
    _asked: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """From now on this is what to stop."""
        with self._lock:
            self._process = process
            if self._asked:
                _signal(process, signal.SIGTERM)

    @property
    def asked(self) -> bool:
        """Whether it shall stop."""
        return self._asked

    def ask(self) -> None:
        """Stop it, whether it has begun or not. Does not wait."""
        with self._lock:
            self._asked = True
            if self._process is not None:
                _signal(self._process, signal.SIGTERM)

    def force(self) -> None:
        """Kill it."""
        with self._lock:
            if self._process is not None:
                _signal(self._process, signal.SIGKILL)


def run(
    program: Sequence[str],
    log: Path,
    environment: Mapping[str, str],
    stop: Stop,
    inherited: Sequence[int] = (),
) -> str:
    """Run a program to its end; returns why it failed, in one line, or nothing.

    Args:
        program: with its arguments.
        log: what it says is appended to.
        environment: in addition to this process's.
        stop: lets another thread stop it.
        inherited: descriptors that it keeps open.
    """
    with log.open("ab") as file:
        begin = file.tell()
        process = subprocess.Popen(  # noqa: S603 - the program is ours, the arguments are checked
            program,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, leash.VARIABLE: "1", "TQDM_MININTERVAL": "30", **environment},
            start_new_session=True,
            pass_fds=tuple(inherited),
        )
    with process:
        stop.watch(process)
        code = process.wait()
    if not code:
        return ""
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    said = _last_line(log, begin)
    return f"{how}: {said}" if said else how


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a job and to what it started."""
    if process.returncode is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return


def _last_line(log: Path, begin: int) -> str:
    """The last sentence of the command itself, or else the last line: torchrun adds many."""
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(begin, end - _TAIL))
        lines = file.read().decode(errors="replace").replace("\r", "\n").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    own = [line for line in said if line.startswith("facecloak-train ")]
    return next(reversed(own or said), "")
