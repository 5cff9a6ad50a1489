"""What each recipe can be told; the string under a field is its ``--help`` text."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """How far a face may stray from its canonical place and light; all ranges are symmetric."""

    rotation_deg: float = 12.0
    """Largest rotation, in degrees."""
    shift: float = 0.08
    """Largest shift along each axis, as a fraction of the face crop."""
    scale: float = 0.12
    """Largest change of size, as a fraction."""
    contrast: float = 0.25
    """Largest change of contrast, as a fraction."""
    brightness: float = 0.12
    """Largest change of brightness, in units of the full range."""
    flip: bool = True
    """Mirror half of the faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardening:
    """Training on attacked faces, too."""

    attack: str = "none"
    """What attacks them: none, fgsm, pgd, trades."""
    eps: float = 8.0
    """The most that a value may change, in 8-bit levels."""
    steps: int = 7
    """Steps of pgd and trades."""
    weight: float = 0.5
    """Share of the loss that attacked faces have; for trades, factor on the divergence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSettings:
    """Check a dataset as its owners ship it and write it in the form that `fit` reads."""

    source: Path
    """fer2013.csv, icml_face_data.csv, fer2013.tar.gz, or a folder of images with train and test
    below it."""
    out: Path
    """The .npz to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSettings:
    """Measure where FER2013 puts the landmarks of its faces: the constants of core.geometry."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    count: int = 3000
    """How many random training faces to look at."""
    seed: int = 0
    """Which faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeSettings:
    """Take features of the faces, 68 landmarks and sliding HOG, for cnn-landmarks-hog."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    out: Path
    """The .npz of features to write, 400 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """Train a classifier of facial expressions; a run that was killed goes on where it stopped."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    out: Path
    """Run folder; an unfinished run in it is resumed."""
    net: str = "vgg19"
    """Architecture, by name."""
    start: Path | None = None
    """Weights to begin with: the best.safetensors of another run, or an exported .onnx; random
    ones without."""
    epochs: int = 20
    """Passes over the training set."""
    small_epochs: int = 8
    """How many of them, the first ones, see faces at the small size."""
    small_px: int = 32
    """The small size, in pixels."""
    input_px: int = 44
    """The size the classifier is made for, in pixels."""
    batch: int = 96
    """Faces per step."""
    optimizer: str = "adamw"
    """adamw, or sgd with Nesterov momentum, which wants a hundred times the learning rate and a
    hundredth of the weight decay."""
    learning_rate: float = 5e-4
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.05
    """Weight decay: decoupled for adamw, part of the gradient for sgd."""
    gradient_norm: float = 1.0
    """Gradients longer than this are shortened to it."""
    label_smoothing: float = 0.1
    """Share of the target spread over all classes."""
    teachers: tuple[Path, ...] = ()
    """Trained weights of any architecture, each a best.safetensors or an exported .onnx, whose
    opinion on a face is part of the target."""
    teachers_share: float = 0.5
    """Their part of the target; the label has the rest."""
    features: Path | None = None
    """What `facecloak-train describe` wrote, for a network that takes features."""
    ferplus: Path | None = None
    """fer2013new.csv, the votes of FER+: the label to be expected from them is one teacher more."""
    average_decay: float = 0.998
    """Decay, per step, of the moving average of the weights; the average is what is kept."""
    seed: int = 1
    """Seed of every random choice."""
    checkpoint_steps: int = 100
    """Steps between two checkpoints."""
    erase: float = 0.0
    """Share of the faces that lose a rectangle to noise."""
    jitter: Jitter = field(default_factory=Jitter)
    """Augmentation."""
    hardening: Hardening = field(default_factory=Hardening)
    """Adversarial training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneSettings:
    """Search for the settings of `fit` under which a short run learns most; goes on where it was.

    It looks for the optimiser, its learning rate and weight decay, the smoothing of labels and the
    share of faces that lose a rectangle, by PublicTest.
    """

    data: Path
    """What `facecloak-train prepare` wrote."""
    out: Path
    """The study's folder; a study in it is continued."""
    trials: int = 20
    """How many trials the study shall have in all."""
    net: str = "resnet14"
    """Architecture, by name."""
    start: Path | None = None
    """Weights that each trial begins with; random ones without."""
    epochs: int = 4
    """Passes over the training set of each trial, the whole of its schedule."""
    batch: int = 128
    """Faces per step."""
    seed: int = 1
    """Seed of the search and of every trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackSettings:
    """Make a universal perturbation against classifiers, from training faces only."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    victims: tuple[Path, ...]
    """The exported .onnx classifiers to fool; their digests go into the header."""
    out: Path
    """The .safetensors to write."""
    unseen: tuple[Path, ...] = ()
    """Further .onnx classifiers, which the attack never uses: how many of their readings change is
    told after each pass."""
    input_px: int = 44
    """Side of the crop that the networks look at, in pixels."""
    eps: float = 8.0
    """Largest change of a channel by the pattern, in 8-bit levels."""
    cells: int = 48
    """Side of the coarse grid that the pattern is drawn on."""
    shift: float = 0.01
    """Largest displacement, in face widths; 0 for a pattern alone."""
    strain: float = 0.2
    """Largest strain of the displacement: what bends straight lines."""
    field_cells: int = 6
    """Side of the grid that the displacement is drawn on."""
    passes: int = 3
    """Passes over the training faces."""
    faces: int = 10000
    """How many training faces, drawn at random, a pass uses."""
    batch: int = 256
    """Faces per step."""
    step: float = 1.5
    """Length of the first step, in levels; it falls to a tenth of that over the run."""
    field_step: float = 0.002
    """The same of the displacement, in face widths."""
    decay: float = 0.9
    """Momentum: the share of the accumulated gradient that a step keeps."""
    confidence: float = 5.0
    """A lead of the wrong class, in logits, that is enough."""
    seed: int = 1
    """Seed of every random choice."""
    jitter: Jitter = field(
        default_factory=lambda: Jitter(
            rotation_deg=3.0, shift=0.02, scale=0.03, contrast=0.15, brightness=0.08, flip=False
        )
    )
    """How the classifier's own crop differs from ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateSettings:
    """Measure a perturbation on PrivateTest, through the shipped finder, compositor and judge."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    perturbation: Path
    """The .safetensors to measure."""
    model: Path
    """The .onnx classifier to fool."""
    out: Path
    """The JSON report to write; a Markdown table goes beside it."""
    strengths: tuple[float, ...] = (1.0, 0.75, 0.5)
    """Strengths to measure, as factors on the budget."""
    face_px: int = 224
    """Side of the face in the frames that are made of the 48-pixel faces."""
    faces: int = 3589
    """How many PrivateTest faces, the first ones, to take; those that also stand in another split
    are left out."""
    record: bool = False
    """Write the figures at the first of the strengths into the header of the perturbation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """Measure a perturbation on PrivateTest at the far end of a call, after the codec."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    perturbation: Path
    """The .safetensors to measure."""
    models: tuple[Path, ...]
    """The .onnx classifiers at the far end; of one input size."""
    out: Path
    """The JSON report to write; a Markdown table goes beside it."""
    strength: float = 1.0
    """Factor on the perturbation."""
    faces: int = 500
    """How many PrivateTest faces, drawn at random, to take."""
    seed: int = 0
    """Which faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreSettings:
    """Score a classifier on FER2013 by ten crops: as published, without repeats, and by FER+."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    weights: Path
    """The classifier: a best.safetensors of `fit`, or an exported .onnx."""
    out: Path
    """The JSON report to write; a confusion matrix and a reliability curve go beside it."""
    features: Path | None = None
    """What `facecloak-train describe` wrote, for a network that takes features."""
    ferplus: Path | None = None
    """fer2013new.csv, the votes of FER+, to score by their majority, too."""
    input_px: int = 44
    """Side of the crop that the networks look at, in pixels."""
    seed: int = 0
    """Of the choice of faces that measure an export's statistics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobustnessSettings:
    """Measure how a classifier stands FGSM, PGD and DeepFool, made for each PrivateTest face."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    weights: Path
    """The classifier: a best.safetensors of `fit`, or an exported .onnx."""
    out: Path
    """The JSON report to write; a Markdown table and a picture go beside it."""
    eps: tuple[float, ...] = (2.0, 4.0, 8.0, 76.5)
    """The most that a value may change, in 8-bit levels; 76.5 is the 0.3 of the literature."""
    steps: int = 20
    """Steps of PGD."""
    faces: int = 1000
    """How many PrivateTest faces, drawn at random, to take."""
    input_px: int = 44
    """Side of the crop that the networks look at, in pixels."""
    autoattack: int = 0
    """How many of the faces parts of AutoAttack get (APGD twice, Square); they are slow."""
    autoattack_eps: float = 8.0
    """The most that they may change, in 8-bit levels."""
    seed: int = 0
    """Which faces, and the random starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """Put what was measured of every system beside what is published, as Markdown and as a picture.

    It reads score.json and robustness.json from folders that are named as systems are: vgg19,
    resnet18, cnn-landmarks-hog, resnet14, vgg19-fgsm, resnet14-trades, or anything.
    """

    runs: Path
    """The folder of these folders."""
    out: Path
    """The .md to write; a .png goes beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """Write a trained classifier as ONNX with its card, and measure that it still agrees."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    weights: Path
    """A `best.safetensors` that `facecloak-train fit` wrote."""
    out: Path
    """The .onnx to write."""
    name: str = "VGG19"
    """Name on the card, as shown to people."""
    precision: str = "fp16"
    """How the weights are stored: fp16 or fp32; they compute in fp32 either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositorSettings:
    """Write the compositor's graphs, which the live app runs on CUDA."""

    out: Path
    """The folder to write face.onnx and finish.onnx into: facecloak/cloak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSettings:
    """Run a grid of experiments, on this machine or on a Ray cluster; what is done stays done.

    GRID.toml runs it; `status FOLDER` tells how far it is, also from another terminal;
    `export FOLDER FILE` writes its results as .json or .csv.
    """

    what: tuple[str, ...] = field(metadata={"positional": True})
    """GRID.toml, or status FOLDER, or export FOLDER FILE."""
    out: Path | None = None
    """The grid's folder, with its jobs and their results; runs/NAME of the grid without."""
    engine: str = "local"
    """Where jobs run: local or ray."""
    address: str = ""
    """Of the Ray cluster; without, the one in RAY_ADDRESS, or a new one on this machine."""
    cores: int = 0
    """How many cores jobs may keep busy at once; 0 for all."""
    attempts: int = 3
    """How often a job is tried before it has failed."""
