"""One still picture."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2

from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink.draft import Draft, cannot_write

LOSSLESS_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff"})
SUFFIXES = LOSSLESS_SUFFIXES | {".jpg", ".jpeg", ".webp"}

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_WEBP_QUALITY, 95]


class PictureSink:
    """Writes exactly one frame; JPEG and WebP with quality 95, the others without loss.

    Args:
        path: where, with one of ``SUFFIXES``.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._draft: Draft | None = None
        self._written = False

    def __enter__(self) -> Self:
        self._draft, self._written = Draft(self._path), False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        draft, self._draft = self._draft, None
        if draft is not None and self._written and kind is None:
            draft.keep()
        elif draft is not None:
            draft.drop()

    def write(self, frame: Frame) -> None:
        """Take the frame. Raises SinkUnavailable for a second one, or when the disk is full."""
        if self._draft is None:
            msg = "write() needs an open sink"
            raise RuntimeError(msg)
        if self._written:
            msg = f"{self._path} holds one frame, and there are more."
            raise SinkUnavailable(msg, "Name a video file, such as out.mp4.")
        cv2.setLogLevel(0)  # what went wrong is told here
        done, encoded = cv2.imencode(self._path.suffix, frame.image, _QUALITY)
        if not done:
            height, width = frame.image.shape[:2]
            msg = f"{self._path} cannot hold {width}x{height} pixels."
            raise SinkUnavailable(msg, "Use .png.")
        try:
            self._draft.path.write_bytes(encoded.tobytes())
        except OSError as exc:
            raise cannot_write(self._path, exc) from exc
        self._written = True
