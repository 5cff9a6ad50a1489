"""The table of one perturbation for all faces: every method, budget and victim.

Every perturbation is made against one classifier; the others never had a part in it. Lower bounds
are noise and patterns that nobody made, upper bounds attacks made for each face.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from facecloak_train.measure.pictures import curves
from facecloak_train.tables.fer2013 import SYSTEMS
from facecloak_train.tables.reports import UNIVERSAL, Report, Reports
from facecloak_train.tables.table import Table, head, row

_Cell = dict[str, float]
"""How many faces are fooled, by classifier; of several runs, such as seeds, the mean."""


def make(reports: Reports) -> Table:
    """How many faces each perturbation fools: its victim, and in brackets the mean of the others.

    One that is not made against anything, such as noise, has the same row whatever the victim.
    """
    used = [one for systems in reports[UNIVERSAL].values() for one in systems]
    cells, victims = _cells(used), list(dict.fromkeys(one.content["victim"] for one in used))
    methods = list(dict.fromkeys(method for method, _, _ in cells))
    budgets = sorted({eps for _, eps, _ in cells})
    faces = sorted({one.content["faces"] for one in used})
    training = sorted({one.content["training_faces"] for one in used})
    lines = [
        f"One perturbation for all faces, made from {_any_of(training)} training faces against one "
        f"classifier, on {_any_of(faces)} PrivateTest faces that stand in no other split, lossless "
        "and aligned exactly: how many the victim reads as another class, and in brackets the mean "
        "of the classifiers that it was not made against. Noise, chessboards and Perlin's noise "
        "are made against nothing, FGSM and PGD for each face.",
        "",
        *head(
            [
                "perturbation",
                "eps",
                *(f"against {_title(name)}" for name in victims),
                "unseen, mean",
            ]
        ),
    ]
    unseen = _unseen_means(cells)
    for method in methods:
        for eps in budgets:
            fooled = [_told(cells.get((method, eps, victim)), victim) for victim in victims]
            mean = unseen[method].get(eps, math.nan)
            told = "" if math.isnan(mean) else f"{mean:.1f} %"
            lines.append(row([method, f"{eps:g}", *fooled, told]))
    return Table("\n".join(lines), tuple(used))


def draw(reports: Reports, path: Path) -> None:
    """The mean over victims of how many faces are fooled that the attack never asked, by eps."""
    cells = _cells([one for systems in reports[UNIVERSAL].values() for one in systems])
    curves(
        path,
        {method: sorted(means.items()) for method, means in _unseen_means(cells).items()},
        start=(0.0, 0.0),
        labels=("eps, levels of 255", "read as another class by unseen classifiers, %"),
    )


def _cells(reports: Sequence[Report]) -> dict[tuple[str, float, str], _Cell]:
    found: dict[tuple[str, float, str], dict[str, list[float]]] = {}
    for report in reports:
        for told in report.content["rows"]:
            key = told["perturbation"], told["eps"], report.content["victim"]
            found.setdefault(key, {}).setdefault(told["network"], []).append(told["fooling_rate"])
    return {
        key: {name: sum(rates) / len(rates) for name, rates in cell.items()}
        for key, cell in found.items()
    }


def _unseen_means(cells: Mapping[tuple[str, float, str], _Cell]) -> dict[str, dict[float, float]]:
    """By method and budget, the mean in percent over all victims' other classifiers."""
    found: dict[str, dict[float, list[float]]] = {}
    for (method, eps, victim), cell in cells.items():
        rates = _unseen(cell, victim) or [math.nan]
        found.setdefault(method, {}).setdefault(eps, []).extend(rates)
    return {
        method: {eps: 100 * sum(rates) / len(rates) for eps, rates in by_eps.items()}
        for method, by_eps in found.items()
    }


def _unseen(cell: Mapping[str, float], victim: str) -> list[float]:
    return [rate for name, rate in cell.items() if name != victim]


def _told(cell: Mapping[str, float] | None, victim: str) -> str:
    if cell is None:
        return ""
    unseen = _unseen(cell, victim)
    rest = f" ({100 * sum(unseen) / len(unseen):.1f})" if unseen else ""
    return f"**{100 * cell[victim]:.1f} %**{rest}"


def _title(name: str) -> str:
    return SYSTEMS[name].title.partition(",")[0] if name in SYSTEMS else name


def _any_of(numbers: Sequence[int]) -> str:
    return " or ".join(map(str, numbers))
