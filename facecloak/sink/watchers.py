"""Whether somebody watches the virtual camera, so that the real one is on only then.

The driver tells who streams (``sink.usage``), from v4l2loopback 0.13 on. Where it does not, the
kernel tells (inotify) that a program opened or closed the device; who has it open now is then
counted in ``/proc``, so that no event that was missed counts for ever. Where the kernel does not
tell either, they are counted now and then all the same. Programs that only list
cameras open the device for a moment: what is counted has to last. Counted in this way, programs of
other users are not seen. Linux only.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from inotify_simple import INotify, flags

from facecloak.core.clock import Clock, monotonic
from facecloak.sink.usage import Usage

APPEARS_S: Final = 0.3
"""How long a program must have the device open to count."""
LEAVES_S: Final = 2.0
"""How long it must be gone until nobody watches."""
COUNT_AGAIN_S: Final = 0.1
RECOUNT_S: Final = 5.0
"""Shortest and longest time between two counts; the longest in case an event got lost."""
LOOK_AGAIN_S: Final = 2.0
"""How often it is looked where the virtual camera is."""


class Debounced:
    """A fact that must last before it is believed: pure, times come in as numbers.

    Attributes:
        state: what is believed.
    """

    def __init__(self) -> None:
        self.state = False
        self._other_since_s: float | None = None

    def tell(self, seen: bool, now_s: float) -> None:  # noqa: FBT001 - the fact itself
        """Take what is seen now."""
        if seen == self.state:
            self._other_since_s = None
            return
        if self._other_since_s is None:
            self._other_since_s = now_s
        if now_s - self._other_since_s >= (APPEARS_S if seen else LEAVES_S):
            self.state, self._other_since_s = seen, None

    @property
    def undecided(self) -> bool:
        """Whether something else was seen last than what is believed."""
        return self._other_since_s is not None


class Watchers:
    """Follows who has a device open. A context manager; ask it from one thread.

    Args:
        device: of the virtual camera.
        proc: where Linux lists processes.
        clock: times what lasts, in seconds.
        usage: asks the driver.
    """

    def __init__(
        self,
        device: Path,
        *,
        proc: Path = Path("/proc"),
        clock: Clock = monotonic,
        usage: Callable[[Path], Usage] = Usage,
    ) -> None:
        self._device = device
        self._make_usage = usage
        self._usage: Usage | None = None
        self._spoke = False
        self._proc = proc
        self._clock = clock
        self._believed = Debounced()
        self._counted_s = float("-inf")
        self._changed = False
        self._inotify: INotify | None = None

    def __enter__(self) -> Self:
        self._ask_driver()
        self._ask_kernel()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._drop_usage()
        self._drop_inotify()

    def __call__(self) -> bool:
        """Whether another program watches. Costs next to nothing while nothing changes."""
        now_s = self._clock()
        if self._usage is not None:
            try:
                self._believed.tell(self._streams(self._usage, now_s), now_s)
            except OSError:  # the device has gone; it may come back
                self._drop_usage()
            else:
                return self._believed.state
        elif self._spoke and now_s - self._counted_s >= RECOUNT_S:
            self._ask_driver()
        if self._inotify is not None and self._inotify.read(timeout=0):
            self._changed = True
        due_s = COUNT_AGAIN_S if self._changed or self._believed.undecided else RECOUNT_S
        if now_s - self._counted_s >= due_s:
            self._counted_s, self._changed = now_s, False
            self._believed.tell(any(_others(self._device, self._proc)), now_s)
        return self._believed.state

    def _streams(self, usage: Usage, now_s: float) -> bool:
        if now_s - self._counted_s >= RECOUNT_S:
            self._counted_s = now_s
            usage.ask_again()
        return usage.streams()

    def _ask_driver(self) -> None:
        with suppress(OSError):  # an older driver, or another one
            self._usage = self._make_usage(self._device).__enter__()
            self._spoke = True

    def _ask_kernel(self) -> None:
        try:
            self._inotify = INotify()
            self._inotify.add_watch(
                self._device, flags.OPEN | flags.CLOSE_WRITE | flags.CLOSE_NOWRITE
            )
        except OSError:  # it may not be opened, has gone, or there are too many of these
            self._drop_inotify()

    def _drop_inotify(self) -> None:
        if self._inotify is not None:
            self._inotify.close()
            self._inotify = None

    def _drop_usage(self) -> None:
        if self._usage is not None:
            usage, self._usage = self._usage, None
            usage.__exit__(None, None, None)


class CameraWatchers:
    """Follows who watches the virtual camera, wherever that is: nobody while there is none.

    A context manager; ask it from one thread.

    Args:
        find: where the device is to be found now; None while it is nowhere.
        clock: times what lasts, in seconds.
        watch: makes what follows one device, not yet open.
    """

    def __init__(
        self,
        find: Callable[[], Path | None],
        *,
        clock: Clock = monotonic,
        watch: Callable[[Path], Watchers] = Watchers,
    ) -> None:
        self._find = find
        self._clock = clock
        self._watch = watch
        self._device: Path | None = None
        self._watchers: Watchers | None = None
        self._looked_s = float("-inf")

    def __enter__(self) -> Self:
        self._look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._leave()

    def __call__(self) -> bool:
        """Whether another program watches the device that is there now."""
        if self._clock() - self._looked_s >= LOOK_AGAIN_S:
            self._look()
        return self._watchers is not None and self._watchers()

    def _look(self) -> None:
        self._looked_s = self._clock()
        device = self._find()
        if device is not None and not device.exists():
            device = None
        if device == self._device:
            return
        self._leave()
        if device is not None:
            self._device, self._watchers = device, self._watch(device).__enter__()

    def _leave(self) -> None:
        watchers, self._device, self._watchers = self._watchers, None, None
        if watchers is not None:
            watchers.__exit__(None, None, None)


def programs(device: Path, proc: Path = Path("/proc")) -> list[str]:
    """The programs, other than this one, that have ``device`` open, as ``name (process)``.

    Args:
        device: of a camera, virtual or real.
        proc: where Linux lists processes.
    """
    return [f"{_name(proc / str(process))} ({process})" for process in _others(device, proc)]


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # it has ended
        return "unknown"


def _others(device: Path, proc: Path) -> Iterator[int]:
    """The processes, other than this one, that have ``device`` open."""
    for process in proc.iterdir():
        if not process.name.isdecimal() or int(process.name) == os.getpid():
            continue
        try:
            opened = [entry.readlink() for entry in (process / "fd").iterdir()]
        except OSError:  # it has ended, or is somebody else's
            continue
        if device in opened:
            yield int(process.name)
