"""Digests of files, and files that are whole or not there; as in ``run.py``, but without torch."""

import hashlib
import os
from pathlib import Path


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files with their names, as hexadecimal digits."""
    if path.is_dir():
        sha = hashlib.sha256()
        for one in sorted(path.rglob("*")):
            if one.is_file():
                sha.update(f"{one.relative_to(path).as_posix()}\0{digest_of(one)}\n".encode())
        return sha.hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file in one step; what a power cut leaves is the old one or the new one."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
