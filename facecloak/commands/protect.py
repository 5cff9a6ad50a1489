"""``facecloak protect``: a video or picture through the exact live pipeline, every frame judged."""

import json
from pathlib import Path
from typing import Any

from facecloak import app
from facecloak.commands.measuring import Measurer, report
from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.pipeline.runner import run_file
from facecloak.settings import Settings


def protect(
    settings: Settings, out: Path, *, lossless: bool = False, report_to: Path | None = None
) -> dict[str, Any]:
    """Protect the file ``settings.source`` and return the report.

    Raises:
        FaceCloakError: something failed; nothing stands under the final name.
    """
    check_paths(Path(settings.source), out, report_to)
    source = app.source(settings)
    made = app.protection(settings, live=False)
    measurer = Measurer()
    open_sink = app.sink_of(str(out), source, lossless=lossless)
    run = run_file(source, open_sink, made.protector, observe=measurer)
    told = report(made, run, measurer)
    if report_to is not None:
        write_json(report_to, told)
    return told


def check_paths(source: Path, out: Path, report_to: Path | None) -> None:
    """Refuse to overwrite what is read. Raises ConfigError."""
    taken = {source.resolve()}
    for path in (out, report_to):
        if path is None:
            continue
        if path.resolve() in taken:
            msg = f"{path} is named twice; the input would be overwritten."
            raise ConfigError(msg, "Give the output a name of its own.")
        taken.add(path.resolve())


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a report in one step. Raises SinkUnavailable."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        msg = f"The report {path} cannot be written: {exc.strerror}."
        raise SinkUnavailable(msg, "Choose a folder that exists and can be written.") from exc
