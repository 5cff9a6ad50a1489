"""The card of a classifier: what it takes, what it tells, how good it is, and whose bytes it is.

The card is JSON in the metadata of the ONNX file, under the key ``facecloak``. Its digest is
SHA-256 of the file with the sixty-four digits of the digest itself read as zeros, so one file
carries its own proof and no library but the standard one is needed to check it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from facecloak.core.errors import ArtifactError, DigestMismatch

FORMAT: Final = 1
KEY: Final = "facecloak"
UNSEALED: Final = "0" * 64
GRADIENT: Final = "gradient"
"""The task of a graph that tells what leads a classifier astray."""
_REMEDY: Final = "Reinstall FaceCloak, or export the model again with `facecloak-train export`."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a classifier says about itself.

    Attributes:
        name: short name, as shown to people.
        architecture: of the network.
        task: ``expression``, ``micro-expression`` of a classifier of clips, or ``gradient``.
        labels: the classes, in the order of the logits.
        input_px: side of the square face crop that it takes, in pixels.
        input_layout: ``N1HW``: float32, one grey plane; ``NTHW``: the frames of a clip.
        input_range: smallest and largest pixel value.
        frames: of a clip; 1 for still faces.
        fps: how many of them there are in a second; 0 for still faces.
        dataset: what it was trained on.
        measured: accuracies and agreements by name, in ``[0, 1]``.
        precision: how the weights are stored.
        date: day of the export, ISO 8601.
        command: the command that makes it again.
        sha256: see above.
    """

    name: str
    architecture: str
    labels: tuple[str, ...]
    input_px: int
    dataset: str
    measured: dict[str, float] = field(default_factory=dict)
    precision: str = "fp32"
    date: str = ""
    command: str = ""
    task: str = "expression"
    input_layout: str = "N1HW"
    input_range: tuple[float, float] = (0.0, 1.0)
    frames: int = 1
    fps: float = 0.0
    sha256: str = UNSEALED
    format: int = FORMAT

    def __post_init__(self) -> None:
        for name in ("name", "architecture", "dataset", "precision", "sha256", "input_layout"):
            if not isinstance(getattr(self, name), str):
                msg = f"{name} must be text, is {getattr(self, name)!r}"
                raise TypeError(msg)
        if type(self.input_px) is not int or len(self.input_range) != 2:
            msg = "input_px and input_range must be a whole number and two numbers"
            raise TypeError(msg)
        if len(self.sha256) != len(UNSEALED):
            msg = f"sha256 must have {len(UNSEALED)} digits"
            raise ValueError(msg)
        if self.format != FORMAT:
            msg = f"card format {self.format!r} is not {FORMAT}, the one this version reads"
            raise ValueError(msg)
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            msg = f"labels must be two or more different names, are {list(self.labels)}"
            raise ValueError(msg)
        if not 8 <= self.input_px <= 1024:
            msg = f"input_px must lie within 8..1024, is {self.input_px}"
            raise ValueError(msg)
        if self.input_layout not in ("N1HW", "NTHW"):
            msg = f"input layout {self.input_layout!r} is neither N1HW nor NTHW"
            raise ValueError(msg)
        if self.is_clip and not (2 <= self.frames <= 256 and 1.0 <= self.fps <= 1000.0):
            msg = f"a clip of {self.frames!r} frames at {self.fps!r} a second is none"
            raise ValueError(msg)

    @property
    def is_clip(self) -> bool:
        """Whether it looks at clips instead of still faces."""
        return self.input_layout == "NTHW"

    def to_json(self) -> str:
        """The card as it stands in the metadata."""
        return json.dumps(asdict(self))


def parse(text: str | None, where: str) -> ModelCard:
    """Read a card. Raises ArtifactError, naming the file ``where``."""
    if text is None:
        msg = f"{where} carries no FaceCloak card, so its classes and input are unknown."
        raise ArtifactError(msg, _REMEDY)
    try:
        fields: dict[str, Any] = json.loads(text)
        return ModelCard(
            **fields
            | {"labels": tuple(fields["labels"]), "input_range": tuple(fields["input_range"])}
        )
    except (KeyError, TypeError, ValueError) as exc:
        msg = f"The card of {where} cannot be used: {exc}."
        raise ArtifactError(msg, _REMEDY) from exc


def seal(unsealed: bytes) -> bytes:
    """Write the digest into the bytes of a file whose card still has :data:`UNSEALED`."""
    digest = hashlib.sha256(unsealed).hexdigest().encode()
    if unsealed.count(UNSEALED.encode()) != 1:
        msg = "the file must hold exactly one unsealed card"
        raise ValueError(msg)
    return unsealed.replace(UNSEALED.encode(), digest)


def is_sealed(content: bytes, sha256: str) -> bool:
    """Whether a file is the one with this digest."""
    unsealed = content.replace(sha256.encode(), UNSEALED.encode(), 1)
    return hashlib.sha256(unsealed).hexdigest() == sha256


def check_seal(content: bytes, card: ModelCard, where: str) -> None:
    """Compare the bytes of a file with the digest on its card. Raises DigestMismatch."""
    if not is_sealed(content, card.sha256):
        msg = f"{where} is not the file its card describes: the digests differ."
        raise DigestMismatch(msg, _REMEDY)
