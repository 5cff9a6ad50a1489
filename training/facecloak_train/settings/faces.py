"""What recipes for still faces can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from facecloak_train.settings.shared import Hardening, Jitter


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
    """Architecture: vgg19, resnet18, resnet14, convnext, mobilenet, vit, or cnn-landmarks-hog with
    features."""
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
    teachers_consistent: bool = False
    """Teachers see each face as the network does, moved, lit, and mixed, at every step; else they
    see it once, whole."""
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
    mixup: float = 0.0
    """How evenly faces are mixed with one another, alpha of mixup: 0 not at all, 0.2 a little."""
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
    """Architecture, as of `fit`."""
    start: Path | None = None
    """Weights that each trial begins with; random ones without."""
    epochs: int = 4
    """Passes over the training set of each trial, the whole of its schedule."""
    batch: int = 128
    """Faces per step."""
    seed: int = 1
    """Seed of the search and of every trial."""


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
class ExportGradientSettings:
    """Write the gradient of a classifier as ONNX, for the live app to fit perturbations with."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    weights: Path
    """The classifier: a best.safetensors of `fit`, or an exported .onnx."""
    out: Path
    """The .onnx to write."""
    name: str = "ResNet14"
    """Name on the card."""
    precision: str = "fp16"
    """How the weights are stored: fp16 or fp32; they compute in fp32 either way."""
    input_px: int = 44
    """Side of the crop that the network looks at, in pixels."""
    faces: int = 400
    """How many PrivateTest faces the file is compared with torch on."""
    seed: int = 1
    """Seed of the choice of faces that measure an export's statistics."""
