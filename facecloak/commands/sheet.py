"""Pictures for people: original, protected and difference side by side."""

from typing import Final

import cv2
import numpy as np

from facecloak.cloak.opencv_cloak import face_box
from facecloak.core.types import Face, Frame, Image, Verdict
from facecloak.pipeline.protector import Protected

GAIN: Final = 10
_PANEL_PX: Final = 420
_CAPTION_PX: Final = 34
_GROUND: Final = (250, 250, 250)
_INK: Final = (40, 40, 40)
_TITLES: Final = ("original", "protected", f"difference x{GAIN}")


def side_by_side(clean: Image, protected: Image) -> Image:
    """Original, protected, and ten times their difference: ``uint8[H/2, 3 * W/2, 3]``, even."""
    height, width = clean.shape[:2]
    size = (width // 4 * 2, height // 4 * 2)
    difference = cv2.convertScaleAbs(cv2.absdiff(clean, protected), alpha=GAIN)
    panels = [
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        for picture in (clean, protected, difference)
    ]
    for panel, title in zip(panels, _TITLES, strict=True):
        _write(panel, title, (10, size[1] - 12), (255, 255, 255))
    return np.hstack(panels)


class Sheet:
    """Gathers a few moments of a run and lays them out as one picture.

    Args:
        moments: indices of the frames to show.
    """

    def __init__(self, moments: tuple[int, ...]) -> None:
        self._moments = moments
        self._rows: list[Image] = []

    def look(self, clean: Frame, protected: Protected) -> None:
        """Take this frame if it is one of the moments and has a face."""
        if clean.index in self._moments and protected.faces.found:
            face = protected.faces.found[0]
            read = [v for v in protected.verdicts if v.track == face.track]
            self._rows.append(_row(clean.image, protected.frame.image, face, read))

    def picture(self, heading: str) -> Image:
        """The sheet, ``uint8[H, W, 3]``: a heading and one row for each moment."""
        width = 3 * _PANEL_PX
        lines = heading.splitlines()
        head = np.full((64 + 30 * len(lines), width, 3), _GROUND, np.uint8)
        for number, line in enumerate(lines):
            _write(head, line, (12, 34 + 30 * number), _INK)
        for column, title in enumerate(_TITLES):
            _write(head, title, (12 + column * _PANEL_PX, len(head) - 12), _INK)
        return np.vstack([head, *self._rows])


def _row(clean: Image, protected: Image, face: Face, read: list[Verdict]) -> Image:
    box = _head_box(face, clean)
    difference = cv2.convertScaleAbs(cv2.absdiff(clean, protected), alpha=GAIN)
    panels = [
        cv2.resize(picture[box], (_PANEL_PX, _PANEL_PX), interpolation=cv2.INTER_CUBIC)
        for picture in (clean, protected, difference)
    ]
    caption = np.full((_CAPTION_PX * max(1, len(read)), 3 * _PANEL_PX, 3), _GROUND, np.uint8)
    for number, verdict in enumerate(read):
        y = 24 + _CAPTION_PX * number
        for column, reading in enumerate((verdict.clean, verdict.cloaked)):
            text = f"{verdict.classifier} reads: {reading.label} {100 * reading.probability:.0f} %"
            _write(caption, text, (12 + column * _PANEL_PX, y), _INK)
        outcome = "fooled" if verdict.fooled else "not fooled"
        _write(caption, outcome, (12 + 2 * _PANEL_PX, y), _INK)
    return np.vstack([np.hstack(panels), caption])


def _head_box(face: Face, image: Image) -> tuple[slice, slice]:
    """A square of the frame around the face, with some room."""
    height, width = image.shape[:2]
    left, top, right, bottom = face_box(face.face_from_frame, width, height)
    side = min(round(1.25 * max(right - left, bottom - top)), width, height)
    x = int(np.clip((left + right - side) // 2, 0, width - side))
    y = int(np.clip((top + bottom - side) // 2, 0, height - side))
    return slice(y, y + side), slice(x, x + side)


def _write(picture: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
