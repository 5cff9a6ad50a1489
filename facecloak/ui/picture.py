"""The live picture: what is sent, or while a key or button is held, what was there before."""

import enum
from typing import Final

import numpy as np
from PyQt5.QtCore import QRect, Qt
from PyQt5.QtGui import QPainter, QPaintEvent
from PyQt5.QtWidgets import QSizePolicy, QWidget

from facecloak.core.types import Image
from facecloak.sink.preview import as_qimage

DIFFERENCE_GAIN: Final = 10


class Look(enum.Enum):
    """Which picture is shown."""

    SENT = "sent"
    BEFORE = "before"
    DIFFERENCE = "difference"


class Picture(QWidget):
    """Shows the newest picture as large as fits without changing its shape."""

    def __init__(self) -> None:
        super().__init__()
        self.look = Look.SENT
        self._shown: Image | None = None
        self.setMinimumSize(320, 180)
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)

    def show_pictures(self, clean: Image | None, sent: Image | None) -> None:
        """Take the newest pair, ``uint8[H, W, 3]`` in BGR; what is shown is chosen by ``look``."""
        self._shown = sent
        if clean is not None and sent is not None and clean.shape == sent.shape:
            if self.look is Look.BEFORE:
                self._shown = clean
            elif self.look is Look.DIFFERENCE:
                self._shown = difference(clean, sent)
        self.update()

    def paintEvent(self, _event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw it in the middle, on black."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        if self._shown is not None:
            height, width = self._shown.shape[:2]
            scale = min(self.width() / width, self.height() / height)
            wide, high = round(width * scale), round(height * scale)
            place = QRect((self.width() - wide) // 2, (self.height() - high) // 2, wide, high)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, as_qimage(self._shown))
        painter.end()


def difference(clean: Image, sent: Image) -> Image:
    """Ten times what was added, around middle grey."""
    change = sent.astype(np.int16) - clean
    return np.clip(128 + DIFFERENCE_GAIN * change, 0, 255).astype(np.uint8)
