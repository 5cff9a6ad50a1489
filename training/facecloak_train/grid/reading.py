"""Reads a grid from TOML and tells every fault in it at once."""

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from facecloak.core.errors import ConfigError
from facecloak_train.grid.commands import (
    LEAVES,
    Commands,
    Option,
    Value,
    allowed,
    fault_of,
    options_of,
)
from facecloak_train.grid.plan import REFERENCE, Plan, Stage, Variants, with_inputs, wrong

_NAME: Final = re.compile(r"[\w-]+")


def read(path: Path, commands: Commands) -> Plan:
    """Read a grid.

    Args:
        path: the .toml; files that it names are looked for from the working folder on.
        commands: the settings of each command by name.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong; names all of it.
    """
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, ValueError) as exc:
        msg = f"{path} is no grid: {exc}."
        raise ConfigError(msg, "docs/grid.md shows one.") from exc
    faults: list[str] = []
    _unknown(told, ("name", "inputs", "stage"), "the grid", faults)
    inputs, stages = told.get("inputs", {}), told.get("stage", [])
    if not isinstance(inputs, dict):
        faults.append("inputs is no table")
        inputs = {}
    if not isinstance(stages, list) or not stages or not isinstance(stages[0], dict):
        faults.append("the grid has no [[stage]]")
        stages = []
    read_so_far: dict[str, Stage] = {}
    for number, one in enumerate(stages, 1):
        stage = _Reader(one, number, commands, inputs, read_so_far, faults).stage()
        if stage is not None:
            read_so_far[stage.name] = stage
    if faults:
        raise wrong(path.name, faults)
    return Plan(str(told.get("name", path.stem)), inputs, tuple(read_so_far.values()))


def _unknown(told: Mapping[str, Any], known: tuple[str, ...], where: str, to: list[str]) -> None:
    among = ", ".join(known)
    to += [f"{where} knows no {name!r}; it knows {among}" for name in told if name not in known]


_KEYS: Final = (
    "name",
    "command",
    "options",
    "axes",
    "exclude",
    "threads",
    "processes",
    "nodes",
    "gpus",
)


class _Reader:
    """Reads one stage and notes what is wrong with it."""

    def __init__(
        self,
        told: dict[str, Any],
        number: int,
        commands: Commands,
        inputs: Mapping[str, Value],
        earlier: Mapping[str, Stage],
        faults: list[str],
    ) -> None:
        self._told = told
        self._name = str(told.get("name", str(told.get("command", number)).replace(" ", "-")))
        self._commands = commands
        self._inputs = inputs
        self._earlier = earlier
        self._faults = faults

    def stage(self) -> Stage | None:
        """The stage, as far as it can be made out; None where its command is unknown."""
        _unknown(self._told, _KEYS, f"stage {self._name}", self._faults)
        if not _NAME.fullmatch(self._name):
            self._fault("its name has other characters than letters, digits, _ and -")
        if self._name in self._earlier:
            self._fault("another stage has this name")
        command = self._told.get("command")
        runnable = tuple(name for name in LEAVES if name in self._commands)
        if command not in runnable:
            self._fault(f"there is no command {command!r} for it; there are {', '.join(runnable)}")
            return None
        known = options_of(self._commands[command])
        options = self._checked("options", _plain(self._table("options")), command, known)
        told, axes = self._axes(command, known)
        always = {*options}
        for axis in axes.values():
            always |= set.intersection(*({*one} for one in axis.values()))
        for name, option in known.items():
            if option.required and name not in always:
                self._fault(f"{command} needs {name}")
        stage = Stage(
            name=self._name,
            command=command,
            known=known,
            options=options,
            axes=axes,
            told=told,
            exclude=(),
            threads=self._count("threads", 1),
            processes=self._count("processes", 1),
            nodes=self._count("nodes", 1),
            gpus=self._count("gpus", 0),
        )
        if stage.processes * stage.nodes > 1 and not LEAVES[command].crew:
            crews = ", ".join(name for name, leaves in LEAVES.items() if leaves.crew)
            self._fault(f"{command} is one process; of several are {crews}")
        return self._with_exclusions(stage)

    def _fault(self, what: str) -> None:
        self._faults.append(f"stage {self._name}: {what}")

    def _table(self, key: str) -> dict[str, Any]:
        found = self._told.get(key, {})
        if isinstance(found, dict):
            return found
        self._fault(f"{key} is no table")
        return {}

    def _count(self, key: str, least: int) -> int:
        found = self._told.get(key, least)
        if isinstance(found, int) and not isinstance(found, bool) and found >= least:
            return found
        self._fault(f"{key} is {found!r}, not a whole number from {least} on")
        return least

    def _axes(
        self, command: str, known: Mapping[str, Option]
    ) -> tuple[dict[str, dict[str, Value]], dict[str, Variants]]:
        """The axes: a list of an option's values, or a table of named sets of options."""
        told: dict[str, dict[str, Value]] = {}
        axes: dict[str, Variants] = {}
        for name, values in _plain(self._table("axes")).items():
            if isinstance(values, list) and values:
                axes[name] = {
                    str(one): self._checked("axes", {name: one}, command, known) for one in values
                }
                told[name] = {str(one): one for one in values}
            elif isinstance(values, dict) and values:
                axes[name] = {
                    label: self._checked(
                        f"axes.{name}", self._variant(name, label, one), command, known
                    )
                    for label, one in values.items()
                }
                told[name] = {label: label for label in values}
            else:
                self._fault(f"axis {name} has no values")
        return told, axes

    def _variant(self, axis: str, label: str, told: Any) -> dict[str, Any]:  # noqa: ANN401
        if isinstance(told, dict):
            return _plain(told)
        self._fault(f"axis {axis}: {label} is no table of options")
        return {}

    def _checked(
        self, where: str, values: dict[str, Any], command: str, known: Mapping[str, Option]
    ) -> dict[str, Value]:
        strange = [name for name in values if name not in known]
        if "out" in strange:
            self._fault(
                f"{where}: out is the grid's own; later stages call it {{{self._name}.out}}"
            )
            strange.remove("out")
        if strange:
            names = ", ".join(strange)
            self._fault(f"{where}: {command} has no {names}; it has {', '.join(known)}")
        for name, value in values.items():
            if name not in known:
                continue
            for one in value if isinstance(value, list) and known[name].several else [value]:
                self._check(name, one, command, known[name])
        return {name: value for name, value in values.items() if name in known}

    def _check(self, name: str, value: Value, command: str, option: Option) -> None:
        references = REFERENCE.findall(value) if isinstance(value, str) else []
        wrong_ones = [one for one in references if not self._stands_for_something(one)]
        for one in wrong_ones:
            self._fault(f"{name}: nothing is called {{{one}}}; there are {self._names()}")
        if wrong_ones or any("." in one for one in references):
            return
        meant = with_inputs(value, self._inputs)
        fault = fault_of(meant, option, allowed(command, name))
        if fault:
            self._fault(f"{name}: {fault}")
        elif option.kind is Path and not Path(str(meant)).exists():
            self._fault(f"{name}: there is no {meant}")

    def _stands_for_something(self, reference: str) -> bool:
        stage, dot, field = reference.partition(".")
        if not dot:
            return reference in self._inputs
        found = self._earlier.get(stage)
        return found is not None and (field == "out" or field in found.known or field in found.axes)

    def _names(self) -> str:
        stages = [f"{{{name}.out}}, {{{name}.OPTION}}" for name in self._earlier]
        return ", ".join([*(f"{{{name}}}" for name in self._inputs), *stages]) or "no inputs"

    def _with_exclusions(self, stage: Stage) -> Stage:
        rules = self._told.get("exclude", [])
        if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
            self._fault("exclude is no list of tables")
            return stage
        rules = [_plain(one) for one in rules]
        values = dict(_axis_values(stage, ""))
        for name in self._behind(stage):
            values |= dict(_axis_values(self._earlier[name], f"{name}."))
        for rule in rules:
            for axis, value in rule.items():
                if axis not in values:
                    among = ", ".join(values) or "none"
                    self._fault(f"exclude: there is no axis {axis!r}; there are {among}")
                elif value not in values[axis]:
                    among = ", ".join(map(str, values[axis]))
                    self._fault(f"exclude: {axis} is never {value!r}, but {among}")
        return dataclasses.replace(stage, exclude=tuple(rules))

    def _behind(self, stage: Stage) -> dict[str, None]:
        """The earlier stages that it refers to, and those that these refer to."""
        found: dict[str, None] = {}
        for name, _ in stage.references():
            if name in self._earlier:
                found |= {name: None} | self._behind(self._earlier[name])
        return found


def _axis_values(stage: Stage, prefix: str) -> Iterator[tuple[str, list[Value]]]:
    for name, values in stage.told.items():
        yield f"{prefix}{name}", list(values.values())


def _plain(table: Mapping[str, Any]) -> dict[str, Any]:
    """Options as they are called in Python: with ``_`` for ``-``."""
    return {name.replace("-", "_"): value for name, value in table.items()}
