"""A virtual camera through pyvirtualcam: other programs see FaceCloak as a webcam."""

import logging
import platform
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyvirtualcam

from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink import loopback
from facecloak.sink.loopback import LABEL, Role

logger = logging.getLogger(__name__)

_BACKENDS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "Linux": (("v4l2loopback", None),),
    "Darwin": (("obs", None),),
    "Windows": (("unitycapture", LABEL), ("unitycapture", None), ("obs", None)),
}
"""Backends of pyvirtualcam and the device to ask each for, the best one first."""
_REMEDY = "Run: facecloak camera install"


class VirtualCameraSink:
    """A virtual camera. Odd sizes lose their last column or row: video calls take even ones only.

    Args:
        fps: frames per second to announce.
        size: width and height of the frames in pixels.
        device: its native name, such as ``/dev/video9``; None takes on Linux the device that is
            labelled "FaceCloak Camera" and no other, elsewhere the first, if possible of that name.
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
        if system == "Linux":
            device = str(self._ready_device())
        reasons: list[str] = []
        for backend, named in _BACKENDS.get(system, ()):
            self._camera = self._open(backend, device or named, reasons)
            if self._camera is not None:
                if system != "Linux" and self.device != LABEL:
                    logger.info("other programs list the camera as %s", self.device)
                return self
        msg = f"No virtual camera could be opened ({'; '.join(reasons) or system})."
        raise SinkUnavailable(msg, _REMEDY)

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

    def _ready_device(self) -> Path:
        """The loopback device, made ready to be written to."""
        device = Path(self._asked) if self._asked else loopback.find_device(self._sysfs)
        if device is None:
            msg = f'There is no virtual camera labelled "{LABEL}".'
            raise SinkUnavailable(msg, _REMEDY)
        try:
            role = loopback.role(device)
            if role is Role.NEITHER:
                loopback.revive(device)
        except PermissionError as exc:
            msg = f"You may not write to {device}."
            raise SinkUnavailable(
                msg, "Run: sudo usermod -aG video $USER, then log in again."
            ) from exc
        except OSError as exc:
            msg = f"{device} is no virtual camera that can be opened ({exc.strerror})."
            raise SinkUnavailable(msg, _REMEDY) from exc
        if role is Role.CAPTURE:
            msg = f"Another program writes to {device}, or it is a real camera."
            raise SinkUnavailable(msg, f"Close it; this names it: fuser -v {device}")
        return device

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
