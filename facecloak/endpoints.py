"""Both ends of the data flow: names the concrete sources and sinks."""

import platform
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from pathlib import Path

from facecloak import capture, sink
from facecloak.core.ports import Sink, Source
from facecloak.pipeline.runner import OpenSink
from facecloak.settings import Settings
from facecloak.sink.loopback import find_device
from facecloak.sink.recovering import RecoveringSink

_SYSFS = Path("/sys/class/video4linux")
"""Where Linux lists video devices."""


def source(
    settings: Settings,
    *,
    live: bool = False,
    seconds: float | None = None,
    wanted: Callable[[], bool] | None = None,
    patient: bool = False,
) -> Source:
    """The source that the settings name, not yet open. Raises ConfigError.

    Args:
        settings: what the user chose.
        live: let a file or the demo run at its own pace.
        seconds: how long the demo lasts.
        wanted: whether a camera shall be on now; always, if not given.
        patient: let a camera that is not there at first be looked for, instead of an error.
    """
    return capture.open_source(
        settings.source,
        size=(settings.width, settings.height),
        fps=settings.fps,
        live=live,
        seconds=seconds,
        wanted=wanted,
        patient=patient,
        own=lambda: find_device(_SYSFS),
    )


def watchers(settings: Settings) -> AbstractContextManager[Callable[[], bool] | None]:
    """Who tells whether the camera shall be on; nobody where it is on always.

    It shall not while there is no virtual camera.
    """
    when_watched = settings.camera_on == "watched" and virtual(settings.sink)
    if when_watched and platform.system() == "Linux":
        from facecloak.sink.watchers import CameraWatchers  # noqa: PLC0415 - Linux only

        def where() -> Path | None:
            return find_device(_SYSFS) if settings.sink == "virtual" else Path(settings.sink)

        return CameraWatchers(where)
    return nullcontext()


def rehearsal(settings: Settings, seconds: float) -> Source:
    """Two seconds of the demo portrait as the user's webcam would send them, over and over."""
    size = (settings.width, settings.height)
    return capture.RehearsedSource(capture.DemoSource(2.0), seconds, size=size)


def file(path: Path) -> Source:
    """The picture or video at ``path``, not yet open, whatever its name."""
    return capture.open_file(path)


def until(source: Source, stop: threading.Event, *, seconds: float | None) -> Source:
    """The file ``source``, but ending when ``stop`` is set or after so many seconds of it."""
    return capture.UntilSource(source, stop, seconds=seconds)


def hiding(source: Source, hidden: Callable[[], bool]) -> Source:
    """The same source, of which nothing is seen while the user hides."""
    return capture.HidingSource(source, hidden)


def sink_of(name: str, source: Source) -> OpenSink:
    """What makes the sink called ``name`` once the source is open; keeps a file's frame rate.

    A virtual camera that disappears is opened again as soon as it is back.
    """
    if virtual(name):
        return virtual_camera(name, patient=False)

    def open_sink(size: tuple[int, int], fps: float) -> Sink:
        rate, original = _rate_of(source, fps), sink.Original.of(source)
        return sink.open_sink(name, size=size, fps=rate, original=original)

    return open_sink


def virtual(name: str) -> bool:
    """Whether this sink is a virtual camera."""
    return name == "virtual" or name.startswith("/dev/video")


def virtual_camera(
    name: str, *, patient: bool
) -> Callable[[tuple[int, int], float], RecoveringSink]:
    """What makes the virtual camera called ``name``.

    Args:
        name: ``virtual`` or ``/dev/videoN``.
        patient: look for one that is not there at first, instead of an error.
    """

    def open_sink(size: tuple[int, int], fps: float) -> RecoveringSink:
        def make() -> Sink:
            return sink.open_sink(name, size=size, fps=fps)

        return RecoveringSink(make, name="the virtual camera", patient=patient)

    return open_sink


def file_sink(path: Path, source: Source, *, lossless: bool = False) -> OpenSink:
    """What makes the picture or video at ``path``, whatever its name, once the source is open."""

    def open_sink(_size: tuple[int, int], fps: float) -> Sink:
        rate, original = _rate_of(source, fps), sink.Original.of(source)
        return sink.open_file(path, fps=rate, lossless=lossless, original=original)

    return open_sink


def _rate_of(source: Source, fps: float) -> Fraction | float:
    """The exact frame rate of a file; ``fps`` of another source."""
    return getattr(source, "rate", None) or fps
