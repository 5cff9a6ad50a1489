"""``facecloak-train``: the command line is the settings' dataclasses."""

import argparse
import ast
import dataclasses
import functools
import inspect
import logging
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from facecloak.core.errors import FaceCloakError
from facecloak_train import settings

logger = logging.getLogger("facecloak_train")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one recipe. Returns the exit code: 0, 2 for bad options, 4 for bad data or files."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="facecloak-train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group, (about, kinds) in GROUPS.items():
        of_group = commands.add_parser(group, help=about, description=about)
        datasets = of_group.add_subparsers(dest="dataset", required=True, metavar="DATASET")
        for name, (kind, _) in kinds.items():
            add_command(datasets, name, kind)
    for name, (kind, _) in COMMANDS.items():
        add_command(commands, name, kind)
    chosen = parser.parse_args(arguments)
    of_dataset = GROUPS.get(chosen.command)
    kind, recipe = of_dataset[1][chosen.dataset] if of_dataset else COMMANDS[chosen.command]
    try:
        recipe(build(kind, vars(chosen)))
    except (FaceCloakError, ValueError, OSError) as exc:
        logger.error("facecloak-train %s: %s", chosen.command, exc)  # noqa: TRY400 - one sentence
        return exc.exit_code if isinstance(exc, FaceCloakError) else 4
    except KeyboardInterrupt:
        logger.info("stopped; the same command goes on from the last checkpoint")
        return 130
    return 0


def _prepare_fer2013(chosen: settings.PrepareSettings) -> None:
    from facecloak_train.recipes.prepare_fer2013 import prepare_fer2013

    prepare_fer2013(chosen)


def _prepare_clips(dataset: str, chosen: settings.PrepareClipsSettings) -> None:
    from facecloak_train.recipes.prepare_clips import prepare_clips

    prepare_clips(dataset, chosen)


def _template(chosen: settings.TemplateSettings) -> None:
    from facecloak_train.recipes.measure_template import measure_template

    template = measure_template(chosen.data, chosen.count, chosen.seed)
    logger.info("mesh, the median of %d faces:\n%s", template.mesh_faces, template.mesh)
    logger.info("keypoints, of %d faces:\n%s", template.keypoint_faces, template.keypoints)


def _describe(chosen: settings.DescribeSettings) -> None:
    from facecloak_train.recipes.describe_faces import describe_faces

    describe_faces(chosen)


def _synthesize(chosen: settings.SynthesizeSettings) -> None:
    from facecloak_train.recipes.synthesize_clips import synthesize_clips

    synthesize_clips(chosen)


def _fit_clips(chosen: settings.FitClipsSettings) -> None:
    from facecloak_train.recipes.fit_clips import fit_clip_classifier

    fit_clip_classifier(chosen)


def _fit(chosen: settings.FitSettings) -> None:
    from facecloak_train.recipes.fit_classifier import fit_classifier

    fit_classifier(chosen)


def _tune(chosen: settings.TuneSettings) -> None:
    from facecloak_train.recipes.tune_fit import tune_fit

    tune_fit(chosen)


def _attack(chosen: settings.AttackSettings) -> None:
    from facecloak_train.recipes.make_universal import make_universal

    make_universal(chosen)


def _attack_clips(chosen: settings.AttackClipsSettings) -> None:
    from facecloak_train.recipes.attack_clips import attack_clips

    attack_clips(chosen)


def _beat(chosen: settings.BeatSettings) -> None:
    from facecloak_train.recipes.make_beat import make_beat

    make_beat(chosen)


def _evaluate(chosen: settings.EvaluateSettings) -> None:
    from facecloak_train.recipes.evaluate_fooling import evaluate_fooling

    evaluate_fooling(chosen)


def _call(chosen: settings.CallSettings) -> None:
    from facecloak_train.recipes.evaluate_call import evaluate_call

    evaluate_call(chosen)


def _score(chosen: settings.ScoreSettings) -> None:
    from facecloak_train.recipes.score_classifier import score_classifier

    score_classifier(chosen)


def _robustness(chosen: settings.RobustnessSettings) -> None:
    from facecloak_train.recipes.measure_robustness import measure_robustness

    measure_robustness(chosen)


def _compare(chosen: settings.CompareSettings) -> None:
    from facecloak_train.recipes.compare_universal import compare_universal

    compare_universal(chosen)


def _table_fer2013(chosen: settings.TableSettings) -> None:
    from facecloak_train.recipes.table_fer2013 import table_fer2013

    table_fer2013(chosen)


def _table_micro(chosen: settings.TableMicroSettings) -> None:
    from facecloak_train.recipes.table_micro import table_micro

    table_micro(chosen)


def _export(chosen: settings.ExportSettings) -> None:
    from facecloak_train.recipes.export_onnx import export_onnx

    export_onnx(chosen)


def _export_clips(chosen: settings.ExportClipsSettings) -> None:
    from facecloak_train.recipes.export_clips import export_clips

    export_clips(chosen)


def _compositor(chosen: settings.CompositorSettings) -> None:
    from facecloak_train.export.compositor import write

    write(chosen.out)


def _grid(chosen: settings.GridSettings) -> None:
    from facecloak_train.grid.run_grid import run_grid

    run_grid(chosen, {name: kind for name, (kind, _) in COMMANDS.items()})


_Table = dict[str, tuple[type[Any], Callable[[Any], None]]]

PREPARE: _Table = {"fer2013": (settings.PrepareSettings, _prepare_fer2013)} | {
    name: (settings.PrepareClipsSettings, functools.partial(_prepare_clips, name))
    for name in ("casme", "casme2", "casme-squared", "smic")
}
TABLES: _Table = {
    "fer2013": (settings.TableSettings, _table_fer2013),
    "micro": (settings.TableMicroSettings, _table_micro),
}
GROUPS: dict[str, tuple[str, _Table]] = {
    "prepare": (
        "Check a dataset as its owners ship it and write it in the form that training reads.",
        PREPARE,
    ),
    "table": ("Put what was measured beside what is published.", TABLES),
}
"""Commands that want to know which dataset: what they are for, and what they can be given."""

COMMANDS: _Table = {
    "template": (settings.TemplateSettings, _template),
    "describe": (settings.DescribeSettings, _describe),
    "synthesize": (settings.SynthesizeSettings, _synthesize),
    "fit-clips": (settings.FitClipsSettings, _fit_clips),
    "fit": (settings.FitSettings, _fit),
    "tune": (settings.TuneSettings, _tune),
    "attack": (settings.AttackSettings, _attack),
    "attack-clips": (settings.AttackClipsSettings, _attack_clips),
    "beat": (settings.BeatSettings, _beat),
    "evaluate": (settings.EvaluateSettings, _evaluate),
    "call": (settings.CallSettings, _call),
    "score": (settings.ScoreSettings, _score),
    "robustness": (settings.RobustnessSettings, _robustness),
    "compare": (settings.CompareSettings, _compare),
    "export": (settings.ExportSettings, _export),
    "export-clips": (settings.ExportClipsSettings, _export_clips),
    "compositor": (settings.CompositorSettings, _compositor),
    "grid": (settings.GridSettings, _grid),
}
"""Every command: its settings and its recipe, which is imported when it runs (torch is slow)."""


def add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, kind: type[Any]
) -> argparse.ArgumentParser:
    """Add a command with the options of its settings; what it is for is their docstring."""
    about = inspect.getdoc(kind) or ""
    command = commands.add_parser(
        name,
        help=about.splitlines()[0],
        description=about,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_options(command, kind)
    return command


def add_options(parser: argparse.ArgumentParser, kind: type[Any], prefix: str = "") -> None:
    """Add one option for each field of a settings dataclass; nested ones get a prefix."""
    hints, helps = typing.get_type_hints(kind), field_docs(kind)
    for field in dataclasses.fields(kind):
        hint, flag = hints[field.name], f"--{prefix}{field.name}".replace("_", "-")
        if dataclasses.is_dataclass(hint):
            add_options(parser, typing.cast("type[Any]", hint), f"{prefix}{field.name}-")
            continue
        if field.metadata.get("positional"):
            parser.add_argument(field.name, nargs="+", help=helps[field.name])
            continue
        options: dict[str, Any] = {"help": helps[field.name], "default": argparse.SUPPRESS}
        if field.default is not dataclasses.MISSING:
            options["help"] += f" (default: {field.default})"
        if hint is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(hint, types.GenericAlias) or typing.get_origin(hint) is tuple:
            options |= {"type": typing.get_args(hint)[0], "nargs": "+"}
        else:
            options["type"] = Path if hint == Path | None else hint
        missing = field.default is field.default_factory is dataclasses.MISSING
        parser.add_argument(flag, required=missing, **options)


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
