"""A still picture: one frame."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from facecloak.core.errors import SourceUnavailable
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Frame, Image

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

_ENDS = {b"\x89PNG": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}
"""OpenCV fills what is missing of a cut PNG or JPEG with black or grey, so its end is looked for:
how such a file begins, and what stands near its end."""
_NEAR_END = 64 * 1024
"""Cameras append up to this many bytes of their own."""


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
    for start, end in _ENDS.items():
        if encoded.startswith(start) and end not in encoded[-_NEAR_END:]:
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
