"""The compositor for the CPU: warps the pattern onto each face and adds it, there only."""

import functools
import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core import geometry
from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak.core.perturbation import MAX_EPS, Perturbation
from facecloak.core.types import Affine, Face, Frame, Image

MAX_STRENGTH: Final = 2.0
_PATTERN_PX: Final = (64, 128, 256, 512)

Levels = NDArray[np.int16]
Box = tuple[slice, slice]
"""Rows and columns of a frame."""


class OpenCvCloak:
    """Implements ``core.ports.Cloak``.

    Args:
        perturbation: what to add.
        strength: factor on it, at most 2; the budget scales with it.

    Attributes:
        budget: the largest change of any channel of any pixel, in whole 8-bit levels.

    Raises:
        ConfigError: the strength is out of range, breaks the limit of the budget, or is so small
            that no pixel would change.
    """

    def __init__(self, perturbation: Perturbation, strength: float = 1.0) -> None:
        if not 0.0 < strength <= MAX_STRENGTH:
            msg = f"A strength of {strength:g} is not possible."
            raise ConfigError(msg, f"Choose more than 0 and at most {MAX_STRENGTH:g}.")
        eps = perturbation.header.eps * strength
        if eps > MAX_EPS:
            msg = f"A strength of {strength:g} would change pixels by more than {MAX_EPS:g} levels."
            raise ConfigError(msg, f"Choose at most {MAX_EPS / perturbation.header.eps:g}.")
        self.budget = math.floor(eps + 1e-6)
        if self.budget < 1 or perturbation.reach * strength < 1.0:
            msg = f"A strength of {strength:g} would change no pixel."
            least = 1.0 / min(perturbation.header.eps, perturbation.reach)
            raise ConfigError(msg, f"Choose at least {least:.3f}.")
        self._perturbation = perturbation
        self._strength = strength
        self._still = functools.lru_cache(len(_PATTERN_PX))(self._render)

    def apply(self, frame: Frame, faces: Sequence[Face]) -> Frame:
        """Return the frame with every face cloaked; without faces, the frame itself.

        Where faces overlap, the budget holds for the sum of their changes.

        Raises:
            FaceCloakError: OpenCV failed on the frame.
        """
        if not faces:
            return frame
        out = frame.image.copy()
        done: list[Box] = []
        try:
            for face in faces:
                levels, box = self._levels(frame, face)
                if any(_overlap(box, other) for other in done):
                    before = out[box].astype(np.int16) - frame.image[box]
                    total = before.max(axis=2, initial=0) + before.min(axis=2, initial=0) + levels
                    levels = np.clip(total, -self.budget, self.budget)
                    out[box] = frame.image[box]
                _add(out[box], levels)
                done.append(box)
        except cv2.error as exc:
            msg = f"OpenCV could not cloak a frame of {out.shape[1]}x{out.shape[0]} pixels."
            raise FaceCloakError(msg, "Use a smaller picture.") from exc
        return frame.with_image(out)

    def _levels(self, frame: Frame, face: Face) -> tuple[Levels, Box]:
        """The change of each pixel in the face's box, and the box."""
        height, width = frame.image.shape[:2]
        left, top, right, bottom = face_box(face.face_from_frame, width, height)
        box = (slice(top, bottom), slice(left, right))
        if right <= left or bottom <= top:
            return np.zeros((0, 0), np.int16), (slice(0, 0), slice(0, 0))
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
        )
        whole = np.rint(warped, out=warped).astype(np.int16)
        return np.clip(whole, -self.budget, self.budget, out=whole), box

    def _pattern(self, face_px: float, t_s: float) -> NDArray[np.float32]:
        size_px = next((size for size in _PATTERN_PX if size >= face_px), _PATTERN_PX[-1])
        if self._perturbation.moves:
            return self._render(size_px, t_s)
        return self._still(size_px)

    def _render(self, size_px: int, t_s: float = 0.0) -> NDArray[np.float32]:
        return self._perturbation.render(size_px, t_s) * np.float32(self._strength)


def _add(pixels: Image, levels: Levels) -> None:
    """Add the same levels to blue, green and red, in place; 0 and 255 are never left."""
    if levels.size:
        pixels[...] = cv2.add(pixels, cv2.merge([levels, levels, levels]), dtype=cv2.CV_8U)


def _overlap(one: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def face_box(face_from_frame: Affine, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels that a face's square may touch: left, top, right, bottom (exclusive)."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    at = geometry.apply(geometry.invert(face_from_frame), corners)
    low = np.clip(np.floor(at.min(axis=0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(at.max(axis=0)) + 1, 0, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
