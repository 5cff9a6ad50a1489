"""A grid's results as one file for other programs: JSON with everything, or CSV of the figures."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from facecloak.core.errors import ConfigError
from facecloak_train.grid.files import write_durably
from facecloak_train.grid.results import Result


def export(results: Iterable[Result], out: Path) -> int:
    """Write results; returns how many.

    Args:
        results: of the store.
        out: a .json, or a .csv with one row for each job and one column for each figure.

    Raises:
        ConfigError: it is neither.
    """
    if out.suffix not in (".json", ".csv"):
        msg = f"{out} is neither .json nor .csv."
        raise ConfigError(msg, "The store itself, grid.sqlite, is for everything else.")
    rows = [_row(result) for result in results]
    if out.suffix == ".json":
        write_durably(out, json.dumps(rows, indent=2).encode())
        return len(rows)
    flat = [dict(_flat(row, "")) for row in rows]
    columns = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(flat)
    write_durably(out, text.getvalue().encode())
    return len(rows)


def _row(result: Result) -> dict[str, Any]:
    return {
        "id": result.id,
        "stage": result.stage,
        "command": result.command,
        "labels": result.labels,
        "seconds": result.seconds,
        "host": result.host,
        "reports": result.reports,
    }


def _flat(value: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _flat(one, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _flat(one, f"{name}.{number}")
    else:
        yield name, value
