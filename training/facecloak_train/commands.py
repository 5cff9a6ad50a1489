"""Every command of ``facecloak-train``: its settings and its recipe, imported when it runs.

Importing torch takes seconds, and ``--help`` needs none of it.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

from facecloak_train import settings

logger = logging.getLogger("facecloak_train")


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


def _score(chosen: settings.ScoreSettings) -> None:
    from facecloak_train.recipes.score_classifier import score_classifier

    score_classifier(chosen)


def _robustness(chosen: settings.RobustnessSettings) -> None:
    from facecloak_train.recipes.measure_robustness import measure_robustness

    measure_robustness(chosen)


def _compare(chosen: settings.CompareSettings) -> None:
    from facecloak_train.recipes.compare_universal import compare_universal

    compare_universal(chosen)


def _table(name: str, chosen: settings.TableSettings) -> None:
    from facecloak_train.tables.page import write_table

    write_table(name, chosen)


def _table_results(chosen: settings.TableSettings) -> None:
    from facecloak_train.tables.page import write_page

    write_page(chosen)


def _export(chosen: settings.ExportSettings) -> None:
    from facecloak_train.recipes.export_onnx import export_onnx

    export_onnx(chosen)


def _export_gradient(chosen: settings.ExportGradientSettings) -> None:
    from facecloak_train.recipes.export_gradient import export_gradient

    export_gradient(chosen)


def _export_clips(chosen: settings.ExportClipsSettings) -> None:
    from facecloak_train.recipes.export_clips import export_clips

    export_clips(chosen)


def _compositor(chosen: settings.CompositorSettings) -> None:
    from facecloak_train.export.compositor import write

    write(chosen.out)


def _grid(chosen: settings.GridSettings) -> None:
    from facecloak_train.grid.run_grid import run_grid

    run_grid(chosen, kinds())


_Table = dict[str, tuple[type[Any], Callable[[Any], None]]]

PREPARE: _Table = {"fer2013": (settings.PrepareSettings, _prepare_fer2013)} | {
    name: (settings.PrepareClipsSettings, functools.partial(_prepare_clips, name))
    for name in ("casme", "casme2", "casme-squared", "smic")
}
TABLES: _Table = {
    name: (settings.TableSettings, functools.partial(_table, name))
    for name in ("fer2013", "universal", "micro")
} | {"results": (settings.TableSettings, _table_results)}
ABOUT_TABLES: dict[str, str] = {
    "fer2013": "Classifiers on FER2013, and what attacks leave of them.",
    "universal": "Methods that make one perturbation for all faces.",
    "micro": "Classifiers of micro-expressions, and what perturbations do to them.",
    "results": "All of these, each into its place in a page.",
}
"""What each of the tables holds."""
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
    "score": (settings.ScoreSettings, _score),
    "robustness": (settings.RobustnessSettings, _robustness),
    "compare": (settings.CompareSettings, _compare),
    "export": (settings.ExportSettings, _export),
    "export-gradient": (settings.ExportGradientSettings, _export_gradient),
    "export-clips": (settings.ExportClipsSettings, _export_clips),
    "compositor": (settings.CompositorSettings, _compositor),
    "grid": (settings.GridSettings, _grid),
}
"""Every command: its settings and its recipe, which is imported when it runs (torch is slow)."""

RESUMED = frozenset({"fit", "fit-clips", "tune", "evaluate", "grid"})
"""Those that keep what they have done so far, so that after a stop they go on from there."""


def kinds() -> dict[str, type[Any]]:
    """The settings of every command by its words, such as ``fit`` or ``prepare fer2013``."""
    found = {name: kind for name, (kind, _) in COMMANDS.items()}
    for group, (_, datasets) in GROUPS.items():
        found |= {f"{group} {name}": kind for name, (kind, _) in datasets.items()}
    return found
