"""How well clips are read: the figures of the micro-expression literature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecloak_train.measure.accuracy import confusion_matrix, unweighted_recall


@dataclass(frozen=True, slots=True)
class Reading:
    """Figures over clips, pooled over folds, each with a 95 % interval.

    Attributes:
        accuracy, uf1, uar: share read rightly; mean F1 and mean recall of the classes.
        intervals: of each, by name, low and high; of a bootstrap over subjects.
    """

    accuracy: float
    uf1: float
    uar: float
    intervals: dict[str, tuple[float, float]]


def reading(
    truth: NDArray[np.int64],
    said: NDArray[np.int64],
    subjects: NDArray[np.str_],
    classes: int,
    seed: int = 0,
) -> Reading:
    """Measure.

    Subjects are drawn anew, not clips, because clips of one person are alike. Source of UF1 and
    UAR: See et al., "MEGC 2019" (FG 2019, equations 1 to 3).

    Args:
        truth: ``int64[N]``.
        said: ``int64[N]``.
        subjects: who is seen in each clip.
        classes: number of them.
        seed: of the bootstrap.
    """
    counts = np.stack(
        [
            confusion_matrix(truth[subjects == one], said[subjects == one], classes)
            for one in np.unique(subjects)
        ]
    )
    draws = np.random.default_rng(seed).integers(0, len(counts), (1000, len(counts)))
    drawn = np.array([_figures(counts[draw].sum(axis=0)) for draw in draws])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    whole = _figures(counts.sum(axis=0))
    names = ("accuracy", "uf1", "uar")
    intervals = {
        name: (float(one), float(other)) for name, one, other in zip(names, low, high, strict=True)
    }
    return Reading(*whole, intervals=intervals)


def unweighted_f1(counts: NDArray[np.int64]) -> float:
    """The mean F1 of the classes that there are, of a confusion matrix, in ``[0, 1]``."""
    there = counts.sum(axis=1) > 0
    hits = np.diag(counts)
    f1 = 2.0 * hits / np.maximum(1, counts.sum(axis=0) + counts.sum(axis=1))
    return float(f1[there].mean())


def _figures(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    accuracy = float(np.trace(counts) / counts.sum())
    return accuracy, unweighted_f1(counts), unweighted_recall(counts)
