"""The composition root: names the concrete stages, in the order of the data flow."""

import itertools
import logging
import platform
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from facecloak import capture, inference, sink
from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.cloak.selector import Mix
from facecloak.cloak.slate import Slate
from facecloak.core import artifacts, bank
from facecloak.core.bank import Bank
from facecloak.core.errors import ArtifactError, DeviceError
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.ports import Sink, Source
from facecloak.core.stats import StageTimes
from facecloak.core.types import Face, Frame
from facecloak.face.mediapipe_finder import MediaPipeFinder
from facecloak.pipeline.guard import Guard, GuardSettings
from facecloak.pipeline.jury import InlineJury, Jury, ThreadJury
from facecloak.pipeline.protector import Protector
from facecloak.pipeline.runner import OpenSink
from facecloak.settings import Settings
from facecloak.sink.loopback import find_device
from facecloak.sink.recovering import RecoveringSink
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.tailor import LIVE, PATIENT, GradientTailor
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel

logger = logging.getLogger(__name__)

_SYSFS = Path("/sys/class/video4linux")
"""Where Linux lists video devices."""
_FITTINGS = 4
"""How often the first picture of a file is fitted to before it is protected."""


@dataclass(frozen=True, slots=True)
class Protection:
    """A protector, and what it was made of.

    Attributes:
        protector: what happens to each frame; close it once.
        cards: of the classifiers that judge.
        devices: where each of them runs.
        header: of the perturbation.
        budget: the most that is added to a channel, in 8-bit levels.
        displaced: the frame with its faces moved and nothing added: what the budget counts from.
        mixes: the shares of the perturbation's members that each face of a frame gets, by label.
        tailor: who makes members to measure for the faces; nobody where that is off.
    """

    protector: Protector
    cards: tuple[ModelCard, ...]
    devices: tuple[str, ...]
    header: Header
    budget: int
    displaced: Callable[[Frame, Sequence[Face]], Frame]
    mixes: Callable[[Frame, Sequence[Face]], Sequence[Mix]]
    tailor: GradientTailor | None

    @property
    def learns(self) -> bool:
        """Whether faces get something else once they were seen."""
        return self.tailor is not None or bool(self.header.answers)

    @property
    def rehearsals(self) -> int:
        """How often the first picture of a file is shown before, so that it gets that at once."""
        return _FITTINGS if self.tailor is not None else int(self.learns)

    def refit(self, given: Bank, strength: float) -> None:
        """Fit another perturbation to the faces, or at another strength. Any thread may."""
        if self.tailor is not None:
            self.tailor.begin_with(given, strength)


def cloak(settings: Settings) -> tuple[OpenCvCloak | OnnxCloak, Bank]:
    """What is added to faces, on CUDA where that is to be used and works; and what it was made of.

    Raises:
        ArtifactError: the perturbation is missing or not what it says.
        ConfigError: the strength leaves the budget.
        DeviceError: the device asked for does not work here.
    """
    given = bank.load(artifacts.perturbation(settings.perturbation))
    if settings.device != "cpu" and inference.why_no_cuda() is None:
        try:
            made = OnnxCloak(given, settings.strength, settings.device)
        except DeviceError:
            if settings.device == "cuda":
                raise
        else:
            if made.device == "cuda":
                return made, given
    return OpenCvCloak(given, settings.strength), given


def protection(settings: Settings, *, live: bool) -> Protection:
    """Put the stages together.

    Args:
        settings: what the user chose.
        live: judge in a thread of its own, a few times a second; otherwise every frame, in turn.

    Raises:
        ArtifactError: a model or perturbation is missing or not what it says.
        ConfigError: the strength leaves the budget.
        DeviceError: the device asked for does not work here.
    """
    made, given = cloak(settings)
    header = given.header
    classifiers = _judges(settings, live=live)
    times = StageTimes()
    panel = Panel(classifiers)
    guard = Guard(
        GuardSettings(
            hold_s=settings.hold_s,
            proof_s=settings.proof_s,
            empty_room="pass" if settings.empty_room == "pass" else "shield",
            unfooled="shield" if settings.unfooled == "shield" else "tell",
        )
    )
    finder = MediaPipeFinder(live=live)
    tailor = _tailor(settings, given, live=live)
    jury: Jury = InlineJury(panel, times, tailor=tailor)
    if live:
        jury = ThreadJury(panel, times, every_s=settings.judge_every_s, tailor=tailor)
    names = {classifier.card.name for classifier in classifiers}
    if header.selector and header.selector not in names:
        what = "%s, which chooses among %d perturbations, does not judge: every face gets the same"
        logger.warning(what, header.selector, 1 + len(header.answers))
    return Protection(
        protector=Protector(
            finder=finder, cloak=made, shield=Slate(), jury=jury, guard=guard, times=times
        ),
        cards=tuple(classifier.card for classifier in classifiers),
        devices=tuple(classifier.device for classifier in classifiers),
        header=header,
        budget=made.budget,
        displaced=made.displaced,
        mixes=made.mixes,
        tailor=tailor,
    )


def _tailor(settings: Settings, given: Bank, *, live: bool) -> GradientTailor | None:
    """Who fits the perturbation to each face; nobody where that is off. Files can wait for it."""
    if settings.tailor == "off":
        return None
    models = [GradientModel(path, settings.device) for path in artifacts.gradients()]
    if not models:
        what = "There is no gradient in models/gradients/ to fit a perturbation with."
        raise ArtifactError(what, "Reinstall FaceCloak, or switch that off by --tailor off.")
    pace = LIVE if live else PATIENT
    return GradientTailor(models, given, strength=settings.strength, pace=pace)


def _judges(settings: Settings, *, live: bool) -> list[OnnxClassifier]:
    """All classifiers; where they are to be fast, the smallest one of still faces alone."""
    if live and settings.judges == "fast":
        judges = list(itertools.islice(still_judges(settings), 1))
    else:
        judges = [OnnxClassifier(path, settings.device) for path in artifacts.models()]
    if all(judge.card.is_clip for judge in judges):
        what = "There is no classifier of still faces in models/."
        raise ArtifactError(what, "Reinstall FaceCloak.")
    return judges


def still_judges(settings: Settings) -> Iterator[OnnxClassifier]:
    """The classifiers of still faces, the smallest first, each loaded when it is asked for.

    Raises:
        ArtifactError: a model is missing or not what it says.
        DeviceError: the device asked for does not work here.
    """
    for path in sorted(artifacts.models(), key=lambda one: one.stat().st_size):
        judge = OnnxClassifier(path, settings.device)
        if not judge.card.is_clip:
            yield judge


def compositor(settings: Settings) -> Callable[[Perturbation], OpenCvCloak]:
    """What makes the compositor of the CPU for a perturbation, at the strength of the settings."""
    return lambda pattern: OpenCvCloak(Bank.of(pattern), settings.strength)


def finder() -> MediaPipeFinder:
    """What finds the faces of a recording, in turn. Close it once. Raises ArtifactError."""
    return MediaPipeFinder()


def source(
    settings: Settings,
    *,
    live: bool = False,
    seconds: float | None = None,
    wanted: Callable[[], bool] | None = None,
    patient: bool = False,
) -> Source:
    """The source that the settings name, not yet open. Raises ConfigError.

    Args:
        settings: what the user chose.
        live: let a file or the demo run at its own pace.
        seconds: how long the demo lasts.
        wanted: whether a camera shall be on now; always, if not given.
        patient: let a camera that is not there at first be looked for, instead of an error.
    """
    return capture.open_source(
        settings.source,
        size=(settings.width, settings.height),
        fps=settings.fps,
        live=live,
        seconds=seconds,
        wanted=wanted,
        patient=patient,
        own=lambda: find_device(_SYSFS),
    )


def watchers(settings: Settings) -> AbstractContextManager[Callable[[], bool] | None]:
    """Who tells whether the camera shall be on; nobody where it is on always.

    It shall not while there is no virtual camera.
    """
    when_watched = settings.camera_on == "watched" and virtual(settings.sink)
    if when_watched and platform.system() == "Linux":
        from facecloak.sink.watchers import CameraWatchers  # noqa: PLC0415 - Linux only

        def where() -> Path | None:
            return find_device(_SYSFS) if settings.sink == "virtual" else Path(settings.sink)

        return CameraWatchers(where)
    return nullcontext()


def rehearsal(settings: Settings, seconds: float) -> Source:
    """Two seconds of the demo portrait as the user's webcam would send them, over and over."""
    size = (settings.width, settings.height)
    return capture.RehearsedSource(capture.DemoSource(2.0), seconds, size=size)


def file(path: Path) -> Source:
    """The picture or video at ``path``, not yet open, whatever its name."""
    return capture.open_file(path)


def until(source: Source, stop: threading.Event, *, seconds: float | None) -> Source:
    """The file ``source``, but ending when ``stop`` is set or after so many seconds of it."""
    return capture.UntilSource(source, stop, seconds=seconds)


def hiding(source: Source, hidden: Callable[[], bool]) -> Source:
    """The same source, of which nothing is seen while the user hides."""
    return capture.HidingSource(source, hidden)


def sink_of(name: str, source: Source) -> OpenSink:
    """What makes the sink called ``name`` once the source is open; keeps a file's frame rate.

    A virtual camera that disappears is opened again as soon as it is back.
    """
    if virtual(name):
        return virtual_camera(name, patient=False)

    def open_sink(size: tuple[int, int], fps: float) -> Sink:
        rate, original = _rate_of(source, fps), sink.Original.of(source)
        return sink.open_sink(name, size=size, fps=rate, original=original)

    return open_sink


def virtual(name: str) -> bool:
    """Whether this sink is a virtual camera."""
    return name == "virtual" or name.startswith("/dev/video")


def virtual_camera(
    name: str, *, patient: bool
) -> Callable[[tuple[int, int], float], RecoveringSink]:
    """What makes the virtual camera called ``name``.

    Args:
        name: ``virtual`` or ``/dev/videoN``.
        patient: look for one that is not there at first, instead of an error.
    """

    def open_sink(size: tuple[int, int], fps: float) -> RecoveringSink:
        def make() -> Sink:
            return sink.open_sink(name, size=size, fps=fps)

        return RecoveringSink(make, name="the virtual camera", patient=patient)

    return open_sink


def file_sink(path: Path, source: Source, *, lossless: bool = False) -> OpenSink:
    """What makes the picture or video at ``path``, whatever its name, once the source is open."""

    def open_sink(_size: tuple[int, int], fps: float) -> Sink:
        rate, original = _rate_of(source, fps), sink.Original.of(source)
        return sink.open_file(path, fps=rate, lossless=lossless, original=original)

    return open_sink


def _rate_of(source: Source, fps: float) -> Fraction | float:
    """The exact frame rate of a file; ``fps`` of another source."""
    return getattr(source, "rate", None) or fps
