"""Spreadsheets, old and new, as rows of text; columns are matched by the names in their header."""

import re
import struct
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import openpyxl
import xlrd
from openpyxl.utils.exceptions import InvalidFileException
from xlrd.compdoc import CompDocError

from facecloak_train.data.fer2013 import DatasetError

_OLD: Final = b"\xd0\xcf\x11\xe0"
"""The first bytes of a .xls; what a file is called says little."""
_BROKEN: Final = (
    *(OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError),
    *(struct.error, AssertionError, zipfile.BadZipFile, InvalidFileException),
    *(xlrd.XLRDError, CompDocError),
)
"""What the two libraries raise for files that are no spreadsheets."""

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One row below a header.

    Attributes:
        number: as the spreadsheet program counts, from 1.
        index: of the row among those below the header, from 0, blank ones included.
        cells: by column, under the names that were asked for.
        others: the cells of all columns, under their headers as :func:`plain` writes them; where a
            header stands several times, its cells in order.
    """

    number: int
    index: int
    cells: Mapping[str, str]
    others: tuple[tuple[str, str], ...]


def read(path: Path) -> dict[str, list[Cells]]:
    """Read all sheets by name: rows of cells as text, whole numbers without a point.

    Raises:
        DatasetError: the file is no spreadsheet.
    """
    try:
        content = path.read_bytes()[: len(_OLD)]
        return _read_old(path) if content == _OLD else _read_new(path)
    except _BROKEN as exc:
        msg = f"{path} is no readable spreadsheet ({exc}); take it from the release again"
        raise DatasetError(msg) from exc


def table(path: Path, columns: Mapping[str, Iterable[str]]) -> list[Row]:
    """Read the first sheet that has a header with all the columns.

    Args:
        path: the spreadsheet.
        columns: for each name the headers that it may have, as :func:`plain` writes them; the
            first of them that is there counts.

    Raises:
        DatasetError: the file is no spreadsheet, or no sheet has these columns.
    """
    sheets = read(path)
    for rows in sheets.values():
        for start, header in enumerate(rows):
            names = [plain(cell) for cell in header]
            places = {
                name: next((names.index(one) for one in accepted if one in names), None)
                for name, accepted in columns.items()
            }
            if None not in places.values():
                return _below(rows, start, names, places)
    wanted = ", ".join(columns)
    msg = f"{path}: no sheet has a header with the columns {wanted}"
    raise DatasetError(msg)


def plain(text: str) -> str:
    """A name without what spellings differ in: case, blanks and punctuation."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def whole_number(cell: str) -> int | None:
    """The number in a cell, or None where it holds something else."""
    return int(cell) if re.fullmatch(r"\d+", cell) else None


def _below(
    rows: list[Cells], start: int, names: list[str], places: Mapping[str, int | None]
) -> list[Row]:
    found = []
    for index, cells in enumerate(rows[start + 1 :]):
        if not any(cells):
            continue
        named = {name: cells[place] for name, place in places.items() if place is not None}
        others = tuple(zip(names, cells, strict=False))
        found.append(Row(start + index + 2, index, named, others))
    return found


def _read_old(path: Path) -> dict[str, list[Cells]]:
    with xlrd.open_workbook(path) as book:
        return {
            sheet.name: _as_text(sheet.row_values(row) for row in range(sheet.nrows))
            for sheet in book.sheets()
        }


def _read_new(path: Path) -> dict[str, list[Cells]]:
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore", UserWarning)  # of styles that nobody needs here
        book = openpyxl.load_workbook(file, data_only=True)
        return {sheet.title: _as_text(sheet.values) for sheet in book.worksheets}


def _as_text(rows: Iterable[Iterable[Any]]) -> list[Cells]:
    """Rows of one length each, filled up with empty cells."""
    texts = [[_text(cell) for cell in row] for row in rows]
    width = max((len(row) for row in texts), default=0)
    return [(*row, *[""] * (width - len(row))) for row in texts]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    text = str(cell).strip()
    return text[:-2] if re.fullmatch(r"\d+\.0", text) else text
