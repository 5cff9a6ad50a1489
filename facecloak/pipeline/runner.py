"""Holds source, protector and sink together for as long as a run lasts.

live    Source --capture thread--> Mailbox --> Protector --> Sink      the newest picture wins
file    Source --> Protector --> Sink                                  every picture, in order
"""

import contextlib
import threading
from collections.abc import Callable
from contextlib import closing

from facecloak.core.errors import SourceLost
from facecloak.core.ports import EndOfSource, Sink, Source
from facecloak.core.types import Frame
from facecloak.pipeline.capture_thread import CaptureThread
from facecloak.pipeline.live import Limits, LiveRun, Observe
from facecloak.pipeline.outlet import Outlet, run_clock
from facecloak.pipeline.protector import Protected, Protector
from facecloak.pipeline.report import RunReport
from facecloak.pipeline.watchdog import Watchdog

OpenSink = Callable[[tuple[int, int], float], Sink]
"""Makes the sink once the source is open: width and height in pixels, then frames per second."""

FILE_READ_S = 10.0
"""Longest wait for one picture of a file, in seconds."""
REHEARSED_S = 1.0
"""How long before the first picture, and before one another, it is rehearsed, in frame time: longer
than any fade."""


def run_live(  # noqa: PLR0913 - one place where a run is put together
    source: Source,
    open_sink: OpenSink,
    protector: Protector,
    *,
    stop: threading.Event,
    limits: Limits | None = None,
    observe: Observe | None = None,
    hangs: Callable[[], None] | None = None,
) -> RunReport:
    """Protect a camera until it is told to stop, reaches a limit or loses the camera.

    Opens source and sink, and closes them and the protector, however it ends.

    Args:
        source: not yet open.
        open_sink: makes the sink.
        protector: what happens to each frame.
        stop: ends the run cleanly when set, from any thread or signal handler.
        limits: when it ends by itself.
        observe: called in this thread for each frame, stand-ins included, after the sink took it.
        hangs: called in another thread when a stage hangs and the slate is shown instead.

    Raises:
        SourceUnavailable: the source cannot be opened.
        SourceLost: no picture came for so long that ``limits`` gives up; the sink got stand-ins.
        SinkUnavailable: the sink cannot be opened, or takes no more.
    """
    began_s = run_clock()
    with (
        closing(protector),
        source,
        open_sink(source.size, source.fps) as sink,
        closing(CaptureThread(source, run_clock)) as capture,
    ):
        outlet = Outlet(sink, protector.times)
        limits = limits or Limits()
        run = LiveRun(capture, protector, outlet, limits, size=source.size, fps=source.fps)
        with contextlib.ExitStack() as watched:
            if limits.hang_s is not None:
                dog = Watchdog(outlet, run.slate, hang_s=limits.hang_s, tell=hangs)
                watched.callback(dog.close)
            run.follow(stop, observe)
    return outlet.tally.report(
        seconds=run_clock() - began_s,
        frames_in=capture.frames_in,
        dropped=capture.dropped,
        stages=protector.times.summary(),
    )


def run_file(  # noqa: PLR0913 - as above
    source: Source,
    open_sink: OpenSink,
    protector: Protector,
    *,
    frames: int | None = None,
    rehearsals: int = 0,
    progress: Callable[[int], None] | None = None,
    observe: Callable[[Frame, Protected], None] | None = None,
) -> RunReport:
    """Protect every picture of a file, in order and in this thread.

    Opens source and sink, and closes them and the protector, however it ends.

    Args:
        source: not yet open.
        open_sink: makes the sink.
        protector: what happens to each frame.
        frames: how many to protect; None for all.
        rehearsals: how often the stages work on the first picture before, unseen, so that the cloak
            knows from the start what the judges read.
        progress: called after each frame with how many are done.
        observe: called for each picture, after the sink took what became of it.

    Raises:
        SourceUnavailable: the source cannot be opened.
        SourceLost: the file is damaged.
        SinkUnavailable: the sink cannot be opened, or takes no more.
    """
    began_s = run_clock()
    done = 0
    with closing(protector), source, open_sink(source.size, source.fps) as sink:
        outlet = Outlet(sink, protector.times)
        while done != frames and (frame := _next_of(source)) is not None:
            for ahead in range(rehearsals if done == 0 else 0, 0, -1):
                before_s = frame.captured_s - ahead * REHEARSED_S
                protector.rehearse(Frame(frame.image, before_s, frame.index))
            handed_over_s = run_clock()
            protected = protector.protect(frame)
            outlet.write(protected, handed_over_s=handed_over_s)
            done += 1
            if observe is not None:
                observe(frame, protected)
            if progress is not None:
                progress(done)
    return outlet.tally.report(
        seconds=run_clock() - began_s,
        frames_in=done,
        dropped=0,
        stages=protector.times.summary(),
    )


def _next_of(source: Source) -> Frame | None:
    """The next picture of a file, None at its end."""
    try:
        frame = source.read(FILE_READ_S)
    except EndOfSource:
        return None
    if frame is None:
        what = f"The file gave no picture for {FILE_READ_S:.0f} s."
        raise SourceLost(what, "Check that it is complete and that its disk can be read.")
    return frame
