"""v4l2loopback's own word on whether a program streams from a virtual camera. Linux only.

From 0.13 on the driver sends a private event, ``V4L2_EVENT_PRI_CLIENT_USAGE``, when a program
starts or stops streaming, whoever runs it; one that only opens the device to list it does not count
(v4l2loopback.c; the ioctls and structures are those of linux/videodev2.h).
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_CLIENT_USAGE: Final = 0x0800_0000 + 0x08E0_0000 + 1
_SEND_INITIAL: Final = 1
_NOTHING: Final = (errno.ENOENT, errno.EAGAIN)
"""What the driver answers where no event waits."""

Ioctl = Callable[[int, int, Any], object]
"""``fcntl.ioctl``: descriptor, request, buffer. Raises OSError."""


class Subscription(ctypes.Structure):
    """``struct v4l2_event_subscription``."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("id", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 5),
    )


class _Payload(ctypes.Union):
    _fields_ = (
        ("count", ctypes.c_uint32),
        ("value64", ctypes.c_int64),  # it sets the alignment
        ("data", ctypes.c_uint8 * 64),
    )


class Event(ctypes.Structure):
    """``struct v4l2_event``."""

    _fields_ = (
        ("type", ctypes.c_uint32),
        ("u", _Payload),
        ("pending", ctypes.c_uint32),
        ("sequence", ctypes.c_uint32),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
        ("id", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 8),
    )


def _request(direction: int, number: int, kind: type[ctypes.Structure]) -> int:
    """The number of an ioctl of video devices; direction 1 writes to the driver, 2 reads."""
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


DEQUEUE: Final = _request(2, 89, Event)
SUBSCRIBE: Final = _request(1, 90, Subscription)
UNSUBSCRIBE: Final = _request(1, 91, Subscription)


class Usage:
    """Follows one device. A context manager; one thread uses it.

    It has the device open all the while without streaming: for the driver that is neither a reader
    nor a writer.

    Args:
        device: of the virtual camera.
        ioctl: replaced in tests.

    Raises:
        OSError: when entering, where the driver sends no such event; on each use, where the device
            is gone.
    """

    def __init__(self, device: Path, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self._device = device
        self._ioctl = ioctl
        self._descriptor = -1
        self._streams = False

    def __enter__(self) -> Self:
        self._descriptor = os.open(self._device, os.O_RDWR | os.O_NONBLOCK)
        try:
            self._subscribe()
        except OSError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._close()

    def streams(self) -> bool:
        """Whether a program streams from the device now, as far as events have told."""
        while (event := self._next()) is not None:
            if event.type == _CLIENT_USAGE:
                self._streams = event.u.count > 0
        return self._streams

    def ask_again(self) -> None:
        """Have the driver send the present state, in case an event got lost."""
        self._ioctl(self._descriptor, UNSUBSCRIBE, Subscription(type=_CLIENT_USAGE))
        self._subscribe()

    def _subscribe(self) -> None:
        wanted = Subscription(type=_CLIENT_USAGE, flags=_SEND_INITIAL)
        self._ioctl(self._descriptor, SUBSCRIBE, wanted)

    def _next(self) -> Event | None:
        event = Event()
        try:
            self._ioctl(self._descriptor, DEQUEUE, event)
        except OSError as exc:
            if exc.errno in _NOTHING:
                return None
            raise
        return event

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
