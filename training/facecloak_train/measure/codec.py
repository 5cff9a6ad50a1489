"""What a call's codec leaves of a picture."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import av
import cv2
import numpy as np
from av.video.stream import VideoStream

from facecloak.core.types import Image

_OPTIONS: Final = {
    "libx264": {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"},
    "libvpx": {"deadline": "realtime", "cpu-used": "5", "lag-in-frames": "0"},
}
"""How programs that hold calls set up their encoders."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The way of a picture from one end of a call to the other.

    Attributes:
        name: as it stands in tables.
        codec: of ffmpeg; empty for pictures that arrive as they were sent.
        size: width and height of the pictures that are sent, in pixels.
        kbps: constant bit rate, in 1000 bits per second.
    """

    name: str
    codec: str = ""
    size: tuple[int, int] = (1280, 720)
    kbps: int = 0


LEGS: Final = (
    Leg("lossless"),
    Leg("H.264 720p 1200 kb/s", "libx264", (1280, 720), 1200),
    Leg("VP8 360p 500 kb/s", "libvpx", (640, 360), 500),
    Leg("H.264 180p 150 kb/s", "libx264", (320, 180), 150),
)
"""From the best case to a bad line."""


def arrive(pictures: Sequence[Image], leg: Leg, *, fps: int = 30) -> Image:
    """The last of some pictures that follow each other, as the far end decodes it.

    Args:
        pictures: each ``uint8[H, W, 3]``, BGR.
        leg: how they get there.
        fps: how many are sent each second.

    Returns:
        ``uint8[H, W, 3]`` of the leg's size, BGR.
    """
    small = [
        cv2.resize(picture, leg.size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        for picture in pictures
    ]
    if not leg.codec:
        return small[-1]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream = cast("VideoStream", container.add_stream(leg.codec, rate=fps))
        stream.width, stream.height, stream.pix_fmt = *leg.size, "yuv420p"
        stream.bit_rate = 1000 * leg.kbps
        stream.options = dict(_OPTIONS[leg.codec])
        for picture in small:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer, "r") as arrived:
        *_, last = arrived.decode(video=0)
    return last.to_ndarray(format="bgr24").astype(np.uint8, copy=False)
