"""What recipes for micro-expressions can be told."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareClipsSettings:
    """Check a release of micro-expressions and write its faces, aligned, as a folder of clips."""

    source: Path
    """The folder of the official release, untouched."""
    out: Path
    """The folder to write; one that holds the same clips already is left as it is."""
    variant: str = ""
    """Which part: of smic hs, vis, nir, hs-e, vis-e or nir-e; of casme-squared micro, macro, all or
    videos; the first of these if left empty."""
    crops: bool = False
    """Take the release's own crops, resized, instead of finding and aligning faces."""
    scheme: str = "megc"
    """Which labels make which class: megc, original, five (casme2) or stcnn (smic, and videos of
    casme-squared)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SynthesizeSettings:
    """Make the synthetic stand-in for micro-expression sets: still faces, moved by action units."""

    data: Path
    """What `facecloak-train prepare fer2013` wrote; its neutral faces are moved."""
    out: Path
    """The folder of clips to write."""
    subjects: int = 24
    """How many people."""
    clips: int = 48
    """How many clips of each."""
    classes: int = 3
    """3 (negative, positive, surprise) or 5 (happiness, disgust, repression, surprise, others)."""
    split: str = "Training"
    """Whose neutral faces are moved: Training, PublicTest or PrivateTest."""
    seed: int = 1
    """Seed of every random choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTraining:
    """How a classifier of clips is trained."""

    epochs: int = 14
    """Passes over the training clips."""
    batch: int = 32
    """Clips per step."""
    learning_rate: float = 1e-3
    """Its peak."""
    weight_decay: float = 1e-3
    """Of AdamW."""
    label_smoothing: float = 0.05
    """Share of the target spread over all classes."""
    seed: int = 1
    """Seed of every random choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitClipsSettings:
    """Train a classifier of micro-expressions, fold by fold, and score it on held-out people."""

    data: Path
    """The folder of clips that `prepare` or `synthesize` wrote."""
    out: Path
    """Run folder; folds that are done in it are not done again."""
    net: str = "stcnn"
    """Architecture, by name: stcnn, fusenet-intermediate, fusenet-late, learnet."""
    protocol: str = "loso"
    """loso (leave one subject out), 80-20 (as published: random clips, people in both parts), or
    all (no test; what is exported)."""
    fold: int = 0
    """Which fold alone, counted from 1, as a job of a grid; `table` pools them. All with 0."""
    frames: int = 18
    """Length to which every clip is resampled."""
    training: ClipTraining = field(default_factory=ClipTraining)
    """Of each fold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """How a pattern that changes with time is made: by ascent against all classifiers together."""

    frames: int = 24
    """Frames of the circle that it goes round in, 30 a second."""
    cells: int = 56
    """Side of its grids."""
    steps: int = 150
    """Steps of the ascent."""
    batch: int = 16
    """Clips per step."""
    step: float = 1.0
    """Length of the first step, in levels; it falls to a tenth of that."""
    confidence: float = 5.0
    """A lead of the wrong class, in logits, that is enough."""
    jitter_px: int = 1
    """How far clips are moved at random before they are read, in pixels of 112: classifiers align
    faces in their own way."""
    seed: int = 1
    """Seed of every random choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackClipsSettings:
    """Attack classifiers of micro-expressions, fold by fold, and measure it on held-out people."""

    data: Path
    """The folder of clips that the classifiers were trained on."""
    runs: tuple[Path, ...]
    """Run folders of `fit-clips` on these clips, one for each classifier."""
    out: Path
    """The JSON report to write."""
    eps: float = 8.0
    """The most that a value may change, in 8-bit levels, after rounding."""
    folds: int = 0
    """How many folds, the first ones, are attacked; all with 0."""
    fold: int = 0
    """Which fold alone, counted from 1, as of `fit-clips`."""
    offsets: int = 8
    """At how many frames of the circle clips begin, when it is measured."""
    beat: Beat = field(default_factory=Beat)
    """How what changes with time is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatSettings:
    """Give a perturbation a part that changes with time, against classifiers of clips."""

    perturbation: Path
    """The .safetensors to begin with."""
    data: Path
    """The folder of clips to learn from."""
    weights: tuple[Path, ...]
    """What `fit-clips --protocol all` wrote for each classifier: its all.safetensors."""
    exports: tuple[Path, ...]
    """What `export-clips` made of each, in the same order; its name and digest go into the
    header."""
    unseen: Path
    """A folder of clips of other people, to measure on."""
    out: Path
    """The .safetensors to write."""
    eps: float = 8.0
    """The most that a value may change in all, in 8-bit levels."""
    offsets: int = 8
    """At how many frames of the circle clips begin, when it is measured."""
    beat: Beat = field(default_factory=Beat)
    """How it is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportClipsSettings:
    """Write a trained classifier of clips as ONNX with its card, and measure that it agrees."""

    data: Path
    """A folder of clips of people it was not trained on."""
    weights: Path
    """A fold that `facecloak-train fit-clips` wrote: `all.safetensors`."""
    out: Path
    """The .onnx to write."""
    name: str = "STCNN"
    """Name on the card, as shown to people."""
    trained_on: str = "synthetic micro-expressions"
    """The set, as the card has it."""
    precision: str = "fp16"
    """How the weights are stored: fp16 or fp32; they compute in fp32 either way."""
