"""The compositor for CUDA: the picture goes to the GPU once, and comes back cloaked.

Two graphs that ``facecloak-train compositor`` writes beside this file do what ``opencv_cloak``
does; they run on the CPU, too, where they are slower than OpenCV.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facecloak import inference
from facecloak.cloak.chosen import Chosen
from facecloak.cloak.dose import FIELD_PX
from facecloak.cloak.selector import Mix
from facecloak.core import geometry
from facecloak.core.bank import Bank
from facecloak.core.displacement import Field
from facecloak.core.errors import ArtifactError
from facecloak.core.types import Face, Frame, Image

_HERE: Final = Path(__file__).parent


class OnnxCloak(Chosen):
    """Implements ``core.ports.Cloak``.

    Args:
        bank: what to add.
        strength: factor on it, at most 2; its budgets scale with it.
        device: ``"auto"`` takes CUDA where it works.

    Attributes:
        budget: the most that is added to any channel of any pixel, in whole 8-bit levels.
        device: ``"cpu"`` or ``"cuda"``, where it works.

    Raises:
        ConfigError: the strength is out of range, breaks a limit, or is so small that no pixel
            would change.
        DeviceError: CUDA was asked for and does not work here.
        ArtifactError: a graph is missing.
    """

    def __init__(self, bank: Bank, strength: float = 1.0, device: str = "auto") -> None:
        super().__init__(bank, strength)
        self._face, _ = inference.load(_HERE / "face.onnx", device)
        self._finish, _ = inference.load(_HERE / "finish.onnx", device)
        self.device = self._face.device
        self._shifts = {
            label: self._face.bring(self._field({label: 1.0})) for label in bank.members
        }
        self._per_level = np.array(self._dose.steps_per_level, np.float32)

    def apply(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with every face cloaked; without faces, the frame itself.

        Where faces overlap, the budget holds for the sum of their patterns.

        Raises:
            DeviceError: ONNX Runtime failed on the frame.
        """
        if not faces:
            return frame
        return self._composed(frame, faces, self._noted(frame, faces), self.budget)

    def displaced(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with the faces moved and nothing added: what the budget counts from."""
        return self._composed(frame, faces, self.mixes(frame, faces), 0) if faces else frame

    def _composed(
        self, frame: Frame, faces: Sequence[Face], mixes: Sequence[Mix], budget: int
    ) -> Frame:
        picture, levels = frame.image, np.zeros(frame.image.shape[:2], np.float32)
        for face, mix in zip(faces, mixes, strict=True):
            steps = self._dose.steps(mix, face, frame.captured_s)
            (label, *others) = mix
            there = None if others else self._shifts.get(label)  # those lie there already
            shift = self._field(mix) if there is None else there
            picture, levels = self._face.run(
                picture, levels, steps, self._per_level, shift, _places(face, len(steps))
            )
        (out,) = self._finish.run(picture, levels, np.array(budget, np.float32))
        image: Image = self._finish.fetch(out)
        if image.dtype != np.uint8 or image.shape != frame.image.shape:
            msg = "The compositor answers in another form than it should."
            raise ArtifactError(msg, "Reinstall FaceCloak, or use --device cpu.")
        return frame.with_image(image)

    def _field(self, mix: Mix) -> Field:
        """``float32[FIELD_PX, FIELD_PX, 2]``, zeros where nothing is moved."""
        shift = self._dose.shift(mix)
        return np.zeros((FIELD_PX, FIELD_PX, 2), np.float32) if shift is None else shift


def _places(face: Face, pattern_px: int) -> NDArray[np.float32]:
    """``float32[3, 2, 3]``: from the frame to the pattern, to the field, and from the face back."""
    to_pattern, to_field = (
        geometry.compose(geometry.crop_from_face(size_px), face.face_from_frame)
        for size_px in (pattern_px, FIELD_PX)
    )
    back = geometry.invert(face.face_from_frame)
    return np.stack([to_pattern, to_field, back]).astype(np.float32)
