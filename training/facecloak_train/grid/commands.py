"""The commands that a grid can run: what their options may be, and what they leave."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facecloak_train.settings.defaults import default_of

Value = bool | int | float | str | list[Any]
"""An option's value as TOML has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """What a command leaves in its job's folder.

    Attributes:
        out: what ``--out`` is, relative to the folder.
        reports: the JSON files that tell the result; of ``.jsonl``, the last lines do.
        crew: whether several processes may do it together.
        silent: an option and the value of it with which there are no reports.
    """

    out: str
    reports: tuple[str, ...] = ()
    crew: bool = False
    silent: tuple[str, str] = ("", "")

    def told(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """The reports of a job that has these options, those that it was not told included."""
        name, value = self.silent
        return () if name and options[name] == value else self.reports


LEAVES: Final[Mapping[str, Leaves]] = {
    "prepare fer2013": Leaves(out="faces.npz"),
    **{f"prepare {name}": Leaves(out="clips") for name in ("casme", "casme2", "casme-squared")},
    "prepare smic": Leaves(out="clips"),
    "synthesize": Leaves(out="clips"),
    "describe": Leaves(out="features.npz"),
    "fit": Leaves(out="run", reports=("run/metrics.jsonl",), crew=True),
    "tune": Leaves(out="study", reports=("study/best.json",)),
    "attack": Leaves(out="perturbation.safetensors"),
    "evaluate": Leaves(out="evaluate.json", reports=("evaluate.json",)),
    "score": Leaves(out="score.json", reports=("score.json",)),
    "robustness": Leaves(out="robustness.json", reports=("robustness.json",)),
    "export": Leaves(out="classifier.onnx"),
    "export-gradient": Leaves(out="gradient.onnx"),
    "compare": Leaves(out="compare.json", reports=("compare.json",)),
    "fit-clips": Leaves(out="run", reports=("run/score.json",), silent=("protocol", "all")),
    "attack-clips": Leaves(out="attack.json", reports=("attack.json",)),
    "beat": Leaves(out="perturbation.safetensors"),
    "export-clips": Leaves(out="classifier.onnx"),
}
"""By command. What is not here makes nothing that a grid could collect or hand on."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command.

    Attributes:
        kind: ``bool``, ``int``, ``float``, ``str`` or ``Path``.
        several: whether it takes more than one value.
        required: whether it has no default.
        default: JSON-able; None where there is none.
    """

    kind: type[Any]
    several: bool
    required: bool
    default: Any


def options_of(settings: type[Any]) -> dict[str, Option]:
    """The options of a command by name, with ``_`` for ``-``; ``out`` is the grid's own business.

    Args:
        settings: its dataclass; fields that are dataclasses themselves become a prefix.
    """
    found = _fields(settings, "")
    del found["out"]
    return found


def _fields(
    settings: type[Any],
    prefix: str,
    within: Any = dataclasses.MISSING,  # noqa: ANN401 - settings of any kind
) -> dict[str, Option]:
    hints = typing.get_type_hints(settings)
    found: dict[str, Option] = {}
    for field in dataclasses.fields(settings):
        hint, name = hints[field.name], f"{prefix}{field.name}"
        usual = default_of(field, within)
        if dataclasses.is_dataclass(hint):
            found |= _fields(typing.cast("type[Any]", hint), f"{name}_", usual)
            continue
        several = typing.get_origin(hint) is tuple
        inner = typing.get_args(hint)[0] if several or isinstance(hint, types.UnionType) else hint
        required = usual is dataclasses.MISSING
        usual = None if required else usual
        found[name] = Option(inner, several, required, list(usual) if usual and several else usual)
    return found


def allowed(command: str, option: str) -> tuple[str, ...]:
    """The values that an option may have; empty where it may have any of its kind."""
    if option == "net":
        from facecloak_train.nets import CLIP_NETS, NETS

        return tuple(CLIP_NETS if command == "fit-clips" else NETS)
    if option == "hardening_attack":
        from facecloak_train.hardening import ATTACKS

        return ATTACKS
    if option == "legs":
        from facecloak_train.measure.codec import LEGS

        return ("all", *LEGS)
    return _ALLOWED.get((command, option), ())


_ALLOWED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("fit", "optimizer"): ("adamw", "sgd"),
    ("export", "precision"): ("fp16", "fp32"),
    ("fit-clips", "protocol"): ("loso", "80-20", "all"),
}

_CALLED: Final = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Path: "a path",
}


def fault_of(value: Value, option: Option, choices: tuple[str, ...]) -> str:
    """What is wrong with a value, or nothing."""
    if option.several and isinstance(value, list):
        told = [fault_of(one, dataclasses.replace(option, several=False), choices) for one in value]
        return next(filter(None, told), "")
    if choices and value not in choices:
        return f"{value!r} is none of {', '.join(choices)}"
    kinds: dict[type[Any], tuple[type[Any], ...]] = {Path: (str,), float: (int, float)}
    right = isinstance(value, kinds.get(option.kind, (option.kind,)))
    if not right or isinstance(value, bool) is not (option.kind is bool):
        return f"{value!r} is not {_CALLED[option.kind]}"
    return ""


def settled(value: Value, option: Option) -> Value:
    """The value in the one form that its option has: a list for several, ``float`` for a number."""
    if option.several:
        one = dataclasses.replace(option, several=False)
        return [settled(each, one) for each in (value if isinstance(value, list) else [value])]
    return float(value) if option.kind is float and isinstance(value, int) else value


def arguments(command: str, options: Mapping[str, Value], out: Path) -> list[str]:
    """The command line that says all this."""
    line = command.split()
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            line.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list):
            line += [f"--{flag}", *map(str, value)] if value else []
        else:
            line.append(f"--{flag}={value}")
    return [*line, f"--out={out}"]


Commands = Mapping[str, type[Any]]
"""The settings of each command of ``facecloak-train``, by its name."""
