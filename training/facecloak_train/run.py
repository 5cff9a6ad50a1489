"""A run folder: what was run, how it went, and checkpoints that survive a kill.

A folder holds ``run.json`` (command, settings, versions, data digest), the metrics (see
``metrics.py``) and safetensors checkpoints. A checkpoint is replaced in one step, so a kill leaves
the old one or the new one, never half of one. No pickle is written or read.
"""

import hashlib
import json
import logging
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

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


def describe(folder: Path, settings: Mapping[str, Any], data_digest: str) -> None:
    """Write ``run.json`` into ``folder``, which is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "command": command(),
        "settings": dict(settings),
        "data_sha256": data_digest,
        "commit": _commit(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }
    write_atomically(folder / "run.json", json.dumps(about, indent=2, default=str).encode())


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
    try:
        with safe_open(path, framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as exc:
        msg = f"{path} is no checkpoint of `facecloak-train fit` ({exc}); make it again"
        raise RunError(msg) from exc
