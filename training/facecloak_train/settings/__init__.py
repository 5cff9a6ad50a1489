"""What each recipe can be told; the string under a field is its ``--help`` text."""

from facecloak_train.settings.attacks import (
    AttackSettings,
    CompareSettings,
    CompositorSettings,
    EvaluateSettings,
)
from facecloak_train.settings.clips import (
    AttackClipsSettings,
    Beat,
    BeatSettings,
    ClipTraining,
    ExportClipsSettings,
    FitClipsSettings,
    PrepareClipsSettings,
    SynthesizeSettings,
)
from facecloak_train.settings.faces import (
    DescribeSettings,
    ExportGradientSettings,
    ExportSettings,
    FitSettings,
    PrepareSettings,
    RobustnessSettings,
    ScoreSettings,
    TemplateSettings,
    TuneSettings,
)
from facecloak_train.settings.grid import GridSettings
from facecloak_train.settings.shared import Hardening, Jitter
from facecloak_train.settings.tables import TableSettings

__all__ = [
    "AttackClipsSettings",
    "AttackSettings",
    "Beat",
    "BeatSettings",
    "ClipTraining",
    "CompareSettings",
    "CompositorSettings",
    "DescribeSettings",
    "EvaluateSettings",
    "ExportClipsSettings",
    "ExportGradientSettings",
    "ExportSettings",
    "FitClipsSettings",
    "FitSettings",
    "GridSettings",
    "Hardening",
    "Jitter",
    "PrepareClipsSettings",
    "PrepareSettings",
    "RobustnessSettings",
    "ScoreSettings",
    "SynthesizeSettings",
    "TableSettings",
    "TemplateSettings",
    "TuneSettings",
]
