"""What a grid says: stages with axes. ``reading.py`` reads it, ``expand.py`` makes jobs of it.

    [inputs]
    data = "runs/fer2013.npz"

    [[stage]]
    name = "fit"
    command = "fit"
    options = { data = "{data}", epochs = 20 }
    axes = { net = ["vgg19", "resnet18"], seed = [1, 2] }

    [[stage]]
    name = "robustness"
    command = "robustness"
    options = { data = "{data}", weights = "{fit.out}/best.safetensors" }

Options are named as on the command line. ``{name}`` stands for an input; ``{stage.out}`` for what a
job of an earlier stage writes, ``{stage.option}`` for what it was told.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from facecloak.core.errors import ConfigError
from facecloak_train.grid.commands import Option, Value

REFERENCE: Final = re.compile(r"\{([^{}]*)\}")
Variants = dict[str, dict[str, Value]]
"""The values of an axis by how they are told, each with the options that it sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A command, and the options that its jobs have in common and those in which they differ.

    Attributes:
        name: what later stages call it.
        command: of ``facecloak-train``.
        known: every option of the command.
        options: the same for all jobs.
        axes: one job for each combination of their values.
        told: the values of the axes as the grid gives them, by how they are told.
        exclude: combinations to leave out; a rule names axes, ``stage.axis`` for earlier ones.
        threads: that each process of a job computes with.
        processes: that a job trains with on each machine, started by torchrun where it is not one.
        nodes: machines that a job trains on together.
        gpus: that a job has to itself on each machine; with 0 it sees what the machine has.
    """

    name: str
    command: str
    known: Mapping[str, Option]
    options: Mapping[str, Value]
    axes: Mapping[str, Variants]
    told: Mapping[str, Mapping[str, Value]]
    exclude: tuple[Mapping[str, Value], ...]
    threads: int
    processes: int
    nodes: int
    gpus: int

    def references(self) -> list[tuple[str, str]]:
        """What its options say of earlier stages: pairs of a stage and ``out`` or an option."""
        values = [*self.options.values()]
        for variants in self.axes.values():
            values += [value for one in variants.values() for value in one.values()]
        return list(dict.fromkeys(pair for value in values for pair in _references(value)))


@dataclass(frozen=True, slots=True)
class Plan:
    """A grid as it was read: its name, inputs and stages; nothing is wrong with it."""

    name: str
    inputs: Mapping[str, Value]
    stages: tuple[Stage, ...]


def wrong(name: str, faults: list[str]) -> ConfigError:
    """The error that lists all faults of a grid."""
    listed = "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults))
    return ConfigError(f"{name} cannot be run:\n{listed}\n", "Correct this and start again.")


def with_inputs(value: Value, inputs: Mapping[str, Value]) -> Value:
    """The value with its inputs put in; one that is an input alone keeps its kind."""
    if isinstance(value, list):
        return [with_inputs(one, inputs) for one in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    whole = REFERENCE.fullmatch(value)
    if whole and whole[1] in inputs:
        return inputs[whole[1]]
    return REFERENCE.sub(lambda found: str(inputs.get(found[1], found[0])), value)


def _references(value: Value) -> list[tuple[str, str]]:
    if isinstance(value, list):
        return [pair for one in value for pair in _references(one)]
    names = REFERENCE.findall(value) if isinstance(value, str) else []
    return [(stage, field) for stage, dot, field in (n.partition(".") for n in names) if dot]
