"""Which cameras there are."""

import platform
from dataclasses import dataclass

import cv2
from cv2_enumerate_cameras import enumerate_cameras

_BACKENDS = {"Linux": cv2.CAP_V4L2, "Darwin": cv2.CAP_AVFOUNDATION, "Windows": cv2.CAP_DSHOW}


@dataclass(frozen=True, slots=True, order=True)
class Camera:
    """A camera as its driver tells.

    Attributes:
        number: what ``--source`` takes.
        name: what people know it by.
        path: on Linux ``/dev/videoN``, elsewhere what the system calls it.
    """

    number: int
    name: str
    path: str


def cameras() -> list[Camera]:
    """All that can be captured from, by number, without opening a stream: no light goes on."""
    backend = _BACKENDS.get(platform.system(), cv2.CAP_ANY)
    found = enumerate_cameras(backend)
    return sorted(Camera(one.index, one.name, one.path or "") for one in found)
