"""Whatever a device hands over, as ``uint8[H, W, 3]`` in BGR."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.core.errors import SourceLost
from facecloak.core.types import Image

_TO_BGR = {1: cv2.COLOR_GRAY2BGR, 3: None, 4: cv2.COLOR_BGRA2BGR}


def to_bgr(picture: NDArray[np.generic] | None) -> Image:
    """Return the picture as BGR; alpha is dropped, 16-bit depth is rounded to 8.

    Args:
        picture: ``uint8`` or ``uint16``, ``[H, W]`` or ``[H, W, C]`` with 1 (grey), 3 (BGR) or 4
            (BGRA) channels.

    Returns:
        ``uint8[H, W, 3]``; the same array where nothing had to change.

    Raises:
        SourceLost: there is no picture, it has no pixels, or it is of another kind.
    """
    if picture is None or picture.size == 0:
        msg = "The source handed over an empty picture."
        raise SourceLost(msg)
    channels = 1 if picture.ndim == 2 else picture.shape[-1]
    if picture.dtype not in (np.uint8, np.uint16) or picture.ndim > 3 or channels not in _TO_BGR:
        msg = f"The source handed over {picture.dtype}{list(picture.shape)}, which is no picture."
        raise SourceLost(msg)
    deep = picture.dtype == np.uint16
    levels = np.rint(picture.astype(np.float32) / 257) if deep else picture
    image: Image = np.ascontiguousarray(levels, np.uint8)
    code = _TO_BGR[channels]
    return image if code is None else np.asarray(cv2.cvtColor(image, code), np.uint8)
