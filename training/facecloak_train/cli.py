"""``facecloak-train``: the command line is the settings' dataclasses."""

import argparse
import ast
import dataclasses
import inspect
import logging
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from facecloak.core.errors import FaceCloakError
from facecloak_train.commands import ABOUT_TABLES, COMMANDS, GROUPS, RESUMED
from facecloak_train.settings.defaults import default_of

logger = logging.getLogger("facecloak_train")

_ABOUT: Final = (
    "Train classifiers of expressions, build perturbations against them, and measure what these do."
)
_CODES: Final = (
    "Exit codes: 0 done; 2 an option is not known or not possible; 3 a device does not work; 4 it "
    "cannot be done as asked, one sentence says why; 130 stopped."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one recipe. Returns the exit code, as the help tells them."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="facecloak-train", description=_ABOUT, epilog=_CODES)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group, (about, kinds) in GROUPS.items():
        of_group = commands.add_parser(group, help=about, description=about)
        datasets = of_group.add_subparsers(dest="dataset", required=True, metavar="DATASET")
        for name, (kind, _) in kinds.items():
            add_command(datasets, name, kind, ABOUT_TABLES.get(name) if group == "table" else None)
    for name, (kind, _) in COMMANDS.items():
        add_command(commands, name, kind)
    chosen = parser.parse_args(arguments)
    of_dataset = GROUPS.get(chosen.command)
    kind, recipe = of_dataset[1][chosen.dataset] if of_dataset else COMMANDS[chosen.command]
    try:
        recipe(build(kind, vars(chosen)))
    except (FaceCloakError, ValueError, OSError) as exc:
        logger.error("facecloak-train %s: %s", chosen.command, _sentence(exc))  # noqa: TRY400
        return exc.exit_code if isinstance(exc, FaceCloakError) else 4
    except KeyboardInterrupt:
        goes_on = chosen.command in RESUMED
        how = "goes on where it was" if goes_on else "begins anew"
        logger.info("stopped; the same command %s", how)
        return 130
    return 0


def _sentence(exc: Exception) -> str:
    """What went wrong; of a file, in the words of the system, which file it was."""
    if not (isinstance(exc, OSError) and exc.filename and exc.strerror):
        return str(exc)
    misnamed = isinstance(exc, FileNotFoundError | NotADirectoryError | IsADirectoryError)
    return f"{exc.filename}: {exc.strerror}" + ("; check the name" if misnamed else "")


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    kind: type[Any],
    line: str | None = None,
) -> argparse.ArgumentParser:
    """Add a command with the options of its settings; what it is for is their docstring.

    In a list of commands its first line stands, or ``line``.
    """
    about = inspect.getdoc(kind) or ""
    command = commands.add_parser(
        name,
        help=line or about.splitlines()[0],
        description=about,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_options(command, kind)
    return command


def add_options(
    parser: argparse.ArgumentParser,
    kind: type[Any],
    prefix: str = "",
    usual: Any = dataclasses.MISSING,  # noqa: ANN401 - settings of any kind
) -> None:
    """Add one option for each field of a settings dataclass; nested ones get a prefix.

    Args:
        parser: takes the options.
        kind: the dataclass.
        prefix: of their names.
        usual: settings of that kind that have the defaults, in place of those of the class.
    """
    hints, helps = typing.get_type_hints(kind), field_docs(kind)
    for field in dataclasses.fields(kind):
        hint, flag = hints[field.name], f"--{prefix}{field.name}".replace("_", "-")
        default = default_of(field, usual)
        if dataclasses.is_dataclass(hint):
            nested = typing.cast("type[Any]", hint)
            add_options(parser, nested, f"{prefix}{field.name}-", default)
            continue
        if field.metadata.get("positional"):
            parser.add_argument(field.name, nargs="+", help=helps[field.name])
            continue
        options: dict[str, Any] = {"help": helps[field.name], "default": argparse.SUPPRESS}
        if default is not dataclasses.MISSING:
            options["help"] += f" (default: {default})"
        if hint is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(hint, types.GenericAlias) or typing.get_origin(hint) is tuple:
            options |= {"type": typing.get_args(hint)[0], "nargs": "+"}
        else:
            options["type"] = Path if hint == Path | None else hint
        parser.add_argument(flag, required=default is dataclasses.MISSING, **options)


def build(kind: type[Any], chosen: dict[str, Any], prefix: str = "") -> Any:  # noqa: ANN401
    """Make the settings from parsed options; what was not given keeps its default."""
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        name = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(hints[field.name]):
            given = {k for k in chosen if k.startswith(f"{name}_")}
            if given:
                usual = typing.cast("Callable[[], Any]", field.default_factory)()
                changes = {k.removeprefix(f"{name}_"): chosen[k] for k in given}
                values[field.name] = dataclasses.replace(usual, **changes)
        elif name in chosen:
            value = chosen[name]
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def field_docs(kind: type[Any]) -> dict[str, str]:
    """The string under each field of a dataclass, by the field's name."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - what a class's source parses to
    docs = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            docs[statement.target.id] = str(following.value.value).rstrip(".")
    return docs
