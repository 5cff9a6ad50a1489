"""What a call's codec leaves of a picture."""

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, cast

import av
import cv2
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from facecloak.core.types import Image

os.environ.setdefault("SVT_LOG", "1")  # else the AV1 encoder tells every stream on stderr

CAPTURED_FPS: Final = 30
"""Pictures that the camera takes each second."""
_EXACT: Final = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""ffmpeg's quick conversion makes 4:2:0 up to two levels too dark, this one a tenth of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A codec as programs that hold calls use it.

    Attributes:
        title: as it stands in tables.
        encoder: ffmpeg's name.
        options: of the encoder. One thread and a fixed speed: a clip is always coded alike.
        buffered: whether the encoder takes ffmpeg's bounds on the rate; the one of AV1 has its own.
    """

    title: str
    encoder: str
    options: Mapping[str, str]
    buffered: bool = True


CODECS: Final[Mapping[str, Codec]] = {
    "h264": Codec(
        title="H.264",
        encoder="libx264",
        options={"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"},
    ),
    "vp8": Codec(
        title="VP8",
        encoder="libvpx",
        options={"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0"},
    ),
    "vp9": Codec(
        title="VP9",
        encoder="libvpx-vp9",
        options={"deadline": "realtime", "cpu-used": "7", "lag-in-frames": "0"},
    ),
    "av1": Codec(
        title="AV1",
        encoder="libsvtav1",
        options={"preset": "10", "svtav1-params": "pred-struct=1:rc=2:rtc=1:lp=1"},
        buffered=False,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The way of a picture from one end of a call to the other.

    Attributes:
        codec: a key of ``CODECS``; empty for pictures that arrive as they were sent.
        size: width and height of the pictures that are sent, in pixels.
        kbps: constant bit rate, in 1000 bits per second.
        fps: how many pictures of the camera are sent each second; ``CAPTURED_FPS`` is a multiple.
    """

    codec: str = ""
    size: tuple[int, int] = (1280, 720)
    kbps: int = 0
    fps: int = CAPTURED_FPS

    @property
    def key(self) -> str:
        """What a command line calls it: ``h264-720p-1200``, ``h264-720p-1200-15fps``."""
        if not self.codec:
            return "lossless"
        slow = "" if self.fps == CAPTURED_FPS else f"-{self.fps}fps"
        return f"{self.codec}-{self.size[1]}p-{self.kbps}{slow}"

    @property
    def name(self) -> str:
        """What a table calls it."""
        if not self.codec:
            return "lossless"
        slow = "" if self.fps == CAPTURED_FPS else f", {self.fps} fps"
        return f"{CODECS[self.codec].title} {self.size[1]}p {self.kbps} kb/s{slow}"


_LAYERS: Final = (((1280, 720), 2500), ((1280, 720), 1200), ((640, 360), 500), ((320, 180), 150))
"""Sizes and rates of the layers that programs send, from the best line to a bad one."""
LEGS: Final[Mapping[str, Leg]] = {
    leg.key: leg
    for leg in (
        Leg(),
        *(
            Leg(codec=codec, size=size, kbps=kbps, fps=fps)
            for fps in (CAPTURED_FPS, CAPTURED_FPS // 2)
            for size, kbps in _LAYERS
            for codec in CODECS
        ),
    )
}
"""Every leg, by its key."""
REENCODED: Final = LEGS["h264-720p-2500"]
"""The leg whose loss nobody minds: what a cloak may cost the eye is held against it."""


def legs_of(keys: Iterable[str]) -> list[Leg]:
    """The legs of these keys, each once; ``all`` stands for every one.

    Raises:
        ValueError: there is none of that key.
    """
    found: dict[str, Leg] = {}
    for key in keys:
        if key != "all" and key not in LEGS:
            msg = f"there is no leg {key!r}; there are all, {', '.join(LEGS)}"
            raise ValueError(msg)
        found |= LEGS if key == "all" else {key: LEGS[key]}
    return [*found.values()]


def missing(leg: Leg) -> str:
    """Why this machine cannot send pictures over a leg, which is tried; empty where it can."""
    if not leg.codec:
        return ""
    encoder = CODECS[leg.codec].encoder
    try:
        av.Codec(encoder, "w")
    except UnknownCodecError:
        return f"the ffmpeg of this machine has no encoder {encoder}"
    width, height = leg.size
    try:
        arrive([np.zeros((height, width, 3), np.uint8)] * 2, leg)
    except av.FFmpegError as exc:
        return f"{encoder} does not work on this machine ({exc.strerror})"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """What arrives of a call.

    Attributes:
        picture: the last one, ``uint8[H, W, 3]`` of the leg's size, BGR.
        kbps: the rate that the encoder really sent, in 1000 bits per second; 0 without one.
    """

    picture: Image
    kbps: float = 0.0


def arrive(pictures: Sequence[Image], leg: Leg) -> Arrival:
    """Send some pictures that follow each other, the last of them in any case.

    Args:
        pictures: each ``uint8[H, W, 3]``, BGR, as the camera takes them.
        leg: how they get there.

    Raises:
        av.FFmpegError: the encoder or the decoder failed; see also :func:`missing`.
    """
    sent = pictures[:: -(CAPTURED_FPS // leg.fps)][::-1]
    small = [
        cv2.resize(picture, leg.size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        for picture in (sent if leg.codec else sent[-1:])
    ]
    if not leg.codec:
        return Arrival(small[0])
    buffer = io.BytesIO()
    spent = 0
    with _scheduled_as_before(), av.open(buffer, "w", format="matroska") as container:
        stream = cast("VideoStream", container.add_stream(CODECS[leg.codec].encoder, rate=leg.fps))
        stream.width, stream.height, stream.pix_fmt = *leg.size, "yuv420p"
        stream.bit_rate = 1000 * leg.kbps
        stream.options = _options(leg)
        for picture in (*map(_planes, small), None):
            for packet in stream.encode(picture):
                spent += packet.size
                container.mux(packet)
    buffer.seek(0)
    with av.open(buffer, "r") as arrived:
        *_, last = arrived.decode(video=0)
    back = last.reformat(
        format="bgr24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        interpolation=_EXACT,
    )
    kbps = 0.008 * spent * leg.fps / len(small)
    return Arrival(back.to_ndarray().astype(np.uint8, copy=False), kbps)


@contextmanager
def _scheduled_as_before() -> Iterator[None]:
    """Give this thread back the scheduling it had.

    Whoever opens the AV1 encoder as root gets the highest priority in real time from it, for good,
    and other programs get what is left.
    """
    if not hasattr(os, "sched_setscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameters)


def _options(leg: Leg) -> dict[str, object]:
    codec = CODECS[leg.codec]
    options: dict[str, object] = dict(codec.options)
    if codec.buffered:
        rate = str(1000 * leg.kbps)
        half_a_second = str(500 * leg.kbps)
        options |= {"minrate": rate, "maxrate": rate, "bufsize": half_a_second, "threads": "1"}
    return options


def _planes(picture: Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=_EXACT,
    )
