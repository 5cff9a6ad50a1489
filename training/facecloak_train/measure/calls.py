"""A face of FER2013 in a call: as it is captured, as it is sent, and as the far end finds it.

The face is enlarged, before a plain light wall in a 1280x720 picture; it moves a little from frame
to frame, and a camera adds noise of its own.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.cloak.opencv_cloak import OpenCvCloak
from facecloak.core import geometry
from facecloak.core.types import Face, Frame, Image
from facecloak.verify.crop import face_crop
from facecloak_train.measure.codec import CAPTURED_FPS
from facecloak_train.measure.finding import Finding

SIZE: Final = (1280, 720)
"""Width and height of the captured pictures."""
_SHOWN_PX: Final = 320
"""Side of the face in them."""
_WALL: Final = 230
"""Its grey. Before it the finder sees far more of the faces than before their repeated border."""
_EDGE_PX: Final = 10
"""Over which the face's repeated border turns into the wall."""
_SWAY_PX: Final = 3.0
_SWAY_PICTURES: Final = 8
"""How far the face moves to either side, and in how many pictures it does so once."""

Crop = NDArray[np.uint8]
"""``uint8[S, S]``, a grey, aligned face."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A short call as captured.

    Attributes:
        frames: what the camera took.
        faces: where the near end knows the face to be in each of them.
    """

    frames: tuple[Frame, ...]
    faces: tuple[Face, ...]

    @property
    def pictures(self) -> list[Image]:
        """As captured."""
        return [frame.image for frame in self.frames]

    def cloaked(self, cloak: OpenCvCloak) -> list[Image]:
        """As sent."""
        return [
            cloak.apply(frame, [face]).image
            for frame, face in zip(self.frames, self.faces, strict=True)
        ]


def camera_noise(levels: float, pictures: int, seed: int) -> NDArray[np.int16]:
    """Normal noise of this standard deviation, ``int16[pictures, 720, 1280]``."""
    drawn = np.random.default_rng(seed).standard_normal((pictures, *SIZE[::-1]), np.float32)
    noise: NDArray[np.int16] = np.rint(levels * drawn).astype(np.int16)
    return noise


def capture(
    image: NDArray[np.uint8], noise: NDArray[np.int16], finding: Finding, *, start_s: float
) -> Call | None:
    """The call of a face; None where the near end finds none in it.

    Args:
        image: ``uint8[48, 48]``, grey.
        noise: of each picture; see :func:`camera_noise`.
        finding: the near end's finder.
        start_s: when the first picture is taken: a perturbation may change with time.
    """
    still = _before_a_wall(image)
    phases = 2.0 * math.pi * np.arange(len(noise)) / _SWAY_PICTURES
    sways = [np.array([[1.0, 0.0, _SWAY_PX * math.sin(at)], [0.0, 1.0, 0.0]]) for at in phases]
    pictures: list[Image] = []
    for sway, grain in zip(sways, noise, strict=True):
        moved = cv2.warpAffine(still, sway, SIZE, borderMode=cv2.BORDER_REPLICATE)
        grey = cv2.add(moved, grain, dtype=cv2.CV_8U)
        pictures.append(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False))
    first = finding.face(pictures[0])
    if first is None:
        return None
    places = [geometry.compose(first.face_from_frame, geometry.invert(sway)) for sway in sways]
    return Call(
        tuple(
            Frame(picture, start_s + index / CAPTURED_FPS, index)
            for index, picture in enumerate(pictures)
        ),
        tuple(replace(first, face_from_frame=place) for place in places),
    )


def _before_a_wall(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The enlarged face, ``uint8[720, 1280]``."""
    large = cv2.resize(image, (_SHOWN_PX, _SHOWN_PX), interpolation=cv2.INTER_CUBIC)
    left, top = (SIZE[0] - _SHOWN_PX) // 2, (SIZE[1] - _SHOWN_PX) // 2
    spread = cv2.copyMakeBorder(large, top, top, left, left, cv2.BORDER_REPLICATE)
    across, down = (
        np.abs(np.arange(length) - 0.5 * (length - 1)) - 0.5 * _SHOWN_PX for length in SIZE
    )
    away = np.maximum(across, down[:, None]) / _EDGE_PX
    share = np.clip(1.0 - away, 0.0, 1.0).astype(np.float32)
    mixed: NDArray[np.uint8] = np.rint(_WALL + share * (spread - np.float32(_WALL))).astype(
        np.uint8
    )
    return mixed


def crops_of(picture: Image, finding: Finding, sizes_px: Iterable[int]) -> dict[int, Crop] | None:
    """The face that the far end finds in a picture, in each of some sizes; None without one."""
    face = finding.face(picture)
    if face is None:
        return None
    return {size_px: face_crop(picture, face.face_from_frame, size_px) for size_px in sizes_px}
