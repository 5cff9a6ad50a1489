"""What a long measurement has found out so far, face by face, so that a kill costs little."""

import json
import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from facecloak_train.run import write_atomically

logger = logging.getLogger(__name__)

_FILE: Final = "faces.jsonl"


class Ledger:
    """Rows in a file, one for each face, under what was asked of all of them.

    A folder that was made for another question is emptied and begun anew. A last row that a kill
    cut short is dropped.

    Attributes:
        folder: it may hold further files that serve the same question.
        rows: by the face's number.

    Args:
        folder: made where it is missing.
        asked: the question, JSON-able.
    """

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        self.folder = folder
        self.rows: dict[int, dict[str, Any]] = {}
        self._path = folder / _FILE
        question = json.dumps(asked) + "\n"
        lines = self._path.read_text().splitlines(keepends=True) if self._path.is_file() else []
        if lines[:1] != [question]:
            if folder.is_dir():
                shutil.rmtree(folder)
            folder.mkdir(parents=True, exist_ok=True)
            lines = [question]
        kept = lines[:1] + [line for line in lines[1:] if line.endswith("\n")]
        write_atomically(self._path, "".join(kept).encode())
        for line in kept[1:]:
            row = json.loads(line)
            self.rows[row["number"]] = row
        if self.rows:
            logger.info("%d faces were measured before", len(self.rows))

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write rows, each with its ``number``."""
        with self._path.open("a") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
                self.rows[row["number"]] = row

    def remove(self) -> None:
        """Remove the folder: the measurement is told elsewhere."""
        shutil.rmtree(self.folder)
