"""A webcam through OpenCV: a thread of its own reads it, the newest frame wins."""

import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from facecloak.capture.bgr import to_bgr
from facecloak.core.clock import Clock, monotonic
from facecloak.core.errors import SourceLost, SourceUnavailable
from facecloak.core.types import Frame

FIRST_FRAME_S = 5.0
"""A camera that has warmed up shows its first frame within this time."""
SILENCE_S = 2.0
"""A camera that shows nothing for this long has stopped."""

# OpenCV waits ten seconds for a picture of V4L2, far longer than anybody looks at a frozen one.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")

_RECONNECT = "Reconnect it, or close the program that took it."
_BACKENDS = {"Linux": cv2.CAP_V4L2, "Darwin": cv2.CAP_AVFOUNDATION, "Windows": cv2.CAP_DSHOW}


class _Capture(Protocol):
    """What is used of ``cv2.VideoCapture``."""

    def isOpened(self) -> bool: ...  # noqa: N802  OpenCV's name
    def read(self) -> tuple[bool, NDArray[np.generic]]: ...
    def get(self, propId: int, /) -> float: ...  # noqa: N803  OpenCV's name
    def set(self, propId: int, value: float, /) -> bool: ...  # noqa: N803  OpenCV's name
    def release(self) -> None: ...


class _Slot:
    """One place for a frame: a newer one replaces it; after a fault nothing more comes."""

    def __init__(self, opened_s: float = 0.0) -> None:
        self.last_s = opened_s
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._fault: SourceLost | None = None

    def put(self, frame: Frame) -> None:
        """Replace what is there. Never blocks."""
        with self._changed:
            self._frame, self.last_s = frame, frame.captured_s
            self._changed.notify_all()

    def fail(self, fault: SourceLost) -> None:
        """Let the reader find ``fault`` once it has taken the last frame."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()

    def peek(self, timeout_s: float) -> Frame | None:
        """Wait for a frame and leave it there; None when the time is up. Raises the fault."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._fault, timeout_s)
            if self._frame is None and self._fault is not None:
                raise self._fault
            return self._frame

    def take(self, timeout_s: float) -> Frame | None:
        """Wait for a frame and take it; None when the time is up. Raises the fault."""
        with self._changed:
            frame, self._frame = self.peek(timeout_s), None
            return frame


class CameraSource:
    """A webcam. Frames that nobody read in time are dropped and show as gaps in ``index``.

    Args:
        device: its number, or on Linux a path such as ``/dev/video2``.
        size: width and height to ask for, in pixels; the camera may choose others.
        fps: frames per second to ask for.
        clock: stamps ``captured_s``, in seconds.
        opener: makes the capture object.
    """

    live = True

    def __init__(
        self,
        device: int | str = 0,
        *,
        size: tuple[int, int] = (1280, 720),
        fps: float = 30.0,
        clock: Clock = monotonic,
        opener: Callable[[int | str], _Capture] | None = None,
    ) -> None:
        self.size, self.fps = size, fps
        self._device = device
        self._clock = clock
        self._opener = opener or _open_capture
        self._slot = _Slot()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def agree(self) -> None:
        """Settle ``size`` and ``fps`` with the camera; on Linux no light goes on for that.

        Raises:
            SourceUnavailable: the camera does not open.
        """
        self._agreed().release()

    def __enter__(self) -> Self:
        capture = self._agreed()
        self._slot = _Slot(self._clock())
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._pump, args=(capture, self._slot), name="camera", daemon=True
        )
        self._thread.start()
        try:
            first = self._slot.peek(FIRST_FRAME_S)
        except SourceLost as exc:
            self._close()
            raise camera_unavailable(self._device, opened=True) from exc
        if first is None:
            self._close()
            raise camera_unavailable(self._device, opened=True)
        self.size = (first.image.shape[1], first.image.shape[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._close()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest frame that was not read yet; None when none came in time.

        Raises:
            SourceLost: the camera was unplugged, or has shown nothing for two seconds.
        """
        frame = self._slot.take(timeout_s)
        silent_s = self._clock() - self._slot.last_s
        if frame is None and silent_s > SILENCE_S:
            msg = f"Camera {self._device} has shown nothing for {silent_s:.0f} seconds."
            raise SourceLost(msg, _RECONNECT)
        return frame

    def _agreed(self) -> _Capture:
        """The capture object, open, with what it agreed to."""
        capture = self._opener(self._device)
        if not capture.isOpened():
            capture.release()
            raise camera_unavailable(self._device)
        # Most webcams reach 720p at 30 frames a second in MJPG only; it has to be asked for first.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self.size[1])
        capture.set(cv2.CAP_PROP_FPS, self.fps)
        self.fps = capture.get(cv2.CAP_PROP_FPS) or self.fps
        width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)) or self.size[0]
        height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) or self.size[1]
        self.size = (width, height)
        return capture

    def _pump(self, capture: _Capture, slot: _Slot) -> None:
        """Hand over frames until told to stop; runs in the camera's own thread."""
        index = 0
        try:
            while not self._stop.is_set():
                taken, picture = capture.read()
                if not taken:
                    slot.fail(SourceLost(f"Camera {self._device} stopped.", _RECONNECT))
                    break
                slot.put(Frame(to_bgr(picture), self._clock(), index))
                index += 1
        except SourceLost as exc:
            slot.fail(exc)
        except cv2.error:
            slot.fail(SourceLost(f"OpenCV can no longer read camera {self._device}.", _RECONNECT))
        finally:
            capture.release()

    def _close(self) -> None:
        """Stop the thread. A driver that hangs in a read keeps it; then it ends with that read."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=SILENCE_S)
            self._thread = None


def _open_capture(device: int | str) -> _Capture:
    """Open through the operating system's own interface, without OpenCV's messages."""
    cv2.setLogLevel(0)  # silent: what went wrong is told by camera_unavailable()
    backend = _BACKENDS.get(platform.system(), cv2.CAP_ANY)
    return cv2.VideoCapture(device, backend)  # noqa: TID251  this is the one place


def camera_unavailable(
    device: int | str, *, opened: bool = False, dev: Path = Path("/dev")
) -> SourceUnavailable:
    """Say why a camera did not open and what to do, as far as the system tells.

    Args:
        device: number or path of the camera.
        opened: it opened, but showed no frame.
        dev: where Linux lists devices.
    """
    if platform.system() != "Linux":
        what = f"Camera {device} did not open."
        return SourceUnavailable(what, "Close other programs that use it, and allow camera access.")
    node = dev / f"video{device}" if isinstance(device, int) else Path(device)
    if not node.exists():
        there = ", ".join(sorted(map(str, dev.glob("video*"))))
        remedy = f"These exist: {there}." if there else f"No {dev}/video* exists: connect a camera."
        return SourceUnavailable(f"There is no camera {node}.", remedy)
    if not os.access(node, os.R_OK | os.W_OK):
        remedy = "Run: sudo usermod -aG video $USER, then log in again."
        return SourceUnavailable(f"You may not use the camera {node}.", remedy)
    if opened:
        remedy = "Close other programs that use it, or name another device."
        return SourceUnavailable(f"The camera {node} opened but shows no picture.", remedy)
    remedy = f"Close the program that uses it (fuser -v {node} names it), or name another device."
    return SourceUnavailable(f"The camera {node} is busy or gives no pictures.", remedy)
