"""What v4l2loopback, the Linux driver behind the virtual camera, needs beyond pyvirtualcam.

With ``exclusive_caps=1``, without which browsers do not list the device, it is an output while
nobody writes and a capture device while somebody does. Version 0.12.7 (Debian 12, Ubuntu 22.04)
does not become an output again once a writer has gone, unless a stream was begun and ended:
pyvirtualcam writes without beginning one (github.com/v4l2loopback/v4l2loopback issues 442, 470).
"""

import enum
import errno
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

LABEL: Final = "FaceCloak Camera"
"""The name that video call programs list."""

# linux/videodev2.h
_QUERYCAP: Final = 0x80685600
_STREAMON: Final = 0x40045612
_CAPABILITY: Final = struct.Struct("16s32s32sIII12x")
_CAPTURE, _OUTPUT = 0x1, 0x2
_BUFFERS_OF_OUTPUT: Final = 2


class Role(enum.Enum):
    """What a loopback device offers at the moment."""

    OUTPUT = enum.auto()
    """It can be written to."""
    CAPTURE = enum.auto()
    """A program writes to it."""
    NEITHER = enum.auto()
    """Its writer has gone and the driver did not notice."""


def find_device(sysfs: Path) -> Path | None:
    """Return ``/dev/videoN`` of the device that is labelled ``LABEL``, or None.

    Args:
        sysfs: where Linux lists video devices, ``/sys/class/video4linux``.
    """
    for name in sorted(sysfs.glob("video*/name")):
        with suppress(OSError):  # it has just gone
            if name.read_text(encoding="utf-8", errors="replace").strip() == LABEL:
                return Path("/dev") / name.parent.name
    return None


def role(device: Path) -> Role:
    """Ask the driver of ``device`` what it offers. Raises OSError where it is no video device."""
    offered = _offered(device)
    if offered & _OUTPUT:
        return Role.OUTPUT
    return Role.CAPTURE if offered & _CAPTURE else Role.NEITHER


def exclusive(device: Path) -> bool:
    """Whether the driver offers one role at a time (``exclusive_caps=1``). Raises OSError."""
    return _offered(device) & (_CAPTURE | _OUTPUT) != _CAPTURE | _OUTPUT


def revive(device: Path) -> None:
    """Make a device whose writer has gone an output again. Raises OSError.

    It begins a stream and ends it by closing. A device that somebody writes to would suffer, so
    only :attr:`Role.NEITHER` may be revived.
    """
    try:
        _ioctl(device, _STREAMON, struct.pack("i", _BUFFERS_OF_OUTPUT))
    except OSError as exc:
        if exc.errno != errno.EINVAL:  # "no format yet", said after the state has changed
            raise


def _offered(device: Path) -> int:
    """What a device can do now, as bits."""
    answer = _ioctl(device, _QUERYCAP, bytes(_CAPABILITY.size))
    offered: int = _CAPABILITY.unpack(answer)[5]
    return offered


def _ioctl(device: Path, request: int, argument: bytes) -> bytes:
    import fcntl  # noqa: PLC0415 - Linux only, and the module is imported everywhere

    opened = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        return fcntl.ioctl(opened, request, argument)
    finally:
        os.close(opened)
