"""``facecloak run``: protect a camera, or a file, until Ctrl-C."""

import logging
import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from facecloak import app, endpoints
from facecloak.commands.telling import summary
from facecloak.core.ports import Sink, Source
from facecloak.core.types import Frame
from facecloak.pipeline.live import HANG_S, Limits
from facecloak.pipeline.report import RunReport
from facecloak.pipeline.runner import run_file, run_live
from facecloak.settings import Settings
from facecloak.sink import SinkClosed

logger = logging.getLogger(__name__)


def run(settings: Settings, *, seconds: float | None = None) -> RunReport:
    """Run until Ctrl-C, the end of a file, ``seconds``, or until nobody watches the sink any more.

    The demo runs like a webcam, a file at its own pace where somebody watches it, and from file to
    file every frame in turn. Belongs to the main thread: signals and windows do.

    Raises:
        FaceCloakError: something failed; no raw frame went out.
    """
    live = settings.source == "demo" or watched(settings.sink)
    with endpoints.watchers(settings) as wanted:
        source = endpoints.source(settings, live=live, seconds=seconds, wanted=wanted)
        return _run(settings, source, seconds)


def _run(settings: Settings, source: Source, seconds: float | None) -> RunReport:
    made = app.protection(settings, live=source.live)
    judges = ", ".join(
        f"{card.name} on {device}" for card, device in zip(made.cards, made.devices, strict=True)
    )
    shift = made.header.shift * settings.strength
    choosing = ""
    if made.header.answers:
        count = 1 + len(made.header.answers)
        choosing = f"with one of {count} perturbations as {made.header.selector} reads the face, "
    if made.tailor is not None:
        choosing += "fitted to each face once it is seen, "
    moving = f"moving faces by at most {100 * shift:.2g} % of their width, " if shift else ""
    started = (
        f"{settings.source} -> {settings.sink}, {choosing}{moving}changing at most "
        f"{made.budget} of 255 levels, verified by {judges}; Ctrl-C ends it"
    )
    stop = threading.Event()
    named = endpoints.sink_of(settings.sink, source)

    def open_sink(size: tuple[int, int], fps: float) -> Sink:
        return _Announced(named(size, fps), stop, started)

    with signals_set(stop):
        if source.live:
            hang_s = HANG_S if endpoints.virtual(settings.sink) else None
            limits = Limits(seconds=seconds, lost_after_s=math.inf, start_s=math.inf, hang_s=hang_s)
            report = run_live(source, open_sink, made.protector, stop=stop, limits=limits)
        else:
            file = endpoints.until(source, stop, seconds=seconds)
            rehearsals = made.rehearsals
            report = run_file(file, open_sink, made.protector, rehearsals=rehearsals)
    logger.info("%s", summary(report))
    return report


def watched(sink: str) -> bool:
    """Whether somebody looks at this sink while it runs, so that a file keeps its own pace."""
    return sink == "preview" or endpoints.virtual(sink)


class _Announced:
    """A sink that says when it is open, and ends the run once nobody watches it.

    Args:
        sink: the sink itself.
        stop: is set when it raises SinkClosed.
        started: what to say.
    """

    def __init__(self, sink: Sink, stop: threading.Event, started: str) -> None:
        self._sink = sink
        self._stop = stop
        self._started = started

    def __enter__(self) -> Self:
        self._sink.__enter__()
        logger.info("%s", self._started)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._sink.__exit__(kind, exc, tb)

    def write(self, frame: Frame) -> None:
        """Pass the frame on. Raises SinkUnavailable."""
        try:
            self._sink.write(frame)
        except SinkClosed as exc:
            logger.info("%s", exc)
            self._stop.set()


@contextmanager
def signals_set(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C end the run cleanly; a second one ends it at once."""

    def end(number: int, _frame: object) -> None:
        stop.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
