"""Folders of a release and the numbered pictures in them."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from facecloak_train.data.releases.sheets import plain

_FRAME: Final = re.compile(
    r"(?:reg_)?(?:img|image|[a-z0-9]+_[a-z0-9_]+-)(\d+)\.(?:jpe?g|png|bmp)", re.IGNORECASE
)
"""``img7.jpg``, ``reg_img7.jpg``, ``EP01_12-007.jpg``, ``reg_EP01_12-7.jpg``, ``image021240.bmp``;
everything else that lies about, such as links and thumbnails, is none."""
_SUBJECT: Final = re.compile(r"s(?:ub)?\d+", re.IGNORECASE)

Numbered = Mapping[int, Path]
"""Pictures by their number, in rising order."""


def numbered(folder: Path) -> Numbered:
    """The pictures of a folder by number; of two with one number the first by name counts."""
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        match = _FRAME.fullmatch(path.name)
        if match:
            found.setdefault(int(match[1]), path)
    return dict(sorted(found.items()))


def folders(folder: Path) -> list[Path]:
    """The folders in a folder, by name, without hidden ones and what macOS puts into archives.

    None where it may not be looked into.
    """
    try:
        with os.scandir(folder) as inside:
            kept = (one for one in inside if not one.name.startswith((".", "__")))
            return sorted(Path(one.path) for one in kept if one.is_dir())
    except PermissionError:
        return []


def below(root: Path, depth: int = 4) -> Iterator[Path]:
    """All folders below a root, near ones first; not into those of subjects."""
    level = [root]
    for _ in range(depth):
        level = [
            inside
            for folder in level
            if folder is root or not _SUBJECT.fullmatch(folder.name)
            for inside in folders(folder)
        ]
        yield from level


def holder(root: Path, names: tuple[str, ...], inside: re.Pattern[str]) -> Path | None:
    """The first folder below ``root`` with one of the names, or in it, that holds such folders.

    Archives are often unpacked into a folder of their own name, so ``CASME2_RAW/CASME2-RAW/sub01``
    is found for the name ``casme2raw`` as ``CASME2_RAW/sub01`` is.

    Args:
        root: where to look.
        names: of the folder, as :func:`facecloak_train.data.releases.sheets.plain` writes them,
            best first.
        inside: what the whole name of a folder in it matches.
    """
    near = list(below(root))
    for name in names:
        for folder in near:
            if plain(folder.name) == name:
                for one in (folder, *below(folder, 2)):
                    if any(inside.fullmatch(deep.name) for deep in folders(one)):
                        return one
    return None


def files(root: Path, name: re.Pattern[str]) -> list[Path]:
    """The files in a root or not far below it whose whole names match, near ones first."""
    found = []
    for folder in (root, *below(root)):
        if not _SUBJECT.fullmatch(folder.name) and os.access(folder, os.R_OK | os.X_OK):
            inside = sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
            found += [path for path in inside if path.is_file()]
    return found
