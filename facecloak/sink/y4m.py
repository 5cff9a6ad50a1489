"""yuv4mpeg to a stream: ``facecloak run --sink - | ffplay -``.

The format cannot say which colours it holds: they are what players take a video of that size to
hold, BT.709 in HD and BT.601 below, in the limited range (16 to 235).
"""

import sys
from collections.abc import Callable
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from facecloak.core.colour import is_hd
from facecloak.core.errors import SinkUnavailable
from facecloak.core.types import Frame, Image
from facecloak.sink.closed import SinkClosed

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""ffmpeg's quick conversion makes 4:2:0 about a level too dark, this one less than 0.1."""


class Stream(Protocol):
    """Where the bytes go; ``write`` may take only some of them and says how many."""

    def write(self, data: memoryview, /) -> int | None:
        """Take some of ``data``."""
        ...


class Y4mSink:
    """Writes each frame as soon as it comes: 4:2:0 for even sizes, 4:4:4 for odd ones.

    Args:
        opener: gives the stream, which stays open; it is called on entering.
        fps: frames per second; a float is taken as the fraction with a denominator up to 1001.
    """

    def __init__(self, opener: Callable[[], Stream], *, fps: Fraction | float) -> None:
        self._opener = opener
        self._rate = Fraction(fps).limit_denominator(1001)
        self._stream: Stream | None = None
        self._size: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        self._stream, self._size = self._opener(), None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._stream = None

    def write(self, frame: Frame) -> None:
        """Write the frame.

        Raises:
            SinkClosed: the reader has gone.
            SinkUnavailable: the size changes, or the stream fails.
        """
        height, width = frame.image.shape[:2]
        if self._size is None:
            self._size = (width, height)
            self._send(self._header(width, height))
        if self._size != (width, height):
            msg = f"The frames changed from {self._size[0]}x{self._size[1]} to {width}x{height}."
            raise SinkUnavailable(msg, "A yuv4mpeg stream has one size: start again.")
        self._send(b"FRAME\n")
        self._send(_planes(frame.image))

    def _header(self, width: int, height: int) -> bytes:
        rate = f"F{self._rate.numerator}:{self._rate.denominator}"
        chroma = "C444" if width % 2 or height % 2 else "C420jpeg"
        header = f"YUV4MPEG2 W{width} H{height} {rate} Ip A1:1 {chroma} XCOLORRANGE=LIMITED\n"
        return header.encode("ascii")

    def _send(self, payload: bytes) -> None:
        if self._stream is None:
            msg = "write() needs an open sink"
            raise RuntimeError(msg)
        rest = memoryview(payload)
        try:
            while rest:
                rest = rest[self._stream.write(rest) or 0 :]
        except BrokenPipeError as exc:
            msg = "The reader closed the pipe."
            raise SinkClosed(msg) from exc
        except OSError as exc:
            msg = f"Standard output cannot be written: {exc.strerror}."
            raise SinkUnavailable(msg, "Check the program that reads it.") from exc


def standard_output() -> Stream:
    """Return standard output, unbuffered: nothing is left to write when the reader is gone.

    Raises:
        SinkUnavailable: it is a terminal.
    """
    if sys.stdout.isatty():
        msg = "Standard output is a terminal, and a video would fill it with noise."
        raise SinkUnavailable(msg, "Pipe it: facecloak run --sink - | ffplay -")
    return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)


def _planes(image: Image) -> bytes:
    """Y, U and V, one after another; 4:2:0 for even sizes, 4:4:4 for odd ones."""
    height, width = image.shape[:2]
    picture = VideoFrame.from_ndarray(image, format="bgr24").reformat(
        format="yuv444p" if width % 2 or height % 2 else "yuv420p",
        dst_colorspace=Colorspace.ITU709 if is_hd(width, height) else Colorspace.ITU601,
        dst_color_range=ColorRange.MPEG,
        interpolation=_EXACT,
    )
    return picture.to_ndarray().tobytes()
