"""A virtual camera through pyvirtualcam: other programs see FaceCloak as a webcam."""

import platform
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyvirtualcam

from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame

LABEL = "FaceCloak Camera"
"""The name that video call programs list on Linux."""

_BACKENDS = {"Linux": ("v4l2loopback",), "Darwin": ("obs",), "Windows": ("unitycapture", "obs")}
_REMEDIES = {
    "Linux": (
        "Run: sudo modprobe v4l2loopback devices=1 "
        f'card_label="{LABEL}" exclusive_caps=1 (package v4l2loopback-dkms).'
    ),
    "Darwin": "Install OBS 30 or newer, and start and stop its virtual camera once.",
    "Windows": "Install Unity Capture, or OBS 26 or newer.",
}


class VirtualCameraSink:
    """A virtual camera. Odd sizes lose their last column or row: video calls take even ones only.

    Args:
        fps: frames per second to announce.
        size: width and height of the frames in pixels.
        device: its native name, such as ``/dev/video9``; None takes on Linux the device that is
            labelled ``LABEL`` and no other, elsewhere the first.
        sysfs: where Linux lists video devices.
    """

    def __init__(
        self,
        *,
        fps: float,
        size: tuple[int, int],
        device: str | None = None,
        sysfs: Path = Path("/sys/class/video4linux"),
    ) -> None:
        self._fps, self._size = fps, size
        self._asked = device
        self._sysfs = sysfs
        self._camera: pyvirtualcam.Camera | None = None

    @property
    def device(self) -> str | None:
        """The native name of the device while it is open."""
        return None if self._camera is None else str(self._camera.device)

    def __enter__(self) -> Self:
        system = platform.system()
        device = self._asked
        if device is None and system == "Linux" and (device := find_device(self._sysfs)) is None:
            msg = f'There is no virtual camera labelled "{LABEL}".'
            raise SinkUnavailable(msg, _REMEDIES["Linux"])
        reasons: list[str] = []
        for backend in _BACKENDS.get(system, ()):
            self._camera = self._open(backend, device, reasons)
            if self._camera is not None:
                return self
        msg = f"No virtual camera could be opened ({'; '.join(reasons) or system})."
        raise SinkUnavailable(msg, _REMEDIES.get(system, ""))

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def write(self, frame: Frame) -> None:
        """Send the frame. Raises SinkUnavailable when its size changes or the device is gone."""
        if self._camera is None:
            msg = "write() needs an open sink"
            raise RuntimeError(msg)
        height, width = frame.image.shape[:2]
        if (width, height) != self._size:
            msg = f"The frames changed from {self._size[0]}x{self._size[1]} to {width}x{height}."
            raise SinkUnavailable(msg, "A virtual camera has one size: start again.")
        even = frame.image[: height - height % 2, : width - width % 2]
        try:
            self._camera.send(np.ascontiguousarray(even))
        except RuntimeError as exc:
            msg = f"The virtual camera takes no more frames ({exc})."
            raise SinkUnavailable(msg, "Load its driver again.") from exc

    def _open(
        self, backend: str, device: str | None, reasons: list[str]
    ) -> pyvirtualcam.Camera | None:
        """Open through one backend; None adds to ``reasons`` why not."""
        width, height = (length - length % 2 for length in self._size)
        bgr = pyvirtualcam.PixelFormat.BGR
        try:
            return pyvirtualcam.Camera(
                width, height, self._fps, fmt=bgr, device=device, backend=backend
            )
        except RuntimeError as exc:
            reasons.append(str(exc).strip())
            return None


def find_device(sysfs: Path) -> str | None:
    """Return ``/dev/videoN`` of the device that is labelled ``LABEL``, or None."""
    for name in sorted(sysfs.glob("video*/name")):
        if name.read_text(encoding="utf-8", errors="replace").strip() == LABEL:
            return f"/dev/{name.parent.name}"
    return None
