"""Folds that were jobs of their own, pooled as if one command had done them all.

A report of one fold has what was said of each of its clips, as ``told``; the figures of a protocol
are those of all clips together, not means over folds.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecloak_train.measure.accuracy import confusion_matrix
from facecloak_train.measure.clips import clip_fooling, reading
from facecloak_train.tables.reports import CLIPS, Report


def pooled(reports: Sequence[Report]) -> list[Report]:
    """Folds of the same run as one report; the others as they are, in their order.

    Args:
        reports: of one kind, set and classifier. Where a fold comes several times, as for several
            seeds, its n-th belongs to the n-th run. Attacks of other budgets are other runs.
    """
    whole = [one for one in reports if "told" not in one.content]
    runs: dict[tuple[Any, int], list[Report]] = {}
    seen: dict[tuple[Any, str], int] = {}
    for one in reports:
        if "told" in one.content:
            budget, fold = one.content.get("eps"), one.content["fold"]
            number = seen[budget, fold] = seen.get((budget, fold), -1) + 1
            runs.setdefault((budget, number), []).append(one)
    return whole + [_together(parts) for parts in runs.values()]


def _together(parts: Sequence[Report]) -> Report:
    content = dict(parts[0].content)
    del content["told"], content["fold"]
    truth, who = _joined(parts, "truth"), _joined(parts, "who")
    classes = len(content["classes"])
    if parts[0].kind == CLIPS:
        said = _joined(parts, "said")
        content |= {
            "clips": len(truth),
            "subjects": len(np.unique(who)),
            "reading": dataclasses.asdict(reading(truth, said, who, classes)),
            "confusion": confusion_matrix(truth, said, classes).tolist(),
        }
    else:
        content |= {"folds": len(parts), "rows": _rows(parts, truth, who, classes)}
        if "published_levels" in content:
            levels = [one.content["published_levels"] for one in parts]
            content["published_levels"] = max(levels)
    return dataclasses.replace(parts[0], content=content)


def _joined(parts: Sequence[Report], name: str) -> NDArray[Any]:
    return np.concatenate([np.array(one.content["told"][name]) for one in parts])


def _rows(
    parts: Sequence[Report], truth: NDArray[Any], who: NDArray[Any], classes: int
) -> list[dict[str, Any]]:
    """The rows of an attack, measured anew on the clips of all folds."""
    told: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in parts:
        for row in one.content["rows"]:
            told.setdefault((row["net"], row["method"]), []).append(row["told"])
    rows = []
    for (net, method), answers in told.items():
        clean = np.concatenate([np.array(one["clean"]) for one in answers])
        attacked = np.concatenate([np.array(one["attacked"]) for one in answers], axis=1)
        figures = clip_fooling(truth, clean, attacked, who, classes)
        rows.append({"net": net, "method": method} | figures)
    return rows
