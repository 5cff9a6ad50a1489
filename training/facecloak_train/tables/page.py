"""Writes tables: each into a file of its own, or all of them and the page that they stand in.

    facecloak-train table fer2013 --runs runs/results --out fer2013.md
    facecloak-train table results --runs runs/results --out docs/results.md

A page says where its tables stand by a pair of lines, ``<!-- table fer2013 -->`` and
``<!-- end of table -->``; what is between them is replaced, and all else stays as it was written.
Beside the table of FER2013 goes a second picture, of how trainings went, where the folders given
hold the metrics of some: ``NAME.jsonl`` or ``NAME/metrics.jsonl``.
"""

import logging
import re
from pathlib import Path
from types import ModuleType
from typing import Final

from facecloak_train import run
from facecloak_train.settings import TableSettings
from facecloak_train.tables import fer2013, learning, micro, universal
from facecloak_train.tables.reports import (
    CLIP_ATTACK,
    CLIPS,
    ROBUSTNESS,
    SCORE,
    UNIVERSAL,
    Reports,
    gather,
)
from facecloak_train.tables.table import Table

logger = logging.getLogger(__name__)

_MADE: Final[dict[str, tuple[ModuleType, tuple[str, ...]]]] = {
    "fer2013": (fer2013, (SCORE, ROBUSTNESS)),
    "universal": (universal, (UNIVERSAL,)),
    "micro": (micro, (CLIPS, CLIP_ATTACK)),
}
"""Each table by name: what makes it, and which kinds of reports it is made of."""
_BLOCK: Final = re.compile(
    r"(<!-- table ([a-z0-9]+) -->\n)(?:(?!<!-- table ).)*?(<!-- end of table -->)", re.DOTALL
)


def write_table(name: str, settings: TableSettings) -> str:
    """Write one table, and its pictures beside it; returns the table.

    Args:
        name: fer2013, universal or micro.
        settings: where reports are, and the .md to write.

    Raises:
        RunError: no report that this table is made of, or one that cannot be read, or the metrics
            of a training.
        ArtifactError: the store of a grid cannot be used.
    """
    reports = gather(settings.runs)
    _require(name, reports, settings)
    text = _write(name, reports, settings.out).document()
    _write_curves(name, settings, settings.out)
    logger.info("%s", text)
    return text


def write_page(settings: TableSettings) -> None:
    """Write every table that there are reports for, and put it into the page.

    Args:
        settings: where reports are, and the page; the tables and their pictures are written into
            a folder beside it that has its name.

    Raises:
        RunError: the page is missing or asks for a table that there is none of, or a report or the
            metrics of a training cannot be read. The page is as it was then.
        ArtifactError: the store of a grid cannot be used.
    """
    page = _page(settings.out)
    asked = [found[2] for found in _BLOCK.finditer(page)]
    if page.count("<!-- table ") != len(asked):
        msg = f"{settings.out} begins a table that has no end; `<!-- end of table -->` is one"
        raise run.RunError(msg)
    unknown = [name for name in asked if name not in _MADE]
    if unknown or not asked:
        what = f"asks for {', '.join(unknown)}" if unknown else "asks for no table"
        how = "a pair of lines, `<!-- table fer2013 -->` and `<!-- end of table -->`, does"
        msg = f"{settings.out} {what}; {how}, for {', '.join(_MADE)}"
        raise run.RunError(msg)
    reports = gather(settings.runs)
    for name in asked:
        _require(name, reports, settings)
    folder = settings.out.with_suffix("")
    blocks = {}
    for name in asked:
        text = _write(name, reports, folder / f"{name}.md").text
        curves = _write_curves(name, settings, folder / f"{name}.md")
        where = f"[The commands of its rows]({folder.name}/{name}.md)."
        parts = [text, where, f"![{name}]({folder.name}/{name}.png)"]
        if curves is not None:
            parts += [learning.CAPTION, f"![{curves.stem}]({folder.name}/{curves.name})"]
        blocks[name] = "\n\n".join(parts)

    def filled(found: re.Match[str]) -> str:
        begin, name, end = found.groups()
        return f"{begin}\n{blocks[name]}\n\n{end}"

    run.write_atomically(settings.out, _BLOCK.sub(filled, page).encode())
    logger.info("%s in %s", ", ".join(asked), settings.out)


def _page(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as exc:
        msg = f"{path} cannot be read ({exc.strerror}); give the page to put the tables into"
        raise run.RunError(msg) from exc


def _require(name: str, reports: Reports, settings: TableSettings) -> None:
    kinds = _MADE[name][1]
    if not any(reports[kind] for kind in kinds):
        where = ", ".join(map(str, settings.runs))
        writers = " and ".join(f"`facecloak-train {kind}`" for kind in kinds)
        msg = f"{where}: no report for the table {name}; {writers} write them"
        raise run.RunError(msg)


def _write(name: str, reports: Reports, out: Path) -> Table:
    module = _MADE[name][0]
    table: Table = module.make(reports)
    table.write(out)
    module.draw(reports, out.with_suffix(".png"))
    return table


def _write_curves(name: str, settings: TableSettings, out: Path) -> Path | None:
    """Draw how trainings went beside the .md of a table of theirs; the picture, if there is one."""
    if name != "fer2013":
        return None
    path = out.with_name(f"{out.stem}-curves.png")
    return path if learning.draw(settings.runs, path) else None
