"""``facecloak run``: protect a camera, or a file, until Ctrl-C."""

import logging
import signal
import threading

from facecloak import app
from facecloak.commands.telling import summary
from facecloak.pipeline.live import Limits
from facecloak.pipeline.report import RunReport
from facecloak.pipeline.runner import run_file, run_live
from facecloak.settings import Settings

logger = logging.getLogger(__name__)

WATCHED = ("virtual", "preview")
"""Sinks that somebody watches, so that a file is shown at its own pace."""


def run(settings: Settings, *, seconds: float | None = None) -> RunReport:
    """Run until Ctrl-C, the end of a file, or ``seconds``.

    Raises:
        FaceCloakError: something failed; no raw frame went out.
    """
    source = app.source(settings, live=settings.sink in WATCHED, seconds=seconds)
    made = app.protection(settings, live=source.live)
    where = ", ".join(
        f"{card.name} on {device}" for card, device in zip(made.cards, made.devices, strict=True)
    )
    logger.info(
        "%s -> %s, changing at most %d of 255 levels, verified by %s; Ctrl-C ends it",
        settings.source,
        settings.sink,
        made.budget,
        where,
    )
    open_sink = app.sink_of(settings.sink, source)
    if source.live:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        limits = Limits(seconds=seconds)
        report = run_live(source, open_sink, made.protector, stop=stop, limits=limits)
    else:
        report = run_file(source, open_sink, made.protector)
    logger.info("%s", summary(report))
    return report
