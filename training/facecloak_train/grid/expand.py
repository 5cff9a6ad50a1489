"""Makes the jobs of a plan: every combination of every axis, each with its identity."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from facecloak_train.grid.commands import LEAVES, Value, arguments, fault_of, settled
from facecloak_train.grid.identity import Digests, identity
from facecloak_train.grid.plan import REFERENCE, Plan, Stage, with_inputs, wrong

_JOBS: Final = "jobs"
_SHORT: Final = 20
"""Digits of an identity that name a folder: 80 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A file, or a folder, of an earlier job that a job reads.

    Attributes:
        job: the identity of the job that makes it.
        folder: of that job, relative to the grid's.
        file: relative to that folder.
    """

    job: str
    folder: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of one command.

    Attributes:
        id: SHA-256 of code, command, settings, data and seed.
        stage: that asked for it.
        command: of ``facecloak-train``.
        arguments: its command line, after the program.
        labels: where it stands on each axis: its own by name, those of earlier jobs as
            ``stage.axis``.
        folder: where it runs, relative to the grid's.
        reports: the files that tell its result, relative to its folder.
        needs: what it reads of earlier jobs.
        threads, processes, nodes, gpus: as its stage has them.
    """

    id: str
    stage: str
    command: str
    arguments: tuple[str, ...]
    labels: Mapping[str, Value]
    folder: str
    reports: tuple[str, ...]
    needs: tuple[Need, ...]
    threads: int
    processes: int
    nodes: int
    gpus: int

    @property
    def cores(self) -> int:
        """How many it keeps busy on each machine."""
        return self.threads * self.processes


def expand(plan: Plan, folder: Path, code: str) -> dict[str, Job]:
    """The jobs by identity, each after those that it needs.

    Args:
        plan: the grid.
        folder: of the grid; absolute.
        code: the version of the code.

    Raises:
        ConfigError: an option that takes its value from an earlier stage may not have it, an input
            cannot be read, or all jobs of a stage are excluded; names all of it.
    """
    maker = _Maker(plan, folder, code)
    jobs: dict[str, Job] = {}
    for stage in plan.stages:
        for made in maker.make(stage):
            jobs.setdefault(made.job.id, made.job)
    if maker.faults:
        raise wrong(plan.name, maker.faults)
    return jobs


@dataclass(frozen=True, slots=True)
class _Made:
    """A job, what it was told, and the earlier jobs that it stands for, by stage."""

    job: Job
    told: Mapping[str, Value]
    earlier: Mapping[str, "_Made"] = field(default_factory=dict)


class _Maker:
    def __init__(self, plan: Plan, folder: Path, code: str) -> None:
        self.faults: list[str] = []
        self._plan = plan
        self._folder = folder
        self._code = code
        self._digests = Digests()
        self._made: dict[str, list[_Made]] = {}

    def make(self, stage: Stage) -> list[_Made]:
        parents = list(dict.fromkeys(name for name, _ in stage.references()))
        made = []
        for earlier in self._combined(parents):
            for labels in itertools.product(*(axis for axis in stage.axes.values())):
                own = dict(zip(stage.axes, labels, strict=True))
                where = {axis: stage.told[axis][label] for axis, label in own.items()}
                for name, one in earlier.items():
                    axes = {k: v for k, v in one.job.labels.items() if "." not in k}
                    where |= {f"{name}.{axis}": value for axis, value in axes.items()}
                if any(all(where.get(k) == v for k, v in rule.items()) for rule in stage.exclude):
                    continue
                options = dict(stage.options)
                for axis, label in own.items():
                    options |= stage.axes[axis][label]
                made.append(self._job(stage, options, where, earlier))
        if not made:
            self.faults.append(f"stage {stage.name}: every job is excluded")
        self._made[stage.name] = made
        return made

    def _combined(self, parents: list[str]) -> Iterator[dict[str, _Made]]:
        """Every choice of one job of each stage that does not contradict itself further back."""
        for chosen in itertools.product(*(self._made[name] for name in parents)):
            together: dict[str, _Made] = {}
            for name, one in zip(parents, chosen, strict=True):
                for stage, made in {**one.earlier, name: one}.items():
                    if together.setdefault(stage, made).job.id != made.job.id:
                        break
                else:
                    continue
                break
            else:
                yield together

    def _job(
        self,
        stage: Stage,
        options: Mapping[str, Value],
        labels: Mapping[str, Value],
        earlier: Mapping[str, _Made],
    ) -> _Made:
        leaves = LEAVES[stage.command]
        said: dict[str, Value] = {}
        counted: dict[str, Any] = {
            name: option.default for name, option in stage.known.items() if not option.required
        }
        needs: dict[Need, None] = {}
        for name, value in options.items():
            option = stage.known[name]
            meant = _resolved(with_inputs(value, self._plan.inputs), self._path(earlier))
            if fault := fault_of(meant, option, ()):
                self.faults.append(f"stage {stage.name}: {name}: {fault}")
                meant = "" if not option.several else []
            said[name] = settled(meant, option)
            if option.kind is Path:
                said[name], counted[name] = self._files(said[name], earlier, needs)
            else:
                counted[name] = said[name]
        crew, batch = stage.processes * stage.nodes, counted.get("batch")
        if isinstance(batch, int) and batch % crew:
            each = f"batch {batch} does not part into {crew} equal shares, one for each process"
            self.faults.append(f"stage {stage.name}: {each}")
        about = {
            "code": self._code,
            "command": stage.command,
            "options": counted,
            "nodes": stage.nodes,
            "processes": stage.processes,
            "threads": stage.threads,
        }
        number = identity(about)
        place = f"{_JOBS}/{stage.command}-{number[:_SHORT]}"
        job = Job(
            id=number,
            stage=stage.name,
            command=stage.command,
            arguments=tuple(arguments(stage.command, said, self._folder / place / leaves.out)),
            labels=labels,
            folder=place,
            reports=leaves.told(counted),
            needs=tuple(needs),
            threads=stage.threads,
            processes=stage.processes,
            nodes=stage.nodes,
            gpus=stage.gpus,
        )
        return _Made(job, counted | said | dict(labels), earlier)

    def _path(self, earlier: Mapping[str, _Made]) -> Callable[[str, str], Value]:
        def value(stage: str, name: str) -> Value:
            made = earlier[stage]
            if name != "out":
                value = made.told.get(name)
                return "" if value is None else value
            return f"{self._folder}/{made.job.folder}/{LEAVES[made.job.command].out}"

        return value

    def _files(
        self, value: Value, earlier: Mapping[str, _Made], needs: dict[Need, None]
    ) -> tuple[Value, Any]:
        """Absolute paths, and what counts in the identity: digests, or the jobs that make them."""
        if isinstance(value, list):
            pairs = [self._files(one, earlier, needs) for one in value]
            return [path for path, _ in pairs], [counts for _, counts in pairs]
        path = str(value)
        for made in earlier.values():
            place = f"{self._folder}/{made.job.folder}/"
            if path.startswith(place):
                file = path.removeprefix(place)
                needs[Need(job=made.job.id, folder=made.job.folder, file=file)] = None
                return path, {"job": made.job.id, "file": file}
        path = os.path.abspath(path)  # noqa: PTH100 - ten thousand times
        try:
            return path, self._digests.of(path)
        except OSError as exc:
            self.faults.append(f"there is no {path}: {exc.strerror}")
            return path, None


def _resolved(value: Value, of: Callable[[str, str], Value]) -> Value:
    """The value with what it says of earlier jobs put in; one reference alone keeps its kind."""
    if isinstance(value, list):
        return [_resolved(one, of) for one in value]
    if not isinstance(value, str) or "{" not in value:
        return value

    def found(reference: str) -> Value:
        stage, _, name = reference.partition(".")
        return of(stage, name)

    whole = REFERENCE.fullmatch(value)
    return found(whole[1]) if whole else REFERENCE.sub(lambda one: str(found(one[1])), value)
