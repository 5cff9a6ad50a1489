"""Pictures of any size made to fit one size, without stretching a face."""

import cv2
import numpy as np

from facecloak.core.types import Image


def fit(picture: Image, size: tuple[int, int]) -> Image:
    """Scale a picture as far as it fits and fill the rest with black bars.

    Args:
        picture: ``uint8[H, W, 3]``.
        size: width and height wanted, in pixels.

    Returns:
        ``uint8[size[1], size[0], 3]``; ``picture`` itself where it fits already.
    """
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    scale = min(size[0] / width, size[1] / height)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    by = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    fitted = np.zeros((size[1], size[0], 3), np.uint8)
    fitted[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        picture, inner, interpolation=by
    )
    return fitted
