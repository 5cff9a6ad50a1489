"""A video file or an animated GIF through PyAV: every frame, in order."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, Interpolation
from av.video.stream import VideoStream

from facecloak.core.colour import is_hd
from facecloak.core.errors import SourceLost, SourceUnavailable
from facecloak.core.ports import EndOfSource
from facecloak.core.types import Frame, Image

ENDS_EARLY_S = 0.25
"""A file that lasts less than it says by more than this is truncated."""

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""ffmpeg's quick conversion makes 4:2:0 one to two levels too dark, this one less than 0.1."""
_UNSPECIFIED = 2
"""Colour tag of ITU-T H.273: the file does not say which matrix its colours were made with."""
_NO_PICTURES = frozenset({"tty", "bin", "xbin", "adf", "idf"})
"""Formats in which ffmpeg paints any text or bytes as a video of letters."""
_REMEDY = "Check that the whole file is there, or convert it with: ffmpeg -i IN OUT.mp4"


class VideoSource:
    """The frames of a video file, upright as its display matrix says.

    Pixels that are not square stay so. Colours of a file that does not name its matrix are read as
    players do: as BT.709 in HD, as BT.601 in smaller videos.

    Args:
        path: a file that ffmpeg reads.
    """

    live = False

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.size = (0, 0)
        self.pixel_aspect = Fraction(1)
        """Width of a pixel by its height, upright; 1 where the file says nothing."""
        self.ended = False
        """Whether it has come to its own end."""
        self.rate = Fraction(0)
        """Nominal frames per second, exactly as the file says."""
        self.frame_count: int | None = None
        """As the file says; None where it does not."""
        self._container: InputContainer | None = None
        self._frames: Iterator[Frame] = iter(())
        self._first: Frame | None = None
        self._lying = False

    @property
    def fps(self) -> float:
        """``rate`` as a float."""
        return float(self.rate)

    def __enter__(self) -> Self:
        av.logging.set_level(None)  # what went wrong is told here
        self._container, stream = _open(self.path)
        self.rate = stream.average_rate or stream.guessed_rate or Fraction(30)
        self.frame_count = stream.frames or None
        self.ended = False
        self._frames = self._decode(self._container, stream)
        try:
            self._first = next(self._frames)
        except (SourceLost, StopIteration) as exc:
            self._container.close()
            msg = f"{self.path} has no frame that can be decoded."
            raise SourceUnavailable(msg, _REMEDY) from exc
        self.size = (self._first.image.shape[1], self._first.image.shape[0])
        aspect = stream.sample_aspect_ratio or Fraction(1)
        self.pixel_aspect = 1 / aspect if self._lying else aspect
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._frames = iter(())
        self._first = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def read(self, timeout_s: float) -> Frame | None:  # noqa: ARG002  a file never waits
        """Return the next frame.

        Raises:
            EndOfSource: that was the last one.
            SourceLost: the file is damaged or ends too early; the text says after which frame.
        """
        if self._first is not None:
            frame, self._first = self._first, None
            return frame
        try:
            return next(self._frames)
        except StopIteration:
            self.ended = True
            raise EndOfSource from None

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[Frame]:
        """Decode to the end of the file, which has to be where the file says."""
        start_s = max(container.start_time or 0, 0) / av.time_base
        index, end_s, packets = 0, 0.0, 0
        try:
            for packet in container.demux(stream):
                packets += packet.size > 0
                if packet.pts is not None and packet.time_base is not None:
                    last = packet.pts + (packet.duration or 0)
                    end_s = max(end_s, float(last * packet.time_base) - start_s)
                if packet.is_corrupt:
                    raise self._broken(index)
                for picture in packet.decode():
                    assert isinstance(picture, VideoFrame)  # noqa: S101  a video stream's packets
                    at_s = index / self.fps if picture.pts is None else picture.time - start_s
                    self._lying = _quarter_turns(picture) % 2 == 1
                    yield Frame(upright(picture), at_s, index)
                    index += 1
        except av.FFmpegError as exc:
            raise self._broken(index) from exc
        duration_s = _duration_s(container, stream)
        # Without a duration only: what a file counts may be left out of it, or empty.
        short = end_s < duration_s - ENDS_EARLY_S if duration_s else packets < stream.frames
        if short or _stops_before_index(container) or not _has_trailer(self.path):
            raise self._broken(index, ends=True)

    def _broken(self, index: int, *, ends: bool = False) -> SourceLost:
        damaged = f"{self.path} is damaged after frame {index}."
        return SourceLost(f"{self.path} ends after frame {index}." if ends else damaged, _REMEDY)


def upright(picture: VideoFrame) -> Image:
    """Return the frame as ``uint8[H, W, 3]``, BGR, turned by the quarter turns of its matrix."""
    matrix = Colorspace.ITU709 if _is_untagged_hd(picture) else None
    image = picture.to_ndarray(format="bgr24", src_colorspace=matrix, interpolation=_EXACT)
    return np.ascontiguousarray(np.rot90(image, _quarter_turns(picture)), np.uint8)


def _quarter_turns(picture: VideoFrame) -> int:
    """How often the frame has to be turned to the left, by a right angle each time."""
    return round(picture.rotation / 90)


def _is_untagged_hd(picture: VideoFrame) -> bool:
    """Whether it does not name its matrix and is of a size at which players take BT.709."""
    return picture.colorspace == _UNSPECIFIED and is_hd(picture.width, picture.height)


def _open(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open the first video stream. Raises SourceUnavailable."""
    try:
        container = av.open(f"file:{path}", metadata_errors="replace")  # never a URL
    except (av.error.InvalidDataError, av.error.EOFError) as exc:
        empty = path.stat().st_size == 0
        msg = f"{path} is empty." if empty else f"{path} is not a video that can be read."
        raise SourceUnavailable(msg, _REMEDY) from exc
    except (OSError, av.FFmpegError) as exc:
        msg = f"{path} cannot be read: {exc.strerror}."
        raise SourceUnavailable(msg, "Check the name and that it is a video file.") from exc
    if container.format.name in _NO_PICTURES or not container.streams.video:
        container.close()
        msg = f"{path} has no picture, only sound or text."
        raise SourceUnavailable(msg, "Name a video file.")
    stream = container.streams.video[0]
    stream.codec_context.options = {"err_detect": "explode"}
    return container, stream


def _has_trailer(path: Path) -> bool:
    """Whether a GIF ends as every GIF does; its header tells no length. True for other files."""
    with path.open("rb") as file:
        if file.read(4) != b"GIF8":
            return True
        file.seek(-min(64, path.stat().st_size), io.SEEK_END)  # some writers pad the end
        return b"\x00;" in file.read()


def _stops_before_index(container: InputContainer) -> bool:
    """Whether an MP4 or MOV lists samples that lie beyond the end of the file."""
    if "mp4" not in container.format.name:
        return False
    indices = [stream.index_entries for stream in container.streams]
    last = [index[len(index) - 1] for index in indices if len(index)]
    return any(entry.pos + entry.size > container.size for entry in last)


def _duration_s(container: InputContainer, stream: VideoStream) -> float:
    """How long the stream lasts by its own words, or by the file's where it is alone; else 0."""
    if container.format.name == "avi" and stream.frames and stream.time_base is not None:
        return float(stream.frames * stream.time_base)  # ffmpeg shortens the duration of a cut one
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    try:  # Matroska: "00:00:02.000000000"
        hours, minutes, seconds = stream.metadata.get("DURATION", "").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        alone = len(container.streams) == 1 and container.duration is not None
        return container.duration / av.time_base if alone and container.duration else 0.0
