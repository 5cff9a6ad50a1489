"""How well clips are read: the figures of the micro-expression literature."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from facecloak_train.measure.accuracy import confusion_matrix, unweighted_recall
from facecloak_train.measure.fooling import mutual_information

ENOUGH_SUBJECTS: Final = 8
"""From how many people on an interval over them is told: that of two people, drawn anew, would
reach from the figures of one to those of the other, and of few it is too narrow."""


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


def clip_fooling(
    truth: NDArray[np.int64],
    clean: NDArray[np.int64],
    attacked: NDArray[np.int64],
    subjects: NDArray[np.str_],
    classes: int,
) -> dict[str, Any]:
    """What an attack leaves of a classifier of clips, at the offset at which it fools least.

    Args:
        truth: ``int64[N]``.
        clean: ``int64[N]``, what is said of the clips as they are.
        attacked: ``int64[O, N]``, of the attacked ones, for each time at which a clip may begin.
        subjects: who is seen in each clip.
        classes: number of them.

    Returns:
        ``fooling_rate`` at the worst offset with its interval over subjects, and its mean over
        offsets; at the worst offset ``uar`` with its interval, ``sink_share`` and ``bits``, the
        mutual information of truth and answer; ``clean_uar`` and ``clean_bits`` beside them.
    """
    changed = attacked != clean
    worst = int(changed.mean(axis=1).argmin())
    people = [subjects == one for one in np.unique(subjects)]
    draws = np.random.default_rng(0).integers(0, len(people), (1000, len(people)))
    shares = np.array([[changed[worst][who].sum(), who.sum()] for who in people])
    drawn = shares[draws].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    after = reading(truth, attacked[worst], subjects, classes)
    return {
        "clips": len(truth),
        "subjects": len(people),
        "fooling_rate": float(changed[worst].mean()),
        "low": float(low),
        "high": float(high),
        "mean_fooling_rate": float(changed.mean()),
        "clean_uar": reading(truth, clean, subjects, classes).uar,
        "uar": after.uar,
        "uar_interval": after.intervals["uar"],
        "sink_share": float(np.bincount(attacked[worst], minlength=classes).max() / len(truth)),
        "clean_bits": mutual_information(confusion_matrix(truth, clean, classes)),
        "bits": mutual_information(confusion_matrix(truth, attacked[worst], classes)),
    }
