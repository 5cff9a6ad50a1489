"""What a perturbation is measured with at the far end: faces, cloaks, legs and classifiers."""

import contextlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from facecloak.core import bank as banks
from facecloak.tailor.gradient import GradientModel
from facecloak_train.data import fer2013
from facecloak_train.data.fer2013 import Faces
from facecloak_train.measure import landmark_rule
from facecloak_train.measure.calls import camera_noise
from facecloak_train.measure.choosing import Chooser
from facecloak_train.measure.codec import Leg, legs_of, missing
from facecloak_train.measure.far_end import FarEnd
from facecloak_train.measure.landmark_rule import LandmarkEyes, LandmarkRule
from facecloak_train.measure.laying import laid
from facecloak_train.measure.side_by_side import Measure
from facecloak_train.settings import EvaluateSettings
from facecloak_train.victims import opened

logger = logging.getLogger(__name__)

_LOOKED_AT_EVERY: Final = 10
"""What the eye sees is looked at in every tenth face; it hardly differs from face to face."""


class Evaluation:
    """What faces are measured with, here and in every worker.

    Attributes:
        private: the faces there are; those that stand in other splits are left out.
        left_out: how many those are.
        chosen: numbers of those to measure.
        legs, skipped: over which they are sent, and why not over others, by name.
        shipped: the perturbation.
        gradients: with which it is fitted.
        patterns: what is laid on faces, by kind.
        victims: who reads them; the rule on landmarks once :meth:`measure` was called.
        folder: where what was found so far is kept.
        told: what else a report tells.
    """

    def __init__(self, settings: EvaluateSettings) -> None:
        self._settings = settings
        self.legs, self.skipped = _legs(settings.legs)
        self._splits = fer2013.read_npz(settings.data)
        private, known = self._splits["PrivateTest"], self._splits["Training"]
        self.private = fer2013.without(private, known, self._splits["PublicTest"])
        self.left_out = len(private) - len(self.private)
        self.chosen = _drawn(self.private, settings.faces, settings.seed)
        self.shipped = banks.load(settings.perturbation)
        self.gradients = [GradientModel(path) for path in settings.tailor]
        self.patterns, self._cloaks = laid(settings, self.shipped, self.gradients)
        self.victims = opened(settings.models, known, settings.input_px)
        self.folder = settings.out.with_suffix(".progress")
        self.told: dict[str, Any] = {}

    def measure(self, entered: contextlib.ExitStack) -> Measure:
        """What measures faces by their numbers, until ``entered`` is left."""
        settings = self._settings
        if settings.landmarks:
            eyes = entered.enter_context(LandmarkEyes())
            rule = _landmark_rule(eyes, self._splits, settings, self.folder)
            self.victims.append(rule)
            self.told = {"landmark_rule": rule.told}
        noise = camera_noise(settings.noise, settings.pictures, settings.seed)
        chooser, seed = Chooser(self.shipped), settings.seed
        far_end = FarEnd(self.legs, self._cloaks, chooser, self.victims, noise=noise, seed=seed)
        looked_at = frozenset(self.chosen[::_LOOKED_AT_EVERY])
        return lambda numbers: far_end.measure(self.private, numbers, looked_at)


def begin(settings: EvaluateSettings) -> Measure:
    """What a worker measures with, as long as it lives."""
    return Evaluation(settings).measure(contextlib.ExitStack())


def _legs(keys: Iterable[str]) -> tuple[list[Leg], dict[str, str]]:
    """The legs that this machine can send over, and why it cannot over others, by name."""
    asked = legs_of(keys)
    skipped = {leg.name: why for leg in asked if (why := missing(leg))}
    for name, why in skipped.items():
        logger.info("%s is left out: %s", name, why)
    legs = [leg for leg in asked if leg.name not in skipped]
    if not legs:
        msg = "this machine can send over none of these legs; choose others by --legs"
        raise ValueError(msg)
    return legs, skipped


def _drawn(faces: Faces, count: int, seed: int) -> list[int]:
    order = np.random.default_rng(seed).permutation(len(faces))
    return [int(number) for number in order[:count]]


def _landmark_rule(
    eyes: LandmarkEyes, splits: Mapping[str, Faces], settings: EvaluateSettings, folder: Path
) -> LandmarkRule:
    """The rule, fitted anew where it does not stand in the folder."""
    path = folder / "landmark-rule.safetensors"
    if not path.is_file():
        training, public = (
            _some(splits[split], count, settings.seed)
            for split, count in (
                ("Training", settings.landmark_faces),
                ("PublicTest", settings.landmark_faces // 4),
            )
        )
        landmark_rule.fit(path, training, public, eyes)
    return LandmarkRule(eyes, path)


def _some(faces: Faces, count: int, seed: int) -> Faces:
    drawn = _drawn(faces, count, seed)
    return Faces(faces.images[drawn], faces.labels[drawn])
