"""The table of FER2013: every system, published and measured side by side.

    facecloak-train table fer2013 --runs docs/results/fer2013 --out docs/results/fer2013.md

Published figures, with their sources: VGG19 and ResNet18 of WuJie1010's
Facial-Expression-Recognition.Pytorch, whose epoch the private test chose; CNN with landmarks and
HOG, and VGG19 under FGSM, of zhuchenxv's Facial-Expression-Recognition-Adversarial.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facecloak_train import run
from facecloak_train.measure.pictures import standings
from facecloak_train.settings import TableSettings

logger = logging.getLogger(__name__)

_EPS: Final = 76.5


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What is published of a system and asked of ours; percent of faces read rightly.

    Attributes:
        title: what it is.
        public, private: published, of PublicTest and PrivateTest.
        attacked: published, under FGSM at 0.3 of the range, of PrivateTest.
        bar: least share of PrivateTest, attacked for one that is hardened.
        hardened: whether the bar is for attacked faces.
    """

    title: str
    public: float | None = None
    private: float | None = None
    attacked: float | None = None
    bar: float | None = None
    hardened: bool = False


SYSTEMS: Final = {
    "vgg19": System(title="VGG19", public=71.50, private=73.11, attacked=21.12, bar=73.1),
    "resnet18": System(title="ResNet18", public=71.19, private=72.97, bar=72.5),
    "cnn-landmarks-hog": System(
        title="CNN + landmarks + HOG", public=71.74, private=72.80, bar=68.0
    ),
    "resnet14": System(title="ResNet14, live", bar=71.0),
    "vgg19-fgsm": System(
        title="VGG19, FGSM-trained", private=66.76, attacked=33.60, bar=33.6, hardened=True
    ),
    "resnet14-pgd": System(title="ResNet14, PGD-trained at 8/255"),
    "resnet14-trades": System(title="ResNet14, TRADES-trained at 8/255"),
}


def table_fer2013(settings: TableSettings) -> str:
    """Gather, write table and picture, return the table.

    Raises:
        RunError: no folder holds a report, or one cannot be read.
    """
    folders = {path.parent for name in _REPORTS for path in settings.runs.glob(f"*/{name}")}
    if not folders:
        msg = f"{settings.runs} holds no folder with {' or '.join(_REPORTS)}"
        raise run.RunError(msg + "; `facecloak-train score` and `robustness` write them")
    order = [*SYSTEMS]
    known = sorted(
        folders,
        key=lambda one: (order.index(one.name) if one.name in order else len(order), one.name),
    )
    reports = {one.name: _reports(one) for one in known}
    text = _markdown(reports)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    run.write_atomically(settings.out, text.encode())
    scored = {
        SYSTEMS.get(name, System(title=name)).title: found["score.json"]["rows"]["PrivateTest"]
        for name, found in reports.items()
        if "score.json" in found
    }
    if scored:
        standings(
            settings.out.with_suffix(".png"),
            {
                title: tuple(100 * row[key] for key in ("accuracy", "low", "high"))
                for title, row in scored.items()
            },
            {
                "bar": {s.title: s.bar for s in SYSTEMS.values() if s.bar and not s.hardened},
                "published": {s.title: s.private for s in SYSTEMS.values() if s.private},
            },
            "PrivateTest read rightly, %",
        )
    logger.info("%s", text)
    return text


_REPORTS: Final = ("score.json", "robustness.json")


def _reports(folder: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for name in _REPORTS:
        path = folder / name
        if path.is_file():
            try:
                found[name] = json.loads(path.read_text())
            except ValueError as exc:
                msg = f"{path} is no report ({exc}); make it again"
                raise run.RunError(msg) from exc
    return found


def _markdown(reports: dict[str, dict[str, dict[str, Any]]]) -> str:
    names = [*SYSTEMS, *(name for name in reports if name not in SYSTEMS)]
    lines = [
        "Read rightly, ten crops; in brackets what is published, and the bar. Published epochs of "
        "VGG19 and ResNet18 were chosen by the private test itself, ours by PublicTest.",
        "",
        "| system | PublicTest | PrivateTest (95 %) | bar | without repeats | FER+ majority "
        "| calibration error |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names:
        system = SYSTEMS.get(name, System(title=name))
        lines.append(_scored(system, reports.get(name, {}).get("score.json")))
    lines += [
        "",
        "Under attacks made for each face, one centre crop, accuracy left; FGSM and PGD lead away "
        "from what the classifier says of the clean face.",
        "",
        "| system | clean | attack | accuracy left, by eps in levels of 255 | published, FGSM "
        f"{_EPS:g} | bar |",
        "|---|---|---|---|---|---|",
    ]
    for name in names:
        system = SYSTEMS.get(name, System(title=name))
        lines += _attacked(system, reports.get(name, {}).get("robustness.json"))
    lines += ["", "Made by:", ""]
    for found in reports.values():
        lines += [f"- `{report['command']}`" for report in found.values()]
    return "\n".join([*lines, ""])


def _scored(system: System, report: dict[str, Any] | None) -> str:
    bar = "" if system.bar is None or system.hardened else f"{system.bar:.1f}"
    if report is None:
        untrained = f"not scored {_published(system.public)}".rstrip()
        cells = [untrained, _published(system.private), bar, "", "", ""]
        return f"| {system.title} | " + " | ".join(cells) + " |"
    rows = [*report["rows"].values()]
    public, private, sole = (100 * row["accuracy"] for row in rows[:3])
    low, high = (100 * rows[1][key] for key in ("low", "high"))
    crowd = f"{100 * rows[3]['accuracy']:.2f} %" if len(rows) > 3 else ""
    cells = [
        f"{public:.2f} % {_published(system.public)}".rstrip(),
        f"**{private:.2f} %** ({low:.1f} - {high:.1f}) {_published(system.private)}".rstrip(),
        bar,
        f"{sole:.2f} % of {rows[2]['faces']}",
        crowd,
        f"{report['calibration_error']:.3f}",
    ]
    return f"| {system.title} | " + " | ".join(cells) + " |"


def _published(value: float | None) -> str:
    return "" if value is None else f"[{value:.2f}]"


def _attacked(system: System, report: dict[str, Any] | None) -> list[str]:
    if report is None:
        return []
    attacks: dict[str, list[str]] = {}
    for row in report["rows"]:
        if row["eps"]:
            left = f"{row['eps']:g}: **{100 * row['accuracy']:.1f} %**"
            attacks.setdefault(row["attack"], []).append(left)
    clean = f"{100 * report['rows'][0]['accuracy']:.1f} %"
    published = "" if system.attacked is None else f"{system.attacked:.2f} %"
    bar = f"{system.bar:.1f} % at {_EPS:g}" if system.hardened else ""
    lines = []
    for attack, cells in attacks.items():
        theirs = [published, bar] if attack == "FGSM" else ["", ""]
        row = [system.title, f"{clean} of {report['faces']}", attack, ", ".join(cells), *theirs]
        lines.append("| " + " | ".join(row) + " |")
    return lines
