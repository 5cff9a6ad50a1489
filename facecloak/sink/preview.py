"""A plain window that shows the frames. All its calls belong to the main thread."""

from types import TracebackType
from typing import Self

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QCloseEvent, QImage, QPixmap
from PyQt5.QtWidgets import QApplication, QLabel

from facecloak.core.types import Frame, Image
from facecloak.sink.closed import SinkClosed
from facecloak.sink.display import require_display

_KEEP_SHAPE = Qt.AspectRatioMode.KeepAspectRatio
_SMOOTH = Qt.TransformationMode.SmoothTransformation


class PreviewSink:
    """Shows each frame in a window, at the frame's size at first; closing it ends the run.

    Args:
        title: what stands above the picture.
    """

    def __init__(self, title: str = "FaceCloak") -> None:
        self._title = title
        self._application: QApplication | None = None
        self._window: _Window | None = None

    def __enter__(self) -> Self:
        require_display()
        running = QApplication.instance()
        self._application = running if isinstance(running, QApplication) else QApplication([])
        self._window = _Window(self._title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._window is not None:
            self._window.close()
            self._window = None

    def write(self, frame: Frame) -> None:
        """Show the frame. Raises SinkClosed once the window is closed."""
        if self._window is None or self._application is None:
            msg = "write() needs an open sink"
            raise RuntimeError(msg)
        self._application.processEvents()
        if self._window.closed:
            msg = "The preview window was closed."
            raise SinkClosed(msg)
        self._window.show_frame(frame)
        self._application.processEvents()


class _Window(QLabel):
    """The picture, as large as fits without changing its shape."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.closed = False
        self.setWindowTitle(title)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumSize(1, 1)
        self.setStyleSheet("background: black")

    def show_frame(self, frame: Frame) -> None:
        height, width = frame.image.shape[:2]
        picture = QPixmap.fromImage(as_qimage(frame.image))
        if not self.isVisible():
            self.resize(width, height)
            self.show()
        if (self.width(), self.height()) != (width, height):
            picture = picture.scaled(self.size(), _KEEP_SHAPE, _SMOOTH)
        self.setPixmap(picture)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  Qt's name
        self.closed = True
        super().closeEvent(event)


def as_qimage(image: Image) -> QImage:
    """A picture of Qt's with the same pixels."""
    height, width = image.shape[:2]
    pixels = image.tobytes()  # QImage keeps these alive, not an array
    return QImage(pixels, width, height, 3 * width, QImage.Format.Format_BGR888)
