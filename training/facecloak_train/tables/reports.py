"""Where tables come from: the store of a grid, what ``grid export`` made of it, or report files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facecloak_train import run
from facecloak_train.grid.store import FILE, Store

SCORE, CLIPS, ROBUSTNESS, UNIVERSAL, CLIP_ATTACK = (
    "score",
    "fit-clips",
    "robustness",
    "compare",
    "attack-clips",
)
"""Kinds of reports, named as the commands that write them."""

_FILES: Final = {
    "score.json": (CLIPS, SCORE),
    "robustness.json": (ROBUSTNESS,),
    "compare.json": (UNIVERSAL,),
    "attack.json": (CLIP_ATTACK,),
}
"""What a file may be, by its name; the first whose keys it has."""

_KEYS: Final[Mapping[str, frozenset[str]]] = {
    SCORE: frozenset({"rows", "calibration_error"}),
    CLIPS: frozenset({"reading", "net", "protocol", "clips", "subjects", "classes"}),
    ROBUSTNESS: frozenset({"rows", "faces"}),
    UNIVERSAL: frozenset({"rows", "victim", "faces", "training_faces"}),
    CLIP_ATTACK: frozenset({"rows", "eps", "period_s", "folds", "offsets", "classes"}),
}
"""What each kind has at least, beside its command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, and what it tells of.

    Attributes:
        kind: the command that wrote it.
        dataset: of clips; empty for stills.
        system: the classifier, hardening included.
        content: as the command wrote it.
    """

    kind: str
    dataset: str
    system: str
    content: Mapping[str, Any]

    @property
    def command(self) -> str:
        """What wrote it."""
        return str(self.content["command"])

    @property
    def fit_command(self) -> str:
        """What trained the weights that it tells of; empty where that is not known."""
        return str(self.content.get("fit_command", ""))


Reports = Mapping[str, Mapping[tuple[str, str], Sequence[Report]]]
"""Of each kind, by dataset and system, in the order in which they were found."""


def gather(sources: Sequence[Path]) -> Reports:
    """Read all sources; of a system that several tell of, the first source counts alone.

    Args:
        sources: each the folder of a grid, the .json that ``grid export`` wrote, or a folder in
            which reports lie, up to three folders down: ``SYSTEM/score.json``,
            ``SYSTEM/robustness.json``, ``SYSTEM/compare.json``, ``DATASET/NET/score.json`` and
            ``DATASET/attack.json``.

    Raises:
        RunError: a source is missing or holds no report, or a report cannot be read.
        ArtifactError: the store of a grid cannot be used.
    """
    found: dict[str, dict[tuple[str, str], list[Report]]] = {kind: {} for kind in _KEYS}
    for source in sources:
        mine: dict[str, dict[tuple[str, str], list[Report]]] = {kind: {} for kind in _KEYS}
        for report in _read(source):
            key = report.dataset, report.system
            mine[report.kind].setdefault(key, []).append(report)
        if not any(mine.values()):
            writers = "`facecloak-train score`, `fit-clips` and others write them, `grid` all"
            msg = f"{source} holds no report; {writers}"
            raise run.RunError(msg)
        for kind, systems in mine.items():
            for key, reports in systems.items():
                found[kind].setdefault(key, reports)
    return found


def _read(source: Path) -> Iterator[Report]:
    if source.is_file():
        yield from _exported(source)
    elif (source / FILE).is_file():
        with Store(source) as store:
            for result in store.results():
                yield from _of_job(source, result.command, result.labels, result.reports)
    else:
        yield from _loose(source)


def _exported(path: Path) -> Iterator[Report]:
    jobs = _parsed(path)
    try:
        for job in jobs:
            yield from _of_job(path, job["command"], job["labels"], job["reports"])
    except (KeyError, TypeError, AttributeError) as exc:
        msg = f"{path} is not what `facecloak-train grid export` writes as .json"
        raise run.RunError(msg) from exc


def _of_job(
    source: Path, command: str, labels: Mapping[str, Any], reports: Mapping[str, Any]
) -> Iterator[Report]:
    """What a grid's job tells. Jobs that make no report of a table are passed over."""
    if command not in _KEYS or not reports:
        return
    if len(reports) != 1:
        msg = f"a job of {source} has {len(reports)} reports, not one; make it again"
        raise run.RunError(msg)
    (content,) = reports.values()
    _check(content, command, f"a job of {source}")
    of_clips = command in (CLIPS, CLIP_ATTACK)
    yield Report(
        kind=command,
        dataset=str(_label(labels, "dataset") or "synthetic") if of_clips else "",
        system=_system(labels) or str(content.get("net", content.get("victim", ""))),
        content=content,
    )


def _system(labels: Mapping[str, Any]) -> str:
    """``vgg19``, or ``vgg19-fgsm`` of one that is hardened on an axis of its own."""
    parts = (_label(labels, "system"), _label(labels, "hardening"))
    return "-".join(str(part) for part in parts if part not in (None, "none"))


def _label(labels: Mapping[str, Any], axis: str) -> Any:  # noqa: ANN401 - of TOML
    """Where a job stands on an axis of its own, or else of an earlier stage."""
    inherited = (value for name, value in labels.items() if name.endswith(f".{axis}"))
    return labels.get(axis, next(inherited, None))


def _loose(folder: Path) -> Iterator[Report]:
    for name, kinds in _FILES.items():
        for path in sorted(one for depth in range(4) for one in folder.glob("*/" * depth + name)):
            content = _parsed(path)
            known = isinstance(content, dict)
            kind = next((one for one in kinds if known and content.keys() >= _KEYS[one]), kinds[-1])
            _check(content, kind, str(path))
            if kind == CLIPS:
                where = path.parent.parent.name, path.parent.name
            elif kind == CLIP_ATTACK:
                where = path.parent.name, ""
            else:
                where = "", path.parent.name
            yield Report(kind=kind, dataset=where[0], system=where[1], content=content)


def _parsed(path: Path) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as exc:
        msg = f"{path} is no report ({exc}); make it again"
        raise run.RunError(msg) from exc


def _check(content: Any, kind: str, where: str) -> None:  # noqa: ANN401 - any JSON
    missing = {"command", *_KEYS[kind]} - (content.keys() if isinstance(content, dict) else set())
    if missing:
        lacks = ", ".join(sorted(missing))
        msg = f"{where} is no report of `{kind}`: it lacks {lacks}; make it again"
        raise run.RunError(msg)
