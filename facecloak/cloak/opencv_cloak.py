"""The compositor for the CPU: moves each face within itself, and adds the pattern, there only."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from cv2.typing import MatLike as Mat

from facecloak.cloak import displacer
from facecloak.cloak.chosen import Chosen
from facecloak.cloak.dose import ZERO, Steps
from facecloak.cloak.selector import Mix
from facecloak.core import geometry
from facecloak.core.bank import Bank
from facecloak.core.errors import FaceCloakError
from facecloak.core.types import Affine, Face, Frame, Image

Box = tuple[int, int, int, int]
"""Left, top, right and bottom (exclusive), in pixels of a frame."""
_Given = tuple[Face, Mix, Box]
"""A face, what it gets, and where."""


class OpenCvCloak(Chosen):
    """Implements ``core.ports.Cloak``.

    Args:
        bank: what to add.
        strength: factor on it, at most 2; its budgets scale with it.

    Attributes:
        budget: the most that is added to any channel of any pixel, in whole 8-bit levels.
        device: where it works.

    Raises:
        ConfigError: the strength is out of range, breaks a limit, or is so small that no pixel
            would change.
    """

    device = "cpu"

    def __init__(self, bank: Bank, strength: float = 1.0) -> None:
        super().__init__(bank, strength)
        levels = self._dose.levels()
        self._gain = np.maximum(levels, 0).astype(np.uint8)
        self._loss = np.maximum(-levels, 0).astype(np.uint8)

    def apply(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with every face cloaked; without faces, the frame itself.

        Where faces overlap, the budget holds for the sum of their patterns.

        Raises:
            FaceCloakError: OpenCV failed on the frame.
        """
        if not faces:
            return frame
        try:
            given = _given(frame, faces, self._noted(frame, faces))
            out = self._displaced(frame, given)
            self._add(out, frame, given)
        except cv2.error as exc:
            height, width = frame.image.shape[:2]
            msg = f"OpenCV could not cloak a frame of {width}x{height} pixels."
            raise FaceCloakError(msg, "Use a smaller picture.") from exc
        return frame.with_image(out)

    def displaced(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with the faces moved and nothing added: what the budget counts from.

        Raises:
            cv2.error: OpenCV failed on the frame.
        """
        given = _given(frame, faces, self.mixes(frame, faces))
        return frame.with_image(self._displaced(frame, given))

    def _displaced(self, frame: Frame, given: Sequence[_Given]) -> Image:
        """A copy of the picture, in which one face after the other is moved."""
        out = frame.image.copy()
        moved: list[Box] = []
        for face, mix, box in given:
            shift = self._dose.shift(mix)
            if shift is not None:
                touched = any(_overlap(box, other) for other in moved)
                before = out.copy() if touched else frame.image
                displacer.move(before, out, shift, face.face_from_frame, box)
                moved.append(box)
        return out

    def _add(self, out: Image, frame: Frame, given: Sequence[_Given]) -> None:
        """Add the patterns to the picture, in place; 0 and 255 are never left."""
        placed = [
            ((slice(box[1], box[3]), slice(box[0], box[2])), self._steps(frame, face, mix, box))
            for face, mix, box in given
            if not _is_empty(box)
        ]
        boxes = [box for _, _, box in given]
        if not any(_overlap(one, other) for one, other in itertools.combinations(boxes, 2)):
            for where, steps in placed:
                _change(out[where], cv2.LUT(steps, self._gain), cv2.LUT(steps, self._loss))
            return
        total = np.zeros(out.shape[:2], np.int16)
        for where, steps in placed:
            total[where] += cv2.LUT(steps, self._gain).astype(np.int16)
            total[where] -= cv2.LUT(steps, self._loss).astype(np.int16)
        left, top, right, bottom = _around([box for box in boxes if not _is_empty(box)])
        summed = total[top:bottom, left:right]
        gain, loss = (np.clip(part, 0, self.budget).astype(np.uint8) for part in (summed, -summed))
        _change(out[top:bottom, left:right], gain, loss)

    def _steps(self, frame: Frame, face: Face, mix: Mix, box: Box) -> Steps:
        """The change of each pixel in the face's box."""
        left, top, right, bottom = box
        pattern = self._dose.steps(mix, face, frame.captured_s)
        pattern_from_frame = geometry.compose(
            geometry.crop_from_face(len(pattern)), face.face_from_frame
        )
        pattern_from_box = geometry.compose(
            pattern_from_frame, np.array([[1.0, 0.0, left], [0.0, 1.0, top]])
        )
        warped = cv2.warpAffine(
            pattern,
            pattern_from_box,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderValue=(ZERO,),
        )
        return warped.astype(np.uint8, copy=False)


def _change(pixels: Image, gain: Mat, loss: Mat) -> None:
    """Add and take away the same of blue, green and red, in place."""
    cv2.add(pixels, cv2.merge([gain, gain, gain]), dst=pixels)
    cv2.subtract(pixels, cv2.merge([loss, loss, loss]), dst=pixels)


def _given(frame: Frame, faces: Sequence[Face], mixes: Sequence[Mix]) -> list[_Given]:
    boxes = [face_box(face.face_from_frame, *frame.image.shape[1::-1]) for face in faces]
    return list(zip(faces, mixes, boxes, strict=True))


def _is_empty(box: Box) -> bool:
    return box[2] <= box[0] or box[3] <= box[1]


def _overlap(one: Box, other: Box) -> bool:
    return not _is_empty(
        (max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3]))
    )


def _around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds them all."""
    low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
    return int(low[0]), int(low[1]), int(high[2]), int(high[3])


def face_box(face_from_frame: Affine, width: int, height: int) -> Box:
    """The pixels that a face's square may touch: left, top, right, bottom (exclusive)."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    at = geometry.apply(geometry.invert(face_from_frame), corners)
    low = np.clip(np.floor(at.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(at.max(axis=0)) + 1, 0, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
