"""``facecloak protect``: a video or picture through the exact live pipeline, every frame judged."""

import contextlib
import json
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facecloak import app, endpoints
from facecloak.commands.measuring import Measurer, report
from facecloak.core.clock import monotonic
from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.ports import Source
from facecloak.pipeline.runner import run_file
from facecloak.settings import Settings

logger = logging.getLogger(__name__)

_SAY_EVERY_S = 5.0


def protect(
    settings: Settings, out: Path, *, lossless: bool = False, report_to: Path | None = None
) -> dict[str, Any]:
    """Protect the file ``settings.source`` and return the report.

    Raises:
        FaceCloakError: something failed; nothing stands under the final name.
    """
    check_paths(Path(settings.source), out, report_to)
    source = endpoints.file(Path(settings.source))
    made = app.protection(settings, live=False)
    measurer = Measurer(made.displaced, made.mixes)
    open_sink = endpoints.file_sink(out, source, lossless=lossless)
    run = run_file(
        source,
        open_sink,
        made.protector,
        rehearsals=made.rehearsals,
        observe=measurer,
        progress=_progress(source),
    )
    told = report(made, run, measurer, strength=settings.strength)
    if report_to is not None:
        write_json(report_to, told)
    return told


def _progress(source: Source) -> Callable[[int], None]:
    """Says every few seconds how far a long file has come."""
    said_s = monotonic()

    def tell(done: int) -> None:
        nonlocal said_s
        if monotonic() - said_s >= _SAY_EVERY_S:
            said_s = monotonic()
            count = getattr(source, "frame_count", None)
            logger.info("%d of %s frames", done, count or "many")

    return tell


def check_paths(source: Path, out: Path, report_to: Path | None) -> None:
    """Refuse, before the work is done, to overwrite what is read or to lose the report.

    Raises:
        ConfigError: two of them are one file.
        SinkUnavailable: the report has no folder to stand in.
    """
    taken = {source.resolve()}
    for path in (out, report_to):
        if path is None:
            continue
        if path.resolve() in taken:
            msg = f"{path} is named twice; the input would be overwritten."
            raise ConfigError(msg, "Give the output a name of its own.")
        taken.add(path.resolve())
    if report_to is not None:
        check_folder(report_to)


def check_folder(path: Path) -> None:
    """Check that a report called ``path`` could stand there. Raises SinkUnavailable."""
    if not path.parent.is_dir():
        msg = f"{path} cannot be written: there is no such folder."
        raise SinkUnavailable(msg, f"Make the folder {path.parent} first.")
    if path.is_dir():
        msg = f"{path} is a folder."
        raise SinkUnavailable(msg, "Name a file.")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as exc:
        raise _unwritable(path, exc) from exc


def _unwritable(path: Path, why: OSError) -> SinkUnavailable:
    msg = f"The report {path} cannot be written: {why.strerror}."
    return SinkUnavailable(msg, "Choose a folder that exists and can be written.")


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a report in one step. Raises SinkUnavailable."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as exc:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise _unwritable(path, exc) from exc
