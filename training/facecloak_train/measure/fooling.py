"""What a perturbation does to a classifier, from its logits before and after."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak.verify import criteria
from facecloak.verify.criteria import Logits
from facecloak_train.measure.accuracy import confusion_matrix, unweighted_recall

_RESAMPLES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fooling:
    """Figures over N faces, with 95 % intervals over faces.

    Attributes:
        faces: N.
        fooling_rate: share of faces whose most likely class changes.
        low, high: its interval by Wilson.
        accuracy: share of cloaked faces classified rightly.
        accuracy_low, accuracy_high: its interval by Wilson.
        clean_accuracy: the same share before the cloak.
        uar: unweighted average recall of the classes that there are, on cloaked faces.
        uar_low, uar_high: its interval, see :func:`bootstrapped`.
        clean_uar: the same recall before the cloak.
        sink_share: share of cloaked faces that go to the most frequent class.
        bits: mutual information of the true and the predicted class on cloaked faces, in bits.
        bits_beyond_chance: the same without what as many faces would show by chance.
        bits_beyond_chance_low, bits_beyond_chance_high: its interval, see :func:`about`.
        clean_bits, clean_bits_beyond_chance: the same information before the cloak.
    """

    faces: int
    fooling_rate: float
    low: float
    high: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    clean_accuracy: float
    uar: float
    uar_low: float
    uar_high: float
    clean_uar: float
    sink_share: float
    bits: float
    bits_beyond_chance: float
    bits_beyond_chance_low: float
    bits_beyond_chance_high: float
    clean_bits: float
    clean_bits_beyond_chance: float


def fooling(clean: Logits, cloaked: Logits, truth: NDArray[np.int64]) -> Fooling:
    """Measure logits, both ``float32[N, C]``, against the true classes, ``int64[N]``, N > 0."""
    count = len(truth)
    classes = clean.shape[1]
    counts, clean_counts = (
        confusion_matrix(truth, logits.argmax(axis=1), classes) for logits in (cloaked, clean)
    )
    rate = float(criteria.fooled(clean, cloaked).mean())
    accuracy, clean_accuracy = (float(np.trace(one) / count) for one in (counts, clean_counts))
    low, high = wilson(rate, count)
    accuracy_low, accuracy_high = wilson(accuracy, count)
    uar_low, uar_high = bootstrapped(unweighted_recall, counts)
    beyond = information_beyond_chance(counts)
    beyond_low, beyond_high = about(beyond, mutual_information, counts)
    return Fooling(
        faces=count,
        fooling_rate=rate,
        low=low,
        high=high,
        accuracy=accuracy,
        accuracy_low=accuracy_low,
        accuracy_high=accuracy_high,
        clean_accuracy=clean_accuracy,
        uar=unweighted_recall(counts),
        uar_low=uar_low,
        uar_high=min(1.0, uar_high),
        clean_uar=unweighted_recall(clean_counts),
        sink_share=float(counts.sum(axis=0).max() / count),
        bits=mutual_information(counts),
        bits_beyond_chance=beyond,
        bits_beyond_chance_low=beyond_low,
        bits_beyond_chance_high=beyond_high,
        clean_bits=mutual_information(clean_counts),
        clean_bits_beyond_chance=information_beyond_chance(clean_counts),
    )


def fooling_of_readings(
    clean: NDArray[np.int64], cloaked: NDArray[np.int64], truth: NDArray[np.int64], classes: int
) -> Fooling:
    """The same of what was read, ``int64[N]`` each, where the logits are gone."""
    certain = np.eye(classes, dtype=np.float32)
    return fooling(certain[clean], certain[cloaked], truth)


def wilson(rate: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of Wilson (1927) for a share ``rate`` seen in ``count`` trials."""
    centre = (rate + z * z / (2 * count)) / (1 + z * z / count)
    half = (
        z / (1 + z * z / count) * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    )
    # Of none or all, rounding would leave the share itself outside.
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def mutual_information(counts: NDArray[np.int64]) -> float:
    """Plug-in estimate of I(truth; predicted) in bits, from ``int64[C, C]``, one by the other.

    It is biased upward by about (C-1)^2 / (2 N ln 2).
    """
    joint = counts / counts.sum()
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log2(joint[seen] / independent[seen])).sum())


def information_beyond_chance(counts: NDArray[np.int64]) -> float:
    """Mutual information in bits less what is to be expected of as many faces that tell nothing.

    From the plug-in estimate its mean over all ways to pair the same truths with the same answers
    is taken, which is known in closed form. Source: Vinh, Epps and Bailey, "Information Theoretic
    Measures for Clusterings Comparison" (JMLR 11, 2010), the expected mutual information under
    the hypergeometric model. For faces that tell nothing it is zero in the mean before it is cut
    at zero. Of faces that tell much more is taken off than the estimate is too large by.
    """
    total = int(counts.sum())
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, total + 1)))])
    chance = 0.0
    for row, column in itertools.product(counts.sum(axis=1), counts.sum(axis=0)):
        both = np.arange(max(1, row + column - total), min(row, column) + 1)
        if not len(both):
            continue
        ways = (row, column, total - row, total - column)
        parts = (np.array(total), both, row - both, column - both, total - row - column + both)
        log_share = sum(log_factorials[one] for one in ways) - sum(
            log_factorials[one] for one in parts
        )
        told = both / total * np.log2(both * total / (row * column))
        chance += float((np.exp(log_share) * told).sum())
    return max(0.0, mutual_information(counts) - chance)


def bootstrapped(
    figure: Callable[[NDArray[np.int64]], float], counts: NDArray[np.int64]
) -> tuple[float, float]:
    """The 95 % interval of a figure that is at least zero, by drawing the faces again.

    It is the basic one: how far the figure of drawn faces lies from that of all faces, bias and
    all, is how far that one is held to lie from the truth. Source: Davison and Hinkley, "Bootstrap
    Methods and their Application" (1997), section 5.2.

    Args:
        figure: of a confusion matrix.
        counts: ``int64[C, C]``, true class by predicted class.
    """
    again = _drawn_again(figure, counts)
    few, many = np.quantile(again, [0.025, 0.975])
    middle = 2.0 * figure(counts)
    return max(0.0, middle - float(many)), max(0.0, middle - float(few))


def about(
    value: float, figure: Callable[[NDArray[np.int64]], float], counts: NDArray[np.int64]
) -> tuple[float, float]:
    """The 95 % interval about a figure without its bias, by its error when drawn again.

    The normal one of Davison and Hinkley, section 5.2; never below zero.

    Args:
        value: the figure without its bias.
        figure: of a confusion matrix, with its bias.
        counts: ``int64[C, C]``, true class by predicted class.
    """
    half = 1.96 * float(np.std(_drawn_again(figure, counts)))
    return max(0.0, value - half), max(0.0, value + half)


def _drawn_again(
    figure: Callable[[NDArray[np.int64]], float], counts: NDArray[np.int64]
) -> list[float]:
    total = int(counts.sum())
    drawn = np.random.default_rng(0).multinomial(total, counts.ravel() / total, _RESAMPLES)
    return [figure(one.reshape(counts.shape)) for one in drawn]
