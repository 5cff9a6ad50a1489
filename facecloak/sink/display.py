"""Whether windows can be opened here, found out before Qt would abort the process over it."""

import os
import platform

from facecloak.core.errors import SinkUnavailable


def require_display() -> None:
    """Check what Qt would abort for, and mend what can be. Raises SinkUnavailable."""
    # OpenCV's wheel points Qt to plugins of its own Qt, which PyQt5 cannot load and aborts over.
    if "cv2" in os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", ""):
        del os.environ["QT_QPA_PLATFORM_PLUGIN_PATH"]
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if platform.system() == "Linux" and not any(os.environ.get(name) for name in names):
        msg = "There is no display to open a window on."
        raise SinkUnavailable(
            msg, "Run it on a desktop, or without one: facecloak run --sink out.mp4"
        )
