"""Looks at a face, and how far each judge is from misreading them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facecloak.calibrate.looks import Look, planes
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import Perturbation
from facecloak.core.ports import Cloak
from facecloak.verify import criteria
from facecloak.verify.criteria import Logits

MakeCloak = Callable[[Perturbation], Cloak]
"""The compositor for a perturbation, at the strength that is calibrated for."""


class Classifier(Protocol):
    """A classifier of still faces; ``verify.onnx_judge.OnnxClassifier`` is one."""

    card: ModelCard

    def logits(self, crops: NDArray[np.uint8]) -> Logits:
        """``uint8[N, S, S]`` to ``float32[N, C]``. Threads may share it."""
        ...


class Exam:
    """Some looks, what one classifier reads in them, and what it reads in them once cloaked.

    Args:
        classifier: who is asked.
        looks: at least one.
        cloak: makes the compositor.

    Raises:
        DeviceError: ONNX Runtime failed.
    """

    def __init__(self, classifier: Classifier, looks: Sequence[Look], cloak: MakeCloak) -> None:
        self._classifier = classifier
        self._looks = looks
        self._cloak = cloak
        self._clean = self._read(None)

    def outcome(self, perturbation: Perturbation) -> tuple[float, float]:
        """The share of the looks that are misread, and by how many logits another class leads."""
        cloaked = self._read(self._cloak(perturbation))
        rate = float(criteria.fooled(self._clean, cloaked).mean())
        return rate, float(criteria.leads(self._clean, cloaked).mean())

    def _read(self, cloak: Cloak | None) -> Logits:
        size_px = self._classifier.card.input_px
        return self._classifier.logits(planes(self._looks, cloak, size_px))
