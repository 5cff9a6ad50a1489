"""What makes two jobs the same: code, command, settings, data and seed, and nothing else."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import facecloak
import facecloak_train
from facecloak_train.grid import files

LIVE: Final = ("core", "face", "cloak", "tailor", "verify", "inference.py")
"""The parts of the live app that training reaches; windows and cameras change no result."""
_APART: Final = ("grid", "tables")
"""The parts of training that run jobs and tell of them, and change no result either."""


def code_version() -> str:
    """Digest of the sources that a result can depend on, uncommitted changes included."""
    live, offline = (Path(str(one.__file__)).parent for one in (facecloak, facecloak_train))
    sha = hashlib.sha256()
    for root, counts in ((live, LIVE.__contains__), (offline, lambda name: name not in _APART)):
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root)
            if counts(name.parts[0]):
                sha.update(f"{root.name}/{name.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return sha.hexdigest()


def identity(about: Mapping[str, Any]) -> str:
    """SHA-256 of canonical JSON: keys in order, no spaces."""
    text = json.dumps(about, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class Digests:
    """Digests of input files, each read once."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """SHA-256 of a file or folder. Raises OSError."""
        if path not in self._known:
            self._known[path] = files.digest_of(Path(path))
        return self._known[path]
