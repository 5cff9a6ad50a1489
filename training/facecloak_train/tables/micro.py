"""The table of micro-expressions: every set and classifier, published and measured side by side.

Published figures: accuracies of Reddy et al. (arXiv 1904.01390, tables V and VIII), the best epoch
of one random 80/20 split in which people stand in both parts. LEARNet's paper gives gains over
other networks; its absolute figures could not be checked and are left out.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from facecloak_train.measure.clips import ENOUGH_SUBJECTS
from facecloak_train.measure.pictures import standings
from facecloak_train.tables.pooling import pooled
from facecloak_train.tables.reports import CLIP_ATTACK, CLIPS, Report, Reports
from facecloak_train.tables.table import Table, head, mean_of, row

DATASETS: Final = {
    "synthetic": "synthetic stand-in",
    "synthetic-small": "synthetic stand-in, small",
    "casme": "CASME",
    "casme2": "CASME II",
    "casme-squared": "CAS(ME)^2",
    "smic": "SMIC",
}
NETS: Final = {
    "stcnn": "MicroExpSTCNN",
    "fusenet-intermediate": "FuseNet, intermediate",
    "fusenet-late": "FuseNet, late",
    "learnet": "LEARNet",
}
PUBLISHED: Final = {
    ("casme-squared", "stcnn"): 87.80,
    ("casme-squared", "fusenet-intermediate"): 83.25,
    ("casme-squared", "fusenet-late"): 79.31,
    ("smic", "stcnn"): 68.75,
    ("smic", "fusenet-intermediate"): 54.77,
    ("smic", "fusenet-late"): 64.82,
}
"""Percent of clips read rightly, 80/20."""
_DRAWN_EPS: Final = 8.0
"""The budget, in levels, under which classifiers are drawn."""
_OWN: Final = "FaceCloak"
"""How the name of this project's own perturbation begins."""


def make(reports: Reports) -> Table:
    """How rightly clips are read, and one table for each way in which they were attacked."""
    scores = {key: pooled(told) for key, told in reports[CLIPS].items()}
    attacks = [one for told in reports[CLIP_ATTACK].values() for one in pooled(told)]
    lines = [
        "How rightly clips of people who were left out are read, all folds together; in brackets "
        f"the 95 % interval over subjects, of {ENOUGH_SUBJECTS} or more. Published is one random "
        "80/20 split with people in both parts, its best epoch.",
        "",
        *head(
            [
                "set",
                "classifier",
                "protocol",
                "clips, people, classes",
                "accuracy",
                "UF1",
                "UAR",
                "published accuracy",
            ]
        ),
    ]
    order = [(dataset, net) for dataset in DATASETS for net in NETS]
    keys = [one for one in dict.fromkeys([*order, *scores]) if one in scores or one in PUBLISHED]
    lines += [_scored(key, scores.get(key, ())) for key in keys]
    for (dataset, *_), told in _alike(attacks).items():
        lines += ["", _conditions(dataset, told), "", *head(_ATTACKED)]
        lines += [_attacked(rows, f"{eps:g}") for (_, _, eps), rows in _means(told).items()]
    made = [reports[kind][key] for kind in (CLIPS, CLIP_ATTACK) for key in reports[kind]]
    return Table("\n".join(lines), tuple(one for told in made for one in told))


def draw(reports: Reports, path: Path) -> None:
    """The mean recall of the classes, clean and under attack; nothing where none was scored."""
    measured = {
        f"{_dataset(dataset)}, {_net(net)}": pooled(told)[0].content
        for (dataset, net), told in reports[CLIPS].items()
    }
    if not measured:
        return
    standings(
        path,
        {name: _recall(told) for name, told in measured.items()},
        {f"under attack, {_DRAWN_EPS:g} levels, worst offset": _left(reports)},
        "mean recall of the classes (UAR), %",
    )


def _recall(told: Mapping[str, Any]) -> tuple[float, ...]:
    """UAR in percent, and the ends of its interval where there are people enough for one."""
    ends = told["reading"]["intervals"]["uar"] if told["subjects"] >= ENOUGH_SUBJECTS else ()
    return tuple(100 * value for value in (told["reading"]["uar"], *ends))


def _left(reports: Reports) -> dict[str, float]:
    """What this project's perturbations leave of each classifier, the strongest of each."""
    found: dict[str, float] = {}
    for (dataset, _), told in reports[CLIP_ATTACK].items():
        for one in pooled(told):
            for rows in one.content["rows"]:
                if rows["method"].startswith(_OWN) and one.content["eps"] == _DRAWN_EPS:
                    name = f"{_dataset(dataset)}, {_net(rows['net'])}"
                    found[name] = min(found.get(name, 100.0), 100 * rows["uar"])
    return found


def _dataset(name: str) -> str:
    return DATASETS.get(name, name)


def _net(name: str) -> str:
    return NETS.get(name, name)


def _alike(attacks: Sequence[Report]) -> dict[tuple[str, bool, int, int], list[Report]]:
    """Attacks that stand in one table: of one set, one after the other, by rising budget."""
    found: dict[tuple[str, bool, int, int], list[Report]] = {}
    for one in sorted(attacks, key=lambda report: float(report.content["eps"])):
        joint = len({rows["net"] for rows in one.content["rows"]}) > 1
        key = one.dataset, joint, one.content["folds"], one.content["offsets"]
        found.setdefault(key, []).append(one)
    for told in found.values():
        told.sort(key=lambda report: str(report.content["rows"][0]["net"]))
    return found


def _means(told: Sequence[Report]) -> dict[tuple[str, str, float], dict[str, Any]]:
    """The rows by classifier, perturbation and budget; of several runs, such as seeds, the mean."""
    alike: dict[tuple[str, str, float], list[Mapping[str, Any]]] = {}
    for one in told:
        for rows in one.content["rows"]:
            key = rows["net"], rows["method"], one.content["eps"]
            alike.setdefault(key, []).append(rows)
    return {key: _mean(rows) for key, rows in alike.items()}


def _mean(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Entry by entry; texts are alike in all."""
    mean: dict[str, Any] = dict(rows[0])
    for name, value in rows[0].items():
        if not isinstance(value, str):
            found = np.mean([row[name] for row in rows], axis=0)
            mean[name] = found.tolist()
    return mean


def _conditions(dataset: str, told: Sequence[Report]) -> str:
    about: Mapping[str, Any] = told[0].content
    joint = len({rows["net"] for rows in about["rows"]}) > 1
    against = "all classifiers together" if joint else "each classifier alone"
    levels = [one.content["published_levels"] for one in told if "published_levels" in one.content]
    unbounded = (
        f" AdverFacial's adds up to {max(levels):.1f} levels without a bound." if levels else ""
    )
    return (
        f"{_dataset(dataset)} under attack, after rounding, by perturbations against {against}; "
        f"{about['folds']} people left out one by one, of whom neither the classifiers nor the "
        f"attack saw anything; {about['offsets']} times at which a clip may begin, within a "
        f"period of {about['period_s']:g} s. Classes: {', '.join(about['classes'])}."
        f"{unbounded}"
    )


def _span(subjects: float, ends: Sequence[float], form: str) -> str:
    """An interval over people in brackets; nothing where they are too few for one."""
    if subjects < ENOUGH_SUBJECTS:
        return ""
    low, high = (format(end, form) for end in ends)
    return f" ({low} - {high})"


def _scored(key: tuple[str, str], reports: Sequence[Report]) -> str:
    dataset, net = key
    published = f"{PUBLISHED[key]:.2f} %" if key in PUBLISHED else ""
    if not reports:
        missing = "not measured: no release at hand"
        return row([_dataset(dataset), _net(net), missing, "", "", "", "", published])
    about = reports[0].content
    accuracy = mean_of([one.content["reading"]["accuracy"] for one in reports], 1)
    spread = ""
    if len(reports) == 1:
        ends = [100 * end for end in about["reading"]["intervals"]["accuracy"]]
        spread = _span(about["subjects"], ends, ".1f")
    return row(
        [
            _dataset(dataset),
            _net(net),
            about["protocol"],
            f"{about['clips']}, {about['subjects']}, {len(about['classes'])}",
            f"**{accuracy}**{spread}",
            _figure(reports, "uf1"),
            _figure(reports, "uar"),
            published,
        ]
    )


def _figure(reports: Sequence[Report], name: str) -> str:
    """The mean of all runs; of a single one its interval, too."""
    readings = [one.content["reading"] for one in reports]
    mean = f"{sum(one[name] for one in readings) / len(readings):.3f}"
    if len(readings) > 1:
        return mean
    return mean + _span(reports[0].content["subjects"], readings[0]["intervals"][name], ".3f")


_ATTACKED: Final = [
    "classifier",
    "levels",
    "perturbation",
    "fooled, worst offset (95 %)",
    "fooled, mean",
    "UAR, clean to attacked (95 %)",
    "largest class",
    "bits, clean to attacked",
]


def _attacked(told: Mapping[str, Any], eps: str) -> str:
    people, ends = told["subjects"], [100 * told[end] for end in ("low", "high")]
    return row(
        [
            _net(told["net"]),
            eps,
            told["method"],
            f"**{100 * told['fooling_rate']:.1f} %**" + _span(people, ends, ".1f"),
            f"{100 * told['mean_fooling_rate']:.1f} %",
            f"{told['clean_uar']:.2f} to **{told['uar']:.2f}**"
            + _span(people, told["uar_interval"], ".2f"),
            f"{100 * told['sink_share']:.0f} %",
            f"{told['clean_bits']:.2f} to {told['bits']:.2f}",
        ]
    )
