"""What each recipe can be told; a field's docstring is its ``--help`` text."""

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
class FitSettings:
    """Train a classifier of facial expressions."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    out: Path
    """Run folder; an unfinished run in it is resumed."""
    net: str = "vgg19"
    """Architecture, by name."""
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
    learning_rate: float = 5e-4
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.05
    """Decoupled weight decay of AdamW."""
    gradient_norm: float = 1.0
    """Gradients longer than this are shortened to it; without it VGG19 diverges at the start."""
    label_smoothing: float = 0.1
    """Share of the target spread over all classes."""
    average_decay: float = 0.998
    """Decay, per step, of the moving average of the weights; the average is what is kept."""
    seed: int = 1
    """Seed of every random choice."""
    checkpoint_steps: int = 100
    """Steps between two checkpoints."""
    jitter: Jitter = field(default_factory=Jitter)
    """Augmentation ranges."""
