"""Sources of frames, each a ``core.ports.Source``: a camera, a file, the animated demo portrait.

    camera    CameraSource    a webcam; newest frame wins, drops show as gaps in ``index``
    recovering RecoveringSource  a webcam that is on while it is wanted, and opened again when lost
    fit       fit             pictures of any size made to fit one size
    video     VideoSource     a video file or an animated GIF; every frame, in order
    picture   PictureSource   a still picture; one frame
    demo      DemoSource      a public-domain portrait that moves; needs no file and no camera
    portrait  Portrait        what the demo shows
    paced     PacedSource     a file shown as a camera would: each frame at its time
    passing   Passing         what the two below have in common: they stand before another source
    until     UntilSource     a file that somebody may end early
    hiding    HidingSource    any source, of which nothing is seen while the user hides
    listing   Camera          which cameras there are
    rehearsal RehearsedSource a short source as motion JPEG, played over and over, to measure with
    bgr       to_bgr          what every device hands over becomes ``uint8[H, W, 3]``, BGR

``open_source`` chooses by name, ``open_file`` takes files only. No frame leaves here in any other
layout, and no message of OpenCV or ffmpeg reaches the terminal.
"""

import re
from collections.abc import Callable
from pathlib import Path

from facecloak.capture.camera import CameraSource
from facecloak.capture.demo import DemoSource
from facecloak.capture.hiding import HidingSource
from facecloak.capture.listing import find_again, name_of
from facecloak.capture.paced import PacedSource
from facecloak.capture.picture import SUFFIXES, PictureSource
from facecloak.capture.portrait import PERIOD_S
from facecloak.capture.recovering import RecoveringSource
from facecloak.capture.rehearsal import RehearsedSource
from facecloak.capture.until import UntilSource
from facecloak.capture.video import VideoSource
from facecloak.core.errors import SourceUnavailable

__all__ = [
    "CameraSource",
    "DemoSource",
    "HidingSource",
    "PacedSource",
    "PictureSource",
    "RecoveringSource",
    "RehearsedSource",
    "UntilSource",
    "VideoSource",
    "open_file",
    "open_source",
]


def open_source(  # noqa: PLR0913 - what a camera can be asked for
    name: str,
    *,
    size: tuple[int, int] = (1280, 720),
    fps: float = 30.0,
    live: bool = False,
    seconds: float | None = None,
    wanted: Callable[[], bool] | None = None,
    patient: bool = False,
    own: Callable[[], Path | None] | None = None,
) -> DemoSource | PacedSource | PictureSource | RecoveringSource | VideoSource:
    """Choose the source that ``name`` means; entering it opens it.

    Args:
        name: a camera's number or ``/dev/video*``, ``demo``, or the path of a picture or a video.
        size: width and height to ask a camera for, in pixels.
        fps: frames per second to ask a camera for.
        live: let the demo or a file run at its own pace like a webcam; the demo, and a picture,
            without end.
        seconds: how long the demo lasts; None is eight seconds, or without end where it is live.
        wanted: whether a camera shall be on now; always, if not given.
        patient: let a camera that is not there at first be looked for, instead of an error.
        own: where FaceCloak's virtual camera is now, which is never read; None where it is not.

    Raises:
        ConfigError: ``seconds`` is not a positive number.
    """
    if name.isdecimal() or re.fullmatch(r"/dev/video\d+", name):
        device = int(name) if name.isdecimal() else name
        return _camera(device, size, fps, wanted, patient=patient, own=own)
    if name == "demo":
        endless = live and seconds is None
        return DemoSource(None if endless else PERIOD_S if seconds is None else seconds, paced=live)
    file = open_file(name)
    return PacedSource(file, stays=isinstance(file, PictureSource)) if live else file


def open_file(path: str | Path) -> PictureSource | VideoSource:
    """Choose by the suffix what reads the file, whatever its name; entering it opens it."""
    return PictureSource(path) if Path(path).suffix.lower() in SUFFIXES else VideoSource(path)


def _camera(
    device: int | str,
    size: tuple[int, int],
    fps: float,
    wanted: Callable[[], bool] | None,
    *,
    patient: bool,
    own: Callable[[], Path | None] | None,
) -> RecoveringSource:
    called = name_of(device)

    def make() -> CameraSource:
        found = find_again(device, called)
        node = Path(f"/dev/video{found}" if isinstance(found, int) else found)
        if own is not None and node == own():
            msg = f"{node} is FaceCloak's own camera."
            raise SourceUnavailable(
                msg, "Choose another one (--source): facecloak devices lists them."
            )
        return CameraSource(found, size=size, fps=fps)

    name = f"camera {device}" + (f" ({called})" if called else "")
    return RecoveringSource(
        make, name=name, wanted=wanted, patient=(size, fps) if patient else None
    )
