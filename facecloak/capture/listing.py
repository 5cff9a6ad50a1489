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


def name_of(device: int | str) -> str | None:
    """What a camera is called, None where it is not there."""
    return next((one.name for one in cameras() if device in (one.number, one.path)), None)


def find_again(device: int | str, name: str | None) -> int | str:
    """Where a camera is now; one that was plugged in again may have got another number.

    Args:
        device: its number or path before.
        name: its name before.

    Returns:
        ``device`` while that is still the camera, or where none of that name is.
    """
    named = [one for one in cameras() if name is not None and one.name == name]
    if not named or any(device in (one.number, one.path) for one in named):
        return device
    return named[0].number


def cameras() -> list[Camera]:
    """All that can be captured from, by number, without opening a stream: no light goes on."""
    backend = _BACKENDS.get(platform.system(), cv2.CAP_ANY)
    found = enumerate_cameras(backend)
    return sorted(Camera(one.index, one.name, one.path or "") for one in found)
