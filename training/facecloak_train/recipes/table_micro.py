"""The table of micro-expressions: every set and classifier, published and measured side by side.

    facecloak-train table micro --runs docs/results/micro --out docs/results/micro.md

Published figures: accuracies of Reddy et al. (arXiv 1904.01390, tables V and VIII), the best epoch
of one random 80/20 split in which people stand in both parts. LEARNet's paper gives gains over
other networks; its absolute figures could not be checked and are left out.
"""

import json
import logging
from pathlib import Path
from typing import Any, Final

from facecloak_train import run
from facecloak_train.measure.pictures import standings
from facecloak_train.settings import TableMicroSettings

logger = logging.getLogger(__name__)

DATASETS: Final = {
    "synthetic": "synthetic stand-in",
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


def table_micro(settings: TableMicroSettings) -> str:
    """Gather, write table and picture, return the table.

    Raises:
        RunError: no folder holds a report, or one cannot be read.
    """
    scores = {
        (path.parent.parent.name, path.parent.name): _report(path)
        for path in sorted(settings.runs.glob("*/*/score.json"))
    }
    if not scores:
        msg = f"{settings.runs} holds no DATASET/NET/score.json"
        raise run.RunError(msg + "; `facecloak-train fit-clips` writes them")
    attacks = {
        path.parent.name: _report(path) for path in sorted(settings.runs.glob("*/attack.json"))
    }
    text = _markdown(scores, attacks)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, text.encode())
    standings(
        settings.out.with_suffix(".png"),
        {
            f"{_dataset(dataset)}, {_net(net)}": (
                100 * report["reading"]["uar"],
                *(100 * end for end in report["reading"]["intervals"]["uar"]),
            )
            for (dataset, net), report in scores.items()
        },
        {"under attack, worst offset": _left(attacks)},
        "mean recall of the classes (UAR), %",
    )
    logger.info("%s", text)
    return text


def _report(path: Path) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(path.read_text())
    except ValueError as exc:
        msg = f"{path} is no report ({exc}); make it again"
        raise run.RunError(msg) from exc
    return report


def _dataset(name: str) -> str:
    return DATASETS.get(name, name)


def _net(name: str) -> str:
    return NETS.get(name, name)


def _left(attacks: dict[str, dict[str, Any]]) -> dict[str, float]:
    return {
        f"{_dataset(dataset)}, {_net(row['net'])}": 100 * row["uar"]
        for dataset, report in attacks.items()
        for row in report["rows"]
        if row["method"].startswith("FaceCloak")
    }


def _markdown(
    scores: dict[tuple[str, str], dict[str, Any]], attacks: dict[str, dict[str, Any]]
) -> str:
    lines = [
        "How rightly clips of people who were left out are read, all folds together; in brackets "
        "the 95 % interval over subjects. Published is one random 80/20 split with people in both "
        "parts, "
        "its best epoch.",
        "",
        "| set | classifier | protocol | clips, people, classes | accuracy | UF1 | UAR "
        "| published accuracy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    order = [(dataset, net) for dataset in DATASETS for net in NETS]
    lines += [
        _scored(key, scores.get(key))
        for key in dict.fromkeys([*order, *scores])
        if key in scores or key in PUBLISHED
    ]
    for dataset, report in attacks.items():
        classes = ", ".join(report["classes"])
        lines += [
            "",
            f"{_dataset(dataset)} under attack: at most {report['eps']:g} levels after rounding, "
            f"{report['folds']} people left out one by one, of whom neither the classifiers nor "
            f"the attack saw anything; {report['offsets']} times at which a clip may begin, within "
            f"a period of {report['period_s']:g} s. Classes: {classes}.",
            "",
            "| classifier | perturbation | fooled, worst offset (95 %) | fooled, mean | UAR, clean "
            "to attacked (95 %) | largest class | bits, clean to attacked |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [_attacked(row) for row in report["rows"]]
    lines += ["", "Made by:", ""]
    lines += [f"- `{report['command']}`" for report in [*scores.values(), *attacks.values()]]
    return "\n".join([*lines, ""])


def _scored(key: tuple[str, str], report: dict[str, Any] | None) -> str:
    dataset, net = key
    published = f"{PUBLISHED[key]:.2f} %" if key in PUBLISHED else ""
    if report is None:
        cells = [_dataset(dataset), _net(net), "not measured: no release at hand", "", "", "", ""]
        return "| " + " | ".join([*cells, published]) + " |"
    reading = report["reading"]
    low, high = (100 * end for end in reading["intervals"]["accuracy"])
    cells = [
        _dataset(dataset),
        _net(net),
        report["protocol"],
        f"{report['clips']}, {report['subjects']}, {len(report['classes'])}",
        f"**{100 * reading['accuracy']:.1f} %** ({low:.1f} - {high:.1f})",
        _figure(reading, "uf1"),
        _figure(reading, "uar"),
    ]
    return "| " + " | ".join([*cells, published]) + " |"


def _figure(reading: dict[str, Any], name: str) -> str:
    low, high = reading["intervals"][name]
    return f"{reading[name]:.3f} ({low:.3f} - {high:.3f})"


def _attacked(row: dict[str, Any]) -> str:
    low, high = row["uar_interval"]
    cells = [
        _net(row["net"]),
        row["method"],
        f"**{100 * row['fooling_rate']:.1f} %** ({100 * row['low']:.1f} - {100 * row['high']:.1f})",
        f"{100 * row['mean_fooling_rate']:.1f} %",
        f"{row['clean_uar']:.2f} to **{row['uar']:.2f}** ({low:.2f} - {high:.2f})",
        f"{100 * row['sink_share']:.0f} %",
        f"{row['clean_bits']:.2f} to {row['bits']:.2f}",
    ]
    return "| " + " | ".join(cells) + " |"
