"""Runs the pipeline in a thread of its own, as the user wishes, however often devices fail."""

import dataclasses
import logging
import math
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

from facecloak import app, endpoints
from facecloak.cloak.slate import Slate
from facecloak.core.errors import FaceCloakError, SinkUnavailable
from facecloak.core.ports import Sink
from facecloak.core.types import Frame
from facecloak.pipeline.escalation import Escalation, ladder
from facecloak.pipeline.live import HANG_S, Limits
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.runner import OpenSink, run_live
from facecloak.pipeline.worker import Worker
from facecloak.session.moment import Moment
from facecloak.session.recorder import Recorder
from facecloak.settings import Settings

logger = logging.getLogger(__name__)

GENTLE: Final = frozenset(
    {"strength", "max_strength", "perturbation", "start_in", "language", "hotkey"}
)
"""Settings that change while the run goes on; every other one begins it anew."""
_PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)
_CLOSING_S: Final = 5.0


class Session:
    """One virtual camera, served from entering until leaving. Any thread may call it.

    The virtual camera stays open from one run to the next, so that a call keeps it. What fails is a
    problem of the moment, and tried again.

    Args:
        settings: what the user chose.
        others: names of perturbations to go over to while a classifier reads the face.
    """

    def __init__(self, settings: Settings, *, others: tuple[str, ...] = ()) -> None:
        self.recorder = Recorder()
        self._settings = settings
        self._others = others
        self._on = True
        self._hidden = False
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._again = threading.Event()
        self._made: app.Protection | None = None
        self._escalation = self._fresh_escalation(settings)
        self._renewed = settings
        self._failure: FaceCloakError | None = None
        self._cloak_failure: FaceCloakError | None = None
        self._source: Any = None
        self._sink: Sink | None = None
        self._sink_is: object = None
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        self._worker = Worker("session", self._work, self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._closed.set()
        self._again.set()
        if self._worker is not None:
            self._worker.join(_CLOSING_S)

    def change(self, settings: Settings) -> None:
        """Go on with other settings; what changes gently does so without a gap."""
        with self._lock:
            before, self._settings = self._settings, settings
        if _weighty(before) != _weighty(settings):
            self._again.set()

    def switch(self, *, on: bool) -> None:
        """Protect, or show the picture as captured. The one way to a raw picture."""
        with self._lock:
            self._on = on
            if self._made is not None:
                self._made.protector.switch(on=on)

    @property
    def hidden(self) -> bool:
        """Whether the user hides."""
        return self._hidden

    def hide(self, *, hidden: bool) -> None:
        """Turn the camera off and show the slate, or go on."""
        self._hidden = hidden

    def moment(self) -> Moment:
        """What there is to see now."""
        rung = self._escalation.rung
        raised = (rung.perturbation, rung.strength) != (
            self._renewed.perturbation,
            self._renewed.strength,
        )
        return Moment(
            protecting=self._on,
            hidden=self._hidden,
            strength=rung.strength,
            perturbation=rung.perturbation,
            raised=raised,
            exhausted=raised and self._escalation.exhausted,
            problems=self._problems(),
            **self.recorder.seen(),
        )

    def _problems(self) -> tuple[FaceCloakError, ...]:
        died = self._worker.error if self._worker is not None else None
        if died is not None and not isinstance(died, FaceCloakError):
            what = f"An error of FaceCloak itself ended the session ({type(died).__name__})."
            died = FaceCloakError(what, "Start FaceCloak again, with --debug to see where.")
        candidates = (
            died,
            self._failure,
            self._cloak_failure,
            getattr(self._source, "problem", None),
            getattr(self._sink, "problem", None),
        )
        return tuple(problem for problem in candidates if isinstance(problem, FaceCloakError))

    def _work(self) -> None:
        failures = 0
        while True:
            self._again.clear()
            if self._closed.is_set():  # looked at after clearing: closing sets both
                return
            try:
                self._run(self._settings)
                failures = 0
            except FaceCloakError as exc:
                if self._failure is None or self._failure.what != exc.what:
                    logger.warning("%s", exc)
                self._failure = exc
                self.recorder.forget()
                self._again.wait(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
                failures += 1

    def _run(self, settings: Settings) -> None:
        """One run, until weighty settings change. Raises FaceCloakError."""
        self.recorder.forget()
        made = app.protection(settings, live=True)
        self.recorder.follow(made.displaced, made.mixes if made.learns else None)
        with self._lock:
            self._made = made
            made.protector.switch(on=self._on)
        self._renew(settings)
        with endpoints.watchers(settings) as watched:

            def wanted() -> bool:
                return not self._hidden and (self.recorder.visible or watched is None or watched())

            source = endpoints.source(settings, live=True, wanted=wanted, patient=True)
            self._source = endpoints.hiding(source, lambda: self._hidden)
            run_live(
                self._source,
                self._lending(settings),
                made.protector,
                stop=self._again,
                limits=Limits(lost_after_s=math.inf, start_s=math.inf, hang_s=_hang_s(settings)),
                observe=self._observe,
                hangs=self._hangs,
            )

    def _hangs(self) -> None:
        what = "FaceCloak has not finished a picture for more than a second; the slate is shown."
        self._failure = FaceCloakError(what, "If it stays so, quit FaceCloak and start it again.")
        self.recorder.forget()

    def _observe(self, clean: Frame | None, protected: Protected) -> None:
        made = self._made
        if made is None:
            return
        self._failure = None
        self.recorder.see(clean, protected, made.protector.times)
        with self._lock:
            settings = self._settings
        if _cloaking(settings) != _cloaking(self._renewed):
            self._renew(settings)
            self._cloak(settings)
        if made.protector.protecting:
            rung = self._escalation.hear(protected.verdicts, protected.frame.captured_s)
            if rung is not None:
                logger.warning(
                    "a classifier still reads the face: now %s at strength %.2f",
                    rung.perturbation,
                    rung.strength,
                )
                self._cloak(
                    dataclasses.replace(
                        settings, perturbation=rung.perturbation, strength=rung.strength
                    )
                )

    def _renew(self, settings: Settings) -> None:
        self._renewed = settings
        self._escalation = self._fresh_escalation(settings)
        self._cloak_failure = None
        self.recorder.forget_readings()

    def _cloak(self, settings: Settings) -> None:
        """Cloak with another perturbation or strength from the next frame on."""
        try:
            cloak, given = app.cloak(settings)
        except FaceCloakError as exc:
            self._cloak_failure = exc
            logger.warning("%s", exc)
            return
        made = self._made
        learns = bool(given.header.answers) or (made is not None and made.tailor is not None)
        self.recorder.follow(cloak.displaced, cloak.mixes if learns else None)
        if made is not None:
            made.refit(given, settings.strength)
            made.protector.renew(cloak)

    def _fresh_escalation(self, settings: Settings) -> Escalation:
        return Escalation(
            ladder(
                settings.perturbation,
                settings.strength,
                highest=settings.max_strength,
                others=self._others,
            )
        )

    def _lending(self, settings: Settings) -> OpenSink:
        """Makes the sink, or lends the one that is open, if it is of the same name and size."""

        def open_sink(size: tuple[int, int], fps: float) -> Sink:
            asked = (settings.sink, size, fps)
            if self._sink is None or self._sink_is != asked:
                self._close_sink()
                if endpoints.virtual(settings.sink):
                    sink: Sink = endpoints.virtual_camera(settings.sink, patient=True)(size, fps)
                else:
                    sink = endpoints.sink_of(settings.sink, self._source)(size, fps)
                sink.__enter__()
                self._sink, self._sink_is = sink, asked
            return _Lent(self._sink)

        return open_sink

    def _close_sink(self) -> None:
        if self._sink is not None:
            sink, self._sink = self._sink, None
            sink.__exit__(None, None, None)

    def _end(self) -> None:
        self.recorder.forget()  # what it saw last is not what the call sees now
        self._close_sink()


class _Lent:
    """A sink that stays open when the run that uses it ends, showing the slate from then on."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._last: Frame | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._last is not None and not isinstance(exc, SinkUnavailable):
            height, width = self._last.image.shape[:2]
            with suppress(SinkUnavailable):
                self._sink.write(self._last.with_image(Slate().slate(width, height)))

    def write(self, frame: Frame) -> None:
        """Pass the frame on. Raises SinkUnavailable."""
        self._last = frame
        self._sink.write(frame)


def _hang_s(settings: Settings) -> float | None:
    """After what time a hang is told: the last frame stands in a virtual camera."""
    return HANG_S if endpoints.virtual(settings.sink) else None


def _cloaking(settings: Settings) -> tuple[str, float, float]:
    """The settings that another cloak, or another ladder, is made for."""
    return settings.perturbation, settings.strength, settings.max_strength


def _weighty(settings: Settings) -> dict[str, Any]:
    return {k: v for k, v in dataclasses.asdict(settings).items() if k not in GENTLE}
