"""A video file with the rate, the times and the sound of what went in."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av

from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.types import Frame
from facecloak.sink.draft import Draft, cannot_write
from facecloak.sink.encoder import Encoder
from facecloak.sink.original import Original

SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".webm"})


class VideoSink:
    """Encodes frames at their own times; the file stands under its name after a clean exit.

    H.264, or VP9 in ``.webm``, in BT.709, below HD BT.601; odd sizes are kept (H.264 then in
    4:4:4). Frames on the beat of ``rate`` are written exactly so, others at the time they were
    captured. Where no frame was written, no file appears.

    Args:
        path: where, with one of ``SUFFIXES``.
        rate: nominal frames per second.
        lossless: write FFV1 in RGB, which decodes to the same bytes; ``.mkv`` only.
        original: the file that it is made of, whose sound is copied where the format takes it;
            frames are then timed from that file's start, otherwise from the first frame.

    Raises:
        ConfigError: ``lossless`` with another suffix than ``.mkv``, or a rate that is none.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        rate: Fraction,
        lossless: bool = False,
        original: Original | None = None,
    ) -> None:
        self._path = Path(path)
        if lossless and self._path.suffix.lower() != ".mkv":
            msg = f"{self._path.name} cannot be lossless."
            raise ConfigError(msg, "Name it with .mkv.")
        if rate <= 0:
            msg = f"A video has a positive number of frames a second, got {rate}."
            raise ConfigError(msg)
        self._rate = rate.limit_denominator(1001)
        self._lossless = lossless
        self._original = original
        self._origin_s = 0.0
        self._draft: Draft | None = None
        self._encoder: Encoder | None = None

    def __enter__(self) -> Self:
        av.logging.set_level(None)  # what went wrong is told here
        self._draft = Draft(self._path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        draft, self._draft = self._draft, None
        encoder, self._encoder = self._encoder, None
        if draft is None:
            return
        whole = False
        try:
            if encoder is not None:
                whole = self._close(encoder, finish=kind is None)
        finally:
            if not whole:
                draft.drop()
        if whole:
            draft.keep()

    def write(self, frame: Frame) -> None:
        """Encode the frame. Raises SinkUnavailable when the size changes or the disk is full."""
        if self._draft is None:
            msg = "write() needs an open sink"
            raise RuntimeError(msg)
        size = (frame.image.shape[1], frame.image.shape[0])
        try:
            if self._encoder is None:
                self._encoder = self._start(self._draft.path, size, frame.captured_s)
            if self._encoder.size != size:
                old = "x".join(map(str, self._encoder.size))
                msg = f"The frames changed from {old} to {size[0]}x{size[1]}."
                raise SinkUnavailable(msg, "A video file has one size: start a new one.")
            self._encoder.write(frame, frame.captured_s - self._origin_s)
        except av.FFmpegError as exc:
            raise self._refused(exc) from exc

    def _start(self, path: Path, size: tuple[int, int], first_s: float) -> Encoder:
        original = self._original
        encoder = Encoder(
            path,
            rate=self._rate,
            size=size,
            lossless=self._lossless,
            pixel_aspect=original.pixel_aspect if original else Fraction(1),
        )
        self._origin_s = first_s
        if original is not None:
            self._origin_s = 0.0
            encoder.add_sound(original.path)
        return encoder

    def _close(self, encoder: Encoder, *, finish: bool) -> bool:
        """Close the file and say whether it is whole. Raises SinkUnavailable if it should be."""
        try:
            try:
                if finish:
                    encoder.finish(whole=self._original is None or self._original.ended())
            finally:
                encoder.close()
        except av.FFmpegError as exc:
            if finish:
                raise self._refused(exc) from exc
        return finish

    def _refused(self, exc: av.FFmpegError) -> SinkUnavailable:
        return cannot_write(self._path, OSError(exc.errno, exc.strerror))
