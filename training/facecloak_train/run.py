"""A run folder: what was run, how it went, and checkpoints that survive a kill.

A folder holds ``run.json`` (command, settings, versions, data digest, and how the run was resumed),
the metrics (see ``metrics.py``) and safetensors checkpoints. A checkpoint is replaced in one step,
so a kill leaves the old one or the new one, never half of one. No pickle is written or read.
"""

import hashlib
import json
import logging
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from facecloak import __version__

logger = logging.getLogger(__name__)


class RunError(ValueError):
    """A run folder cannot be used; the text says why and what to do."""


def digest_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


def command() -> str:
    """The command that is running, as a shell takes it."""
    return shlex.join(["facecloak-train", *sys.argv[1:]])


def _commit() -> str:
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def describe(
    folder: Path,
    settings: Mapping[str, Any],
    data_digest: str,
    where: Mapping[str, Any] | None = None,
    *,
    resumed: bool = False,
) -> None:
    """Write ``run.json`` into ``folder``, which is made if it is missing.

    Args:
        folder: of the run.
        settings: all of them.
        data_digest: SHA-256 of the data, as hexadecimal digits.
        where: what the run computes on, by name.
        resumed: whether the run goes on. What it was begun with then stays, and its list
            ``resumed`` gets when it went on, the commit, and all that is not as it was.

    Raises:
        RunError: the run goes on, and its ``run.json`` cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "run.json"
    told = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command(),
        "settings": dict(settings),
        "data_sha256": data_digest,
        "commit": _commit(),
        "facecloak": __version__,
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "opencv": cv2.__version__,
    }
    about = json.loads(json.dumps(told | dict(where or {}), default=str))
    if resumed and path.is_file():
        begun = _described(path)
        always = ("when", "commit")
        changed = {k: v for k, v in about.items() if k in always or begun.get(k) != v}
        about = begun | {"resumed": [*begun.get("resumed", ()), changed]}
    write_atomically(path, json.dumps(about, indent=2).encode())


def _described(path: Path) -> dict[str, Any]:
    """What :func:`describe` wrote. Raises :class:`RunError`."""
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as exc:
        msg = f"{path} is no description of a run ({exc}); remove it, and give the same command "
        raise RunError(msg + "again") from exc


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content`` in one step."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and a JSON-able state as one safetensors file, in one step.

    Raises:
        RunError: the disk is full, or the file cannot be written for another reason.
    """
    part = path.with_name(path.name + ".part")
    contiguous = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(contiguous, part, metadata={"state": json.dumps(state)})
        part.replace(path)
    except (SafetensorError, OSError) as exc:
        part.unlink(missing_ok=True)
        msg = f"{path} cannot be written ({exc}); make room, and give the same command again"
        raise RunError(msg) from exc


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_checkpoint` wrote. Raises :class:`RunError`."""
    if not path.is_file():
        msg = f"{path}: there is no such file; give a best.safetensors of `facecloak-train fit`"
        raise RunError(msg)
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as exc:
        msg = f"{path} is no checkpoint of `facecloak-train fit`, or is damaged; give another, or "
        msg += "make it again"
        raise RunError(msg) from exc
