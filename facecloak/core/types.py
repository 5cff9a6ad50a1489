"""The values that travel between the stages: frozen, checked when made, read-only."""

import enum
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecloak.core.perturbation import ANY, Perturbation

Image = NDArray[np.uint8]
"""``uint8[H, W, 3]``, BGR."""
Affine = NDArray[np.float64]
"""``float64[2, 3]``; ``a_from_b`` takes points of ``b`` to points of ``a``."""
Points = NDArray[np.float64]
"""``float64[N, 2]``, x then y."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture on its way from the camera to the call.

    Attributes:
        image: ``uint8[H, W, 3]``, BGR, read-only from here on.
        captured_s: when it was taken, in seconds on the source's clock.
        index: 0, 1, 2, ...; a gap means that the source dropped pictures.
    """

    image: Image
    captured_s: float
    index: int

    def __post_init__(self) -> None:
        picture = self.image
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            msg = f"a frame is uint8[H, W, 3], got {picture.dtype}{list(picture.shape)}"
            raise ValueError(msg)
        if picture.size == 0:
            msg = f"a frame has pixels, got {list(picture.shape)}"
            raise ValueError(msg)
        picture.flags.writeable = False

    def with_image(self, image: Image) -> "Frame":
        """The same moment with another picture."""
        return Frame(image, self.captured_s, self.index)


class Sighting(enum.Enum):
    """How well a face's place is known in this frame."""

    MESH = "mesh"
    """From the dense landmarks."""
    KEYPOINTS = "keypoints"
    """From the detector's six points."""
    PREDICTED = "predicted"
    """From where it was a moment ago."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face in one frame.

    Attributes:
        track: the same number for the same person from frame to frame.
        face_from_frame: ``float64[2, 3]``, takes pixel coordinates of the frame (pixel centres at
            whole numbers) to face coordinates, in which the aligned face fills the unit square.
        sighting: how its place is known.
        sides: where the face ends to the left and to the right, in face coordinates: at the
            temples, or in a head that is turned at what of eyes and nose lies beyond; 0 and 1 where
            that is not known.
    """

    track: int
    face_from_frame: Affine
    sighting: Sighting = Sighting.MESH
    sides: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        matrix = self.face_from_frame
        if matrix.shape != (2, 3) or not np.isfinite(matrix).all():
            msg = f"face_from_frame is a finite float64[2, 3], got {list(matrix.shape)}"
            raise ValueError(msg)
        if not np.isfinite(self.sides).all():
            msg = f"sides are two finite numbers, got {self.sides}"
            raise ValueError(msg)
        matrix.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Faces:
    """What the finder saw in one frame.

    Attributes:
        found: the faces whose place is known.
        missing: how many faces were there a moment ago, are not in ``found``, and are not yet
            believed to have left.
    """

    found: tuple[Face, ...] = ()
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What one classifier reads from one face.

    Attributes:
        label: the most likely class.
        probability: its softmax probability, in ``[0, 1]``.
    """

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one classifier makes of one face, before and after the cloak.

    Attributes:
        classifier: its name.
        track: the face.
        at_s: capture time of the frame that was judged.
        clean: its reading of the face as captured.
        cloaked: its reading of the face as sent.
        fooled: whether the two readings name different classes.
    """

    classifier: str
    track: int
    at_s: float
    clean: Reading
    cloaked: Reading
    fooled: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A perturbation made to measure for one face.

    Attributes:
        track: the face.
        perturbation: what it is to get.
        answers: the label of the member in whose place it comes; ``"any"`` is for every face.
    """

    track: int
    perturbation: Perturbation
    answers: str = ANY


class Output(enum.Enum):
    """What goes out for one frame."""

    CLOAKED = "cloaked"
    """The frame with every face in it cloaked."""
    HELD = "held"
    """The last cloaked frame once more."""
    SHIELD = "shield"
    """A slate that shows nothing of the picture."""
    UNTOUCHED = "untouched"
    """The frame as captured; only where the user chose so for an empty room."""
    OFF = "off"
    """The frame as captured, whoever is in it: the user has switched protection off."""
