"""The aligned grey face crop that classifiers take, from a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core import geometry
from facecloak.core.errors import FaceCloakError
from facecloak.core.types import Affine, Image

_MOST_SAMPLES = 8


def face_crop(image: Image, face_from_frame: Affine, size_px: int) -> NDArray[np.uint8]:
    """Cut out, align and shrink one face.

    The warp takes as many samples along each axis of a crop pixel as it covers frame pixels (up to
    eight), and their mean is the pixel: large faces do not alias.

    Args:
        image: ``uint8[H, W, 3]``, BGR.
        face_from_frame: ``float64[2, 3]``.
        size_px: side of the crop.

    Returns:
        ``uint8[size_px, size_px]``, grey; positions outside the frame repeat its border.

    Raises:
        FaceCloakError: OpenCV cannot warp the frame.
    """
    try:
        return _shrunk(image, face_from_frame, size_px)
    except cv2.error as exc:
        msg = f"OpenCV could not crop a face from {image.shape[1]}x{image.shape[0]} pixels."
        raise FaceCloakError(msg, "Use a smaller picture.") from exc


def _shrunk(image: Image, face_from_frame: Affine, size_px: int) -> NDArray[np.uint8]:
    samples = int(np.ceil(geometry.face_width_px(face_from_frame) / size_px))
    fine_px = size_px * min(max(samples, 1), _MOST_SAMPLES)
    fine_from_frame = geometry.compose(geometry.crop_from_face(fine_px), face_from_frame)
    fine = cv2.warpAffine(
        image,
        fine_from_frame,
        (fine_px, fine_px),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    grey = cv2.cvtColor(fine, cv2.COLOR_BGR2GRAY)
    shrunk = cv2.resize(grey, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return shrunk.astype(np.uint8, copy=False)
