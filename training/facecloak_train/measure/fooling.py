"""What a perturbation does to a classifier, from its logits before and after."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecloak.verify import criteria
from facecloak.verify.criteria import Logits


@dataclass(frozen=True, slots=True)
class Fooling:
    """Figures over N faces.

    Attributes:
        faces: N.
        fooling_rate: share of faces whose most likely class changes.
        low, high: its 95 % Wilson interval.
        accuracy: share of cloaked faces classified rightly.
        clean_accuracy: the same before the cloak.
        sink_share: share of cloaked faces that go to the most frequent class.
        bits: mutual information of the true and the predicted class on cloaked faces, in bits.
        clean_bits: the same before the cloak.
    """

    faces: int
    fooling_rate: float
    low: float
    high: float
    accuracy: float
    clean_accuracy: float
    sink_share: float
    bits: float
    clean_bits: float


def fooling(clean: Logits, cloaked: Logits, truth: NDArray[np.int64]) -> Fooling:
    """Measure logits, both ``float32[N, C]``, against the true classes, ``int64[N]``, N > 0."""
    count = len(truth)
    classes = clean.shape[1]
    before, after = clean.argmax(axis=1), cloaked.argmax(axis=1)
    rate = float(criteria.fooled(clean, cloaked).mean())
    low, high = wilson(rate, count)
    return Fooling(
        faces=count,
        fooling_rate=rate,
        low=low,
        high=high,
        accuracy=float((after == truth).mean()),
        clean_accuracy=float((before == truth).mean()),
        sink_share=float(np.bincount(after, minlength=classes).max() / count),
        bits=mutual_information(truth, after, classes),
        clean_bits=mutual_information(truth, before, classes),
    )


def wilson(rate: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of Wilson (1927) for a share ``rate`` seen in ``count`` trials."""
    centre = (rate + z * z / (2 * count)) / (1 + z * z / count)
    half = (
        z / (1 + z * z / count) * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    )
    return max(0.0, centre - half), min(1.0, centre + half)


def mutual_information(
    truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> float:
    """Plug-in estimate of I(truth; predicted) in bits; biased upward by (C-1)^2 / (2 N ln 2)."""
    joint = np.zeros((classes, classes))
    np.add.at(joint, (truth, predicted), 1.0 / len(truth))
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log2(joint[seen] / independent[seen])).sum())
