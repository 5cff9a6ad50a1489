"""The shield: a picture that says why nothing is shown and depends on nothing a camera saw."""

import functools

import cv2
import numpy as np

from facecloak.core.types import Image

_GROUND = (52, 44, 38)
_INK = (214, 206, 196)
_TEXT = ("FaceCloak is shielding the camera", "The picture returns when every face is protected")


class Slate:
    """Implements ``core.ports.Shield``."""

    @functools.lru_cache(maxsize=4)  # noqa: B019 - one slate lives as long as the app
    def slate(self, width: int, height: int) -> Image:
        """Return ``uint8[height, width, 3]``: a shield and two lines of text on a dark ground."""
        picture = np.empty((height, width, 3), np.uint8)
        picture[:] = _GROUND
        unit = min(width, height) / 100.0
        self._draw_shield(picture, width / 2, height * 0.36, 15 * unit)
        for line, (text, share) in enumerate(zip(_TEXT, (0.62, 0.46), strict=True)):
            self._draw_line(picture, text, width * share, height * (0.66 + 0.09 * line))
        return picture

    @staticmethod
    def _draw_shield(picture: Image, x: float, y: float, size: float) -> None:
        angle = np.linspace(0.0, np.pi, 24)
        bow = np.stack([np.cos(angle) * 0.8, 0.15 + np.sin(angle) ** 0.7 * 1.05], axis=1)
        top = np.array([[-0.8, -0.8], [0.0, -1.05], [0.8, -0.8]])
        outline = (np.concatenate([top, bow]) * size + (x, y)).astype(np.int32)
        thickness = max(1, round(size / 9))
        cv2.polylines(
            picture, [outline], isClosed=True, color=_INK, thickness=thickness, lineType=cv2.LINE_AA
        )

    @staticmethod
    def _draw_line(picture: Image, text: str, wanted_px: float, y: float) -> None:
        font = cv2.FONT_HERSHEY_DUPLEX
        (natural_px, _), _ = cv2.getTextSize(text, font, 1.0, 1)
        scale = wanted_px / natural_px
        (width_px, _), _ = cv2.getTextSize(text, font, scale, 1)
        origin = (round((picture.shape[1] - width_px) / 2), round(y))
        cv2.putText(picture, text, origin, font, scale, _INK, max(1, round(scale)), cv2.LINE_AA)
