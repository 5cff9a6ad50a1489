"""A still picture: one frame."""

import re
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from facecloak.core.errors import SourceUnavailable
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Frame, Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

_NEAR_END = 64 * 1024
"""At most so many bytes of something else stand behind the end of a PNG."""
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
"""In a JPEG; FF 00 is a level of FF in its compressed data."""
_EOI = 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers that no length follows."""


class PictureSource:
    """One frame from a picture file, upright as its EXIF says; grey, 16-bit and alpha become BGR.

    Args:
        path: a file that OpenCV reads.
    """

    live = False
    fps = 1.0

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.size = (0, 0)
        self._frame: Frame | None = None

    def __enter__(self) -> Self:
        self._frame = Frame(read_picture(self.path), captured_s=0.0, index=0)
        self.size = (self._frame.image.shape[1], self._frame.image.shape[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._frame = None

    def read(self, timeout_s: float) -> Frame | None:  # noqa: ARG002  a file never waits
        """Return the picture, once. Raises EndOfSource after it."""
        if self._frame is None:
            raise EndOfSource
        frame, self._frame = self._frame, None
        return frame


def read_picture(path: Path) -> Image:
    """Return the picture as ``uint8[H, W, 3]``, BGR.

    Raises:
        SourceUnavailable: the file cannot be read, is no picture, or stops in the middle.
    """
    try:
        encoded = path.read_bytes()  # not cv2.imread: on Windows it knows ASCII paths only
    except OSError as exc:
        msg = f"{path} cannot be read: {exc.strerror}."
        raise SourceUnavailable(msg, "Check the name and that it is a picture file.") from exc
    if _is_cut(encoded):
        msg = f"{path} stops in the middle of the picture."
        raise SourceUnavailable(msg, "Copy or download it again.")
    cv2.setLogLevel(0)  # what went wrong is told here
    try:
        picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # an empty buffer, or more pixels than OpenCV's limit
        picture = None
    if picture is None:
        msg = f"{path} is not a picture that can be read."
        raise SourceUnavailable(msg, f"Use one of {', '.join(sorted(SUFFIXES))}.")
    return np.asarray(picture, np.uint8)


def _is_cut(encoded: bytes) -> bool:
    """Whether the end of a PNG or JPEG is missing; OpenCV would fill it up with black or grey."""
    if encoded.startswith(b"\x89PNG"):
        return b"IEND" not in encoded[-_NEAR_END:]
    return encoded.startswith(b"\xff\xd8\xff") and not _jpeg_ends(encoded)


def _jpeg_ends(encoded: bytes) -> bool:
    """Whether the markers of a JPEG lead to its end; phones append whole videos behind that."""
    at = 0
    while found := _MARKER.search(encoded, at):
        marker, at = found[1][0], found.end()
        if marker == _EOI:
            return True
        if marker not in _ALONE:
            at += int.from_bytes(encoded[at : at + 2], "big")
    return False
