"""The composition root: names the concrete stages between both ends of the data flow."""

import functools
import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from facecloak import inference
from facecloak.cloak.onnx_cloak import OnnxCloak
from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.cloak.selector import Mix
from facecloak.cloak.slate import Slate
from facecloak.core import artifacts, bank
from facecloak.core.bank import Bank
from facecloak.core.errors import ArtifactError, DeviceError
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import Header, Perturbation
from facecloak.core.stats import StageTimes
from facecloak.core.types import Face, Frame
from facecloak.face.mediapipe_finder import MediaPipeFinder
from facecloak.pipeline.guard import Guard, GuardSettings
from facecloak.pipeline.jury import InlineJury, Jury, ThreadJury
from facecloak.pipeline.protector import Protector
from facecloak.settings import Settings
from facecloak.tailor.gradient import GradientModel
from facecloak.tailor.tailor import LIVE, PATIENT, GradientTailor
from facecloak.verify.onnx_judge import OnnxClassifier
from facecloak.verify.panel import Panel

logger = logging.getLogger(__name__)

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


def _bank(name: str) -> Bank:
    """The perturbation called so, read and checked anew only where its file has changed."""
    path = artifacts.perturbation(name)
    try:
        changed_ns = path.stat().st_mtime_ns
    except OSError:  # which reading it tells better
        changed_ns = 0
    return _read(path, changed_ns)


@functools.lru_cache(maxsize=1)
def _read(path: Path, _changed_ns: int) -> Bank:
    return bank.load(path)


def cloak(settings: Settings) -> tuple[OpenCvCloak | OnnxCloak, Bank]:
    """What is added to faces, on CUDA where that is to be used and works; and what it was made of.

    Raises:
        ArtifactError: the perturbation is missing or not what it says.
        ConfigError: the strength leaves the budget.
        DeviceError: the device asked for does not work here.
    """
    given = _bank(settings.perturbation)
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
    remedy = "Reinstall FaceCloak, or switch that off by --tailor off."
    pace = LIVE if live else PATIENT
    return GradientTailor(gradients(settings, remedy), given, strength=settings.strength, pace=pace)


def gradients(settings: Settings, remedy: str = "Reinstall FaceCloak.") -> list[GradientModel]:
    """What perturbations are fitted to a face with.

    Raises:
        ArtifactError: there is none, and ``remedy`` helps; or one is not what it says.
        DeviceError: the device asked for does not work here.
    """
    models = [GradientModel(path, settings.device) for path in artifacts.gradients()]
    if not models:
        what = "There is no gradient in models/gradients/ to fit a perturbation with."
        raise ArtifactError(what, remedy)
    return models


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
