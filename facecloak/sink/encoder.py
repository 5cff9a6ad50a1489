"""Frames into one container: which codec, which colours, at which times, with which sound."""

import logging
import math
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from facecloak.core.colour import is_hd
from facecloak.core.types import Frame
from facecloak.sink.sound import Sound

logger = logging.getLogger(__name__)

_TICKS_PER_S = 10_000
"""The time base is at least this fine, and a whole number of ticks long in every frame."""
_ON_BEAT_S = 0.001
"""Matroska and WebM round times to this; so near the beat of the rate, a frame is on it."""
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""ffmpeg's quick conversion makes 4:2:0 about a level too dark, this one less than 0.1."""
_FFV1 = {"level": "3", "slicecrc": "1"}
_H264 = {"crf": "18", "preset": "veryfast"}
_VP9 = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "5", "row-mt": "1"}
_BT709 = 1
"""Tag of ITU-T H.273: primaries and transfer, which screens and cameras of today share."""
_MATRICES = {True: (Colorspace.ITU709, _BT709), False: (Colorspace.ITU601, 6)}
"""In HD and below: the matrix, and its tag.

What ignores tags, such as OpenCV, takes small videos to be BT.601 and shows their skin too pink if
they are not. In HD it does so with nearly all videos.
"""


class Encoder:
    """One video file in the making.

    Args:
        path: where; its suffix chooses the container and, unless ``lossless``, the codec.
        rate: nominal frames per second.
        size: width and height of the frames in pixels.
        lossless: FFV1 in RGB instead of H.264 or VP9.
        pixel_aspect: width of a pixel by its height; only H.264 can say it, else the log warns.

    Raises:
        av.FFmpegError: ffmpeg refuses to open the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        rate: Fraction,
        size: tuple[int, int],
        lossless: bool,
        pixel_aspect: Fraction = Fraction(1),
    ) -> None:
        self.size = size
        self._rate = rate
        self._container = av.open(f"file:{path}", "w")
        self._stream = _add_stream(self._container, path.suffix.lower(), rate, lossless=lossless)
        self._stream.width, self._stream.height = size
        self._matrix, tag = _MATRICES[is_hd(*size)]
        if not lossless:
            context = self._stream.codec_context
            context.colorspace, context.color_primaries = tag, _BT709
            context.color_trc = _BT709
        if self._stream.codec_context.name == "libx264" and (size[0] % 2 or size[1] % 2):
            self._stream.pix_fmt = "yuv444p"  # 4:2:0 in H.264 has even sizes only
        if pixel_aspect != 1:
            self._shape_pixels(pixel_aspect)
        self._ticks = rate.denominator * math.ceil(_TICKS_PER_S / rate.numerator)
        self._time_base = 1 / (rate * self._ticks)
        self._stream.codec_context.time_base = self._time_base
        self._last_pts = -1
        self._end_s = 0.0
        self._sound: Sound | None = None

    def add_sound(self, path: Path) -> None:
        """Copy the sound of ``path`` as frames are written. Before the first of them."""
        self._sound = Sound.open(path, self._container)

    def write(self, frame: Frame, at_s: float) -> None:
        """Encode a frame for the time ``at_s``, in seconds from the start. Raises FFmpegError."""
        picture = VideoFrame.from_ndarray(frame.image, format="bgr24")
        if self._stream.codec_context.name == "ffv1":
            picture = picture.reformat(format="bgr0")
        else:
            picture = picture.reformat(
                format=self._stream.pix_fmt,
                dst_colorspace=self._matrix,
                dst_color_range=ColorRange.MPEG,
                interpolation=_EXACT,
            )
        picture.pts = self._last_pts = max(self._pts(at_s), self._last_pts + 1)
        picture.time_base, picture.duration = self._time_base, self._ticks
        self._container.mux(self._stream.encode(picture))
        self._end_s = at_s + float(1 / self._rate)
        self._copy_sound(at_s)

    def finish(self, *, whole: bool = True) -> None:
        """Write what the encoder still holds and the rest of the sound. Raises FFmpegError.

        Args:
            whole: whether all of the sound is wanted; otherwise it ends with the last frame.
        """
        self._container.mux(self._stream.encode())
        self._copy_sound(math.inf if whole else self._end_s)

    def close(self) -> None:
        """Close the file; it is whole only after ``finish``. Raises FFmpegError."""
        if self._sound is not None:
            self._sound.close()
        self._container.close()

    def _shape_pixels(self, aspect: Fraction) -> None:
        context = self._stream.codec_context
        if context.name == "libx264":
            context.sample_aspect_ratio = aspect
        else:
            what = "%s cannot say that pixels are not square: the picture will look distorted"
            logger.warning(what, context.name)

    def _pts(self, at_s: float) -> int:
        beat = round(at_s * self._rate)
        if abs(float(beat / self._rate) - at_s) <= _ON_BEAT_S:
            return beat * self._ticks
        return round(at_s / self._time_base)

    def _copy_sound(self, until_s: float) -> None:
        if self._sound is not None:
            for packet in self._sound.take(until_s):
                self._container.mux(packet)


def _add_stream(
    container: OutputContainer, suffix: str, rate: Fraction, *, lossless: bool
) -> VideoStream:
    """Add the video stream. Its size is still to be set."""
    if lossless:
        stream = container.add_stream("ffv1", rate=rate, options=_FFV1)
        stream.pix_fmt = "bgr0"
        return stream
    if suffix == ".webm":
        stream = container.add_stream("libvpx-vp9", rate=rate, options=_VP9)
    else:
        stream = container.add_stream("libx264", rate=rate, options=_H264)
    stream.pix_fmt = "yuv420p"
    stream.codec_context.color_range = ColorRange.MPEG
    return stream
