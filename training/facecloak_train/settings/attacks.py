"""What recipes for universal perturbations of faces can be told."""

from dataclasses import dataclass, field
from pathlib import Path

from facecloak_train.settings.shared import Jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackSettings:
    """Make a universal perturbation against classifiers, or a bank, from training faces only."""

    data: Path
    """What `facecloak-train prepare` wrote."""
    victims: tuple[Path, ...]
    """The classifiers to fool, exported .onnx or best.safetensors of `fit`; their digests go into
    the header."""
    out: Path
    """The .safetensors to write."""
    unseen: tuple[Path, ...] = ()
    """Further classifiers, which the attack never uses: how many of their readings change is told
    in the end."""
    selector: Path | None = None
    """The .onnx classifier that chooses from a bank by what it reads in the clean face; without
    one, a single perturbation is made for all faces."""
    input_px: int = 44
    """Side of the crop that the networks look at, in pixels."""
    eps: float = 8.0
    """Largest change of a channel by the pattern, in 8-bit levels."""
    smooth_share: float = 1.0
    """What the pattern may use of eps where faces are smoothest; where they are busiest it may use
    all."""
    dense: float = 1.0
    """Which share of the cells that a face shows the pattern paints: those that lead the victims
    farthest, chosen after the first of at least two passes; all else is left alone."""
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
    """Measure a perturbation on PrivateTest at the far end of calls; goes on where it was killed.

    Legs are lossless, and {h264, vp8, vp9, av1}-{720p-2500, 720p-1200, 360p-500, 180p-150} at 30
    pictures a second, with -15fps behind them at 15.
    """

    data: Path
    """What `facecloak-train prepare` wrote."""
    perturbation: Path
    """The .safetensors to measure."""
    models: tuple[Path, ...]
    """The classifiers at the far end: exported .onnx, or best.safetensors of `fit`."""
    out: Path
    """The JSON report to write; a Markdown table and a picture go beside it."""
    legs: tuple[str, ...] = (
        "lossless",
        "h264-720p-2500",
        "h264-720p-1200",
        "h264-360p-500-15fps",
        "vp8-360p-500",
        "vp9-360p-500",
        "av1-360p-500",
        "h264-180p-150",
        "vp8-180p-150",
    )
    """How the pictures get there: some of the legs, or all."""
    strengths: tuple[float, ...] = (1.0,)
    """Strengths to measure, as factors on the budget."""
    faces: int = 500
    """How many PrivateTest faces, drawn at random, to take; those that also stand in another split
    are left out."""
    tailor: tuple[Path, ...] = ()
    """What `export-gradient` wrote: the perturbation is fitted to each face with these, as the live
    app does it, and stands beside itself as it is for all faces."""
    tailor_steps: int = 32
    """Steps of that; the live app takes 4 at once, then 2 twice a second while that helps."""
    from_scratch: bool = False
    """Fit from nothing, so that only the networks of these gradients had a part in it."""
    parts: bool = False
    """Lay the pattern alone and the displacement alone on the faces, too."""
    landmarks: bool = True
    """Have the faces read by a rule on MediaPipe's own landmarks, too, which texture alone does not
    fool."""
    landmark_faces: int = 10000
    """How many training faces, drawn at random, that rule is fitted to."""
    pictures: int = 16
    """Pictures of a call; the last is read. Encoders need about half a second to come near to their
    rate."""
    noise: float = 2.0
    """Standard deviation of the camera's noise, in 8-bit levels."""
    input_px: int = 44
    """Side of the crop that networks of `fit` look at, in pixels."""
    seed: int = 0
    """Which faces, and every random choice."""
    record: bool = False
    """Write the figures at the first of the strengths into the header of the perturbation."""
    workers: int = 1
    """How many processes measure faces side by side, each on a core of its own and with up to one
    and a half gigabytes. Figures are the same by whatever number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """Compare published universal perturbations, made and measured alike, with their bounds.

    The methods are uap (Moosavi-Dezfooli et al.), spgd, df-uap, cos-uap and sga.
    """

    data: Path
    """What `facecloak-train prepare` wrote."""
    victim: Path
    """The classifier to fool: an exported .onnx, or a best.safetensors of `fit`."""
    out: Path
    """The JSON report to write; a Markdown table and a picture go beside it."""
    unseen: tuple[Path, ...] = ()
    """Further classifiers, which no attack uses."""
    methods: tuple[str, ...] = ("uap", "spgd", "df-uap", "cos-uap", "sga")
    """Which methods."""
    eps: tuple[float, ...] = (2.0, 4.0, 8.0)
    """The most that a value may change, in 8-bit levels."""
    faces: int = 2000
    """How many training faces, drawn at random, a perturbation is made from."""
    passes: int = 10
    """The most passes over them."""
    batch: int = 50
    """Faces per step."""
    held_out: int = 500
    """How many PublicTest faces tell after each pass how far a method is."""
    test_faces: int = 3589
    """How many PrivateTest faces, drawn at random, to take; those that also stand in another split
    are left out."""
    steps: int = 20
    """Steps of PGD."""
    octaves: int = 2
    """Octaves of Perlin's noise."""
    art: bool = False
    """Run the UniversalPerturbation of the Adversarial Robustness Toolbox, too."""
    art_s: float = 600.0
    """The most seconds that it gets for each budget."""
    input_px: int = 44
    """Side of the crop that the networks look at, in pixels."""
    seed: int = 0
    """Which faces, and every random choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositorSettings:
    """Write the compositor's graphs, which the live app runs on CUDA."""

    out: Path
    """The folder to write face.onnx and finish.onnx into: facecloak/cloak."""
