"""The compositor for the CPU: moves each face within itself, and adds the pattern, there only."""

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from cv2.typing import MatLike as Mat
from numpy.typing import NDArray

from facecloak.cloak.displacer import Displacer
from facecloak.core import geometry
from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak.core.perturbation import MAX_EPS, MAX_SHIFT, MAX_STRAIN, Perturbation
from facecloak.core.types import Affine, Face, Frame, Image

MAX_STRENGTH: Final = 2.0
_PATTERN_PX: Final = (64, 128, 256, 512)
_ZERO: Final = 128
"""The step that changes nothing."""

Steps = NDArray[np.uint8]
"""A pattern on the 8-bit scale that OpenCV warps fastest; ``_ZERO`` and 127 either way."""
Box = tuple[slice, slice]
"""Rows and columns of a frame."""


class OpenCvCloak:
    """Implements ``core.ports.Cloak``.

    Args:
        perturbation: what to add.
        strength: factor on it, at most 2; its budgets scale with it.

    Attributes:
        budget: the most that is added to any channel of any pixel, in whole 8-bit levels.

    Raises:
        ConfigError: the strength is out of range, breaks the limit of the budget, or is so small
            that no pixel would change.
    """

    def __init__(self, perturbation: Perturbation, strength: float = 1.0) -> None:
        if not 0.0 < strength <= MAX_STRENGTH:
            msg = f"A strength of {strength:g} is not possible."
            raise ConfigError(msg, f"Choose more than 0 and at most {MAX_STRENGTH:g}.")
        eps = perturbation.header.eps * strength
        header = perturbation.header
        if eps > MAX_EPS:
            msg = f"A strength of {strength:g} would change pixels by more than {MAX_EPS:g} levels."
            raise ConfigError(msg, f"Choose at most {MAX_EPS / header.eps:g}.")
        for budget, limit in ((header.shift, MAX_SHIFT), (header.strain, MAX_STRAIN)):
            if budget * strength > limit * (1 + 1e-6):
                msg = f"A strength of {strength:g} would bend faces too far."
                raise ConfigError(msg, f"Choose at most {limit / budget:g}.")
        self.budget = math.floor(eps + 1e-6)
        if perturbation.reach and (self.budget < 1 or perturbation.reach * strength < 1.0):
            msg = f"A strength of {strength:g} would change no pixel."
            least = 1.0 / min(perturbation.header.eps, perturbation.reach)
            raise ConfigError(msg, f"Choose at least {least:.3f}.")
        self._perturbation = perturbation
        self._strength = strength
        self._displacer = None
        if perturbation.displaces:
            self._displacer = Displacer(perturbation.displacement, strength)
        self._still = functools.lru_cache(len(_PATTERN_PX))(self._render)
        self._steps_per_level = (255 - _ZERO) / eps
        levels = np.rint((np.arange(256.0) - _ZERO) / self._steps_per_level)
        self._gain = np.clip(levels, 0, self.budget).astype(np.uint8)
        self._loss = np.clip(-levels, 0, self.budget).astype(np.uint8)

    def apply(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with every face cloaked; without faces, the frame itself.

        Where faces overlap, the budget holds for the sum of their changes.

        Raises:
            FaceCloakError: OpenCV failed on the frame.
        """
        if not faces:
            return frame
        try:
            out = self._displaced(frame, faces)
            self._add(out, frame, faces)
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
        return frame.with_image(self._displaced(frame, faces))

    def _displaced(self, frame: Frame, faces: Sequence[Face]) -> Image:
        """A copy of the picture, in which one face after the other is moved."""
        out = frame.image.copy()
        if self._displacer is not None:
            for face in faces:
                left, top, right, bottom = box = face_box(
                    face.face_from_frame, *frame.image.shape[1::-1]
                )
                moved = self._displacer.move(out, face.face_from_frame, box)
                if moved is not None:
                    out[top:bottom, left:right] = moved
        return out

    def _add(self, out: Image, frame: Frame, faces: Sequence[Face]) -> None:
        """Add the pattern to the picture, in place; 0 and 255 are never left."""
        placed = [placed for face in faces if (placed := self._steps(frame, face)) is not None]
        boxes = [box for _, box in placed]
        crowded = any(_overlap(one, other) for one, other in itertools.combinations(boxes, 2))
        before = out.copy() if crowded else out
        for number, (steps, box) in enumerate(placed):
            gain, loss = cv2.LUT(steps, self._gain), cv2.LUT(steps, self._loss)
            if any(_overlap(box, other) for other in boxes[:number]):
                added = out[box].astype(np.int16) - before[box]
                total = added.max(axis=2) + added.min(axis=2) + gain - loss
                gain = np.clip(total, 0, self.budget).astype(np.uint8)
                loss = np.clip(-total, 0, self.budget).astype(np.uint8)
                out[box] = before[box]
            pixels = out[box]
            cv2.add(pixels, _thrice(gain), dst=pixels)
            cv2.subtract(pixels, _thrice(loss), dst=pixels)

    def _steps(self, frame: Frame, face: Face) -> tuple[Steps, Box] | None:
        """The change of each pixel in the face's box, and the box; None where that is empty."""
        left, top, right, bottom = face_box(face.face_from_frame, *frame.image.shape[1::-1])
        if right <= left or bottom <= top:
            return None
        pattern = self._pattern(geometry.face_width_px(face.face_from_frame), frame.captured_s)
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
            borderValue=(_ZERO,),
        )
        return warped.astype(np.uint8, copy=False), (slice(top, bottom), slice(left, right))

    def _pattern(self, face_px: float, t_s: float) -> Steps:
        size_px = next((size for size in _PATTERN_PX if size >= face_px), _PATTERN_PX[-1])
        if self._perturbation.moves:
            return self._render(size_px, t_s)
        return self._still(size_px)

    def _render(self, size_px: int, t_s: float = 0.0) -> Steps:
        levels = self._perturbation.render(size_px, t_s) * np.float32(self._strength)
        steps: Steps = np.rint(levels * self._steps_per_level + _ZERO).astype(np.uint8)
        return steps


def _thrice(plane: Mat) -> Mat:
    """The same for blue, green and red."""
    return cv2.merge([plane, plane, plane])


def _overlap(one: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def face_box(face_from_frame: Affine, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels that a face's square may touch: left, top, right, bottom (exclusive)."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    at = geometry.apply(geometry.invert(face_from_frame), corners)
    low = np.clip(np.floor(at.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(at.max(axis=0)) + 1, 0, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
