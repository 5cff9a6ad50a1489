"""The table of FER2013: every system, published and measured side by side.

Published figures, with their sources: VGG19 and ResNet18 of WuJie1010's
Facial-Expression-Recognition.Pytorch, whose epoch the private test chose; CNN with landmarks and
HOG, and VGG19 under FGSM, of zhuchenxv's Facial-Expression-Recognition-Adversarial.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from facecloak_train.measure.accuracy import CROWD, PRIVATE, PUBLIC, SOLE
from facecloak_train.measure.pictures import standings
from facecloak_train.tables.reports import ROBUSTNESS, SCORE, Report, Reports
from facecloak_train.tables.table import Table, head, mean_of, row

_EPS: Final = 76.5
_PARTS: Final = "AutoAttack's parts"
_RENAMED: Final = {"AutoAttack": _PARTS}
"""What earlier reports called an attack, and how it is called."""


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
    "vgg19-mixed": System(
        title="VGG19, longer, with faces mixed", public=71.50, private=73.11, bar=73.1
    ),
    "vgg19-consistent": System(
        title="VGG19, consistent teachers", public=71.50, private=73.11, bar=73.1
    ),
    "resnet18": System(title="ResNet18", public=71.19, private=72.97, bar=72.5),
    "resnet18-consistent": System(
        title="ResNet18, consistent teachers", public=71.19, private=72.97, bar=72.5
    ),
    "cnn-landmarks-hog": System(
        title="CNN + landmarks + HOG", public=71.74, private=72.80, bar=68.0
    ),
    "resnet14": System(title="ResNet14, without a teacher", bar=71.0),
    "resnet14-consistent": System(title="ResNet14, consistent teachers, live", bar=71.0),
    "vgg19-fgsm": System(
        title="VGG19, FGSM-trained", private=66.76, attacked=33.60, bar=33.6, hardened=True
    ),
    "resnet14-pgd": System(title="ResNet14, PGD-trained at 8/255"),
    "resnet14-trades": System(title="ResNet14, TRADES-trained at 8/255"),
    "resnet14-plain": System(title="ResNet14, then labels and shifts alone"),
    "resnet14-again": System(title="ResNet14, taught by that one", bar=71.0),
    "convnext": System(title="ConvNeXt, 1.9 M parameters"),
    "mobilenet": System(title="MobileNetV2, 0.84 M parameters"),
}


def make(reports: Reports) -> Table:
    """The table of accuracy, and the one under attacks."""
    scores, attacks = (_by_system(reports, kind) for kind in (SCORE, ROBUSTNESS))
    names = list(dict.fromkeys([*SYSTEMS, *scores, *attacks]))
    lines = [
        "Read rightly, ten crops; in brackets what is published, and the bar. Published epochs of "
        "VGG19 and ResNet18 were chosen by the private test itself, ours by PublicTest.",
        "",
        *head(
            [
                "system",
                "PublicTest",
                "PrivateTest (95 %)",
                "bar",
                "without repeats",
                "FER+ majority",
                "calibration error",
            ]
        ),
    ]
    for name in names:
        told = scores.get(name, ())
        if told or _system(name).private is not None:
            lines.append(_scored(_system(name), told))
    lines += [
        "",
        "Under attacks made for each face, one centre crop, accuracy left; FGSM and PGD lead away "
        f"from what the classifier says of the clean face. {_PARTS} are APGD-CE, APGD-DLR and "
        "Square, on fewer faces; what is read of these when clean stands beside it.",
        "",
        *head(
            [
                "system",
                "clean",
                "attack",
                "accuracy left, by eps in levels of 255",
                f"published, FGSM {_EPS:g}",
                "bar",
            ]
        ),
    ]
    for name in names:
        lines += _attacked(_system(name), attacks.get(name, ()))
    used = [one for name in names for kind in (scores, attacks) for one in kind.get(name, ())]
    return Table("\n".join(lines), tuple(used))


def draw(reports: Reports, path: Path) -> None:
    """How much of PrivateTest every system reads rightly; nothing where none was scored."""
    rows = {
        _system(name).title: told[0].content["rows"][PRIVATE]
        for name, told in _by_system(reports, SCORE).items()
    }
    if not rows:
        return
    standings(
        path,
        {
            title: tuple(100 * told[key] for key in ("accuracy", "low", "high"))
            for title, told in rows.items()
        },
        {
            "bar": {s.title: s.bar for s in SYSTEMS.values() if s.bar and not s.hardened},
            "published": {s.title: s.private for s in SYSTEMS.values() if s.private},
        },
        "PrivateTest read rightly, %",
    )


def _by_system(reports: Reports, kind: str) -> dict[str, Sequence[Report]]:
    found = {system: told for (_, system), told in reports[kind].items()}
    order = [name for name in SYSTEMS if name in found]
    return {name: found[name] for name in [*order, *(n for n in found if n not in SYSTEMS)]}


def _system(name: str) -> System:
    return SYSTEMS.get(name, System(title=name))


def _scored(system: System, reports: Sequence[Report]) -> str:
    bar = "" if system.bar is None or system.hardened else f"{system.bar:.1f}"
    if not reports:
        untrained = f"not scored {_published(system.public)}".rstrip()
        return row([system.title, untrained, _published(system.private), bar, "", "", ""])
    rows = [report.content["rows"] for report in reports]
    public, private, sole = (
        [of_run[name]["accuracy"] for of_run in rows] for name in (PUBLIC, PRIVATE, SOLE)
    )
    crowd = [of_run[CROWD]["accuracy"] for of_run in rows if CROWD in of_run]
    spread = ""
    if len(rows) == 1:
        spread = f" ({100 * rows[0][PRIVATE]['low']:.1f} - {100 * rows[0][PRIVATE]['high']:.1f})"
    errors = [report.content["calibration_error"] for report in reports]
    return row(
        [
            system.title,
            f"{mean_of(public)} {_published(system.public)}".rstrip(),
            f"**{mean_of(private)}**{spread} {_published(system.private)}".rstrip(),
            bar,
            f"{mean_of(sole)} of {rows[0][SOLE]['faces']}",
            mean_of(crowd) if len(crowd) == len(rows) else "",
            f"{sum(errors) / len(errors):.3f}",
        ]
    )


def _published(value: float | None) -> str:
    return "" if value is None else f"[{value:.2f}]"


@dataclass(slots=True)
class _Left:
    """What one attack leaves, over several runs.

    Attributes:
        clean: by the number of the run, the share read rightly of the faces that it attacks.
        faces: how many these are.
        by_eps: the shares left, a list with a value for each run.
    """

    clean: dict[int, float] = field(default_factory=dict)
    faces: set[int] = field(default_factory=set)
    by_eps: dict[float, list[float]] = field(default_factory=dict)


def _attacked(system: System, reports: Sequence[Report]) -> list[str]:
    published = "" if system.attacked is None else f"{system.attacked:.2f} %"
    bar = f"{system.bar:.1f} % at {_EPS:g}" if system.hardened else ""
    lines = []
    for attack, left in _left(reports).items():
        cells = (f"{eps:g}: **{mean_of(told, 1)}**" for eps, told in sorted(left.by_eps.items()))
        faces = " or ".join(map(str, sorted(left.faces)))
        of = f"{mean_of([*left.clean.values()], 1)} of {faces}"
        theirs = [published, bar] if attack == "FGSM" else ["", ""]
        lines.append(row([system.title, of, attack, ", ".join(cells), *theirs]))
    return lines


def _left(reports: Sequence[Report]) -> dict[str, _Left]:
    """By attack. A row without a budget tells of the same faces as the rows below it."""
    found: dict[str, _Left] = {}
    for number, report in enumerate(reports):
        clean = report.content["rows"][0]
        for told in report.content["rows"]:
            if not told["eps"]:
                clean = told
                continue
            left = found.setdefault(_RENAMED.get(told["attack"], told["attack"]), _Left())
            left.clean[number] = clean["accuracy"]
            left.faces.add(told["faces"])
            left.by_eps.setdefault(told["eps"], []).append(told["accuracy"])
    return found
