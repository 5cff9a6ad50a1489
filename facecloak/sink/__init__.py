"""Where protected frames go, each a ``core.ports.Sink``.

    virtualcam  VirtualCameraSink  a camera that other programs see
    video       VideoSink          H.264, VP9 or lossless FFV1, with the sound of the input
    picture     PictureSink        one still picture
    y4m         Y4mSink            yuv4mpeg on standard output, for ffplay and ffmpeg
    preview     PreviewSink        a window
    null        NullSink           nowhere; counts
    encoder     Encoder            what a video file is made of: codec, colours, times
    sound       Sound              the copied sound track
    original    Original           the file that a video is made of
    recovering  RecoveringSink     any of them, found again after it disappeared
    display     require_display    whether windows can be opened here
    closed      SinkClosed         what a sink raises once nobody watches it any more
    draft       Draft              a file that stands under its name only once it is whole
    loopback    Role               what the Linux driver of the virtual camera offers, and a cure
    watchers    CameraWatchers     whether somebody watches the virtual camera
    driver      Step               what has to be done so that the virtual camera exists

``open_sink`` chooses by name, ``open_file`` takes files only. The window and the virtual camera are
imported when they are chosen: a machine without a display's libraries still writes files.
"""

from fractions import Fraction
from pathlib import Path

from facecloak.core.errors import ConfigError, SinkUnavailable
from facecloak.core.ports import Sink
from facecloak.sink.closed import SinkClosed
from facecloak.sink.null import NullSink
from facecloak.sink.original import Original
from facecloak.sink.picture import LOSSLESS_SUFFIXES, PictureSink
from facecloak.sink.picture import SUFFIXES as PICTURES
from facecloak.sink.recovering import RecoveringSink
from facecloak.sink.video import SUFFIXES as VIDEOS
from facecloak.sink.video import VideoSink
from facecloak.sink.y4m import Y4mSink, standard_output

__all__ = [
    "NullSink",
    "Original",
    "PictureSink",
    "RecoveringSink",
    "SinkClosed",
    "VideoSink",
    "Y4mSink",
    "open_file",
    "open_sink",
]


def open_sink(
    name: str,
    *,
    fps: Fraction | float,
    size: tuple[int, int],
    lossless: bool = False,
    original: Original | None = None,
) -> Sink:
    """Choose the sink that ``name`` means; entering it opens it.

    Args:
        name: ``virtual`` or on Linux ``/dev/video*``, ``preview``, ``null``, ``-`` for standard
            output, or the path of a picture or a video.
        fps: frames per second, exact for a file.
        size: width and height of the frames in pixels.
        lossless: let a file decode to exactly the frames that were written.
        original: the file that a video is made of.

    Raises:
        ConfigError: the suffix names no format, or none that is lossless.
        SinkUnavailable: a library that a window or a virtual camera needs is missing.
    """
    if name == "null":
        return NullSink()
    if name == "-":
        return Y4mSink(standard_output, fps=fps)
    if name == "preview":
        return _preview()
    if name == "virtual" or name.startswith("/dev/video"):
        return _virtual_camera(fps, size, None if name == "virtual" else name)
    return open_file(Path(name), fps=fps, lossless=lossless, original=original)


def open_file(
    path: Path,
    *,
    fps: Fraction | float = 1,
    lossless: bool = False,
    original: Original | None = None,
) -> PictureSink | VideoSink:
    """Choose by the suffix what writes the file; arguments and errors as of ``open_sink``."""
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        if lossless and suffix not in LOSSLESS_SUFFIXES:
            msg = f"{path.name} cannot be lossless."
            raise ConfigError(msg, f"Use one of {', '.join(sorted(LOSSLESS_SUFFIXES))}.")
        return PictureSink(path)
    if suffix in VIDEOS:
        return VideoSink(path, rate=Fraction(fps), lossless=lossless, original=original)
    msg = f"{path.name} names no format that can be written."
    remedy = f"Use one of {', '.join(sorted(VIDEOS) + sorted(PICTURES))}."
    if suffix == ".gif":
        remedy = f"A GIF has too few colours for a face. {remedy}"
    raise ConfigError(msg, remedy)


def _preview() -> Sink:
    try:
        from facecloak.sink.preview import PreviewSink  # noqa: PLC0415  see the docstring above
    except ImportError as exc:
        msg = f"The preview window cannot be loaded: {exc}."
        raise SinkUnavailable(msg, "Install the missing library, or use another sink.") from exc
    return PreviewSink()


def _virtual_camera(fps: Fraction | float, size: tuple[int, int], device: str | None) -> Sink:
    try:
        from facecloak.sink.virtualcam import VirtualCameraSink  # noqa: PLC0415  likewise
    except ImportError as exc:
        msg = f"Virtual cameras cannot be used here: {exc}."
        raise SinkUnavailable(msg, "Install pyvirtualcam, or use another sink.") from exc
    return VirtualCameraSink(fps=float(fps), size=size, device=device)
