import os
import subprocess
import sys

import pytest

pytest.importorskip("PyQt5.QtWidgets", exc_type=ImportError)

from facecloak.core.errors import SinkUnavailable
from facecloak.sink.preview import PreviewSink, SinkClosed


@pytest.fixture(autouse=True)
def offscreen(monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")


def test_it_shows_the_frame(make_frames):
    (frame,) = make_frames(size=(63, 47))
    with PreviewSink() as sink:
        sink.write(frame)
        shown = sink._window.pixmap().toImage()
        assert (shown.width(), shown.height()) == (63, 47)
        blue, green, red = (int(level) for level in frame.image[10, 20])
        pixel = shown.pixelColor(20, 10)
        assert (pixel.red(), pixel.green(), pixel.blue()) == (red, green, blue)


def test_a_resized_window_keeps_the_shape(make_frames):
    frame, another = make_frames(2)
    with PreviewSink() as sink:
        sink.write(frame)
        sink._window.resize(128, 128)
        sink.write(another)
        assert (sink._window.pixmap().width(), sink._window.pixmap().height()) == (128, 96)


def test_closing_the_window_ends_it(make_frames):
    frame, another = make_frames(2)
    with PreviewSink() as sink:
        sink.write(frame)
        sink._window.close()
        with pytest.raises(SinkClosed, match="was closed"):
            sink.write(another)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_no_display_is_told_before_qt_aborts(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SinkUnavailable, match="no display") as caught, PreviewSink():
        pass
    assert "--sink out.mp4" in caught.value.remedy


def test_it_opens_although_opencv_was_imported_first():
    body = "import cv2\nfrom facecloak.sink.preview import PreviewSink\nwith PreviewSink(): pass"
    subprocess.run([sys.executable, "-c", body], env=dict(os.environ), check=True, timeout=60)
