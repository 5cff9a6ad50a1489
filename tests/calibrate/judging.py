"""Classifiers that a test can see through."""

from collections.abc import Callable

import numpy as np

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core.bank import Bank
from facecloak.core.modelcard import ModelCard
from facecloak.core.perturbation import Header, Perturbation

SIZE_PX = 24


class Judge:
    """Two classes; the lead of the second one is a function of the faces in levels.

    Args:
        lead: ``float64[N, S, S]`` to ``float64[N]``.
    """

    def __init__(self, lead: Callable[[np.ndarray], np.ndarray], name: str = "Judge") -> None:
        self.card = ModelCard(
            name=name, architecture="test", labels=("sad", "happy"), input_px=SIZE_PX, dataset="-"
        )
        self._lead = lead

    def logits(self, crops: np.ndarray) -> np.ndarray:
        assert crops.dtype == np.uint8
        assert crops.shape[1:] == (SIZE_PX, SIZE_PX)
        lead = self._lead(crops.astype(float))
        return np.stack([np.zeros_like(lead), lead], axis=1).astype(np.float32)


def still(cells: int = 8, eps: float = 8.0, level: float = 1.0) -> Perturbation:
    """A nearly empty pattern without a displacement."""
    header = Header(eps=eps, method="test", seed=0, datasets=("none",), victims=())
    return Perturbation(header, np.full((cells, cells), level, np.float32))


def rounds(count: int) -> Callable[[], float]:
    """The share of a search that is over, where it has so many rounds."""
    asked = iter(range(count + 1))
    return lambda: next(asked) / count if count else 1.0


def cloak(perturbation: Perturbation) -> OpenCvCloak:
    return OpenCvCloak(Bank.of(perturbation))
