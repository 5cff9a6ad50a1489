"""Notices that a run hangs, and shows the slate instead of the frame before."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from facecloak.core.errors import FaceCloakError
from facecloak.pipeline.outlet import Outlet, run_clock
from facecloak.pipeline.protector import Protected
from facecloak.pipeline.worker import Worker

logger = logging.getLogger(__name__)

_LOOKS: Final = 6
"""How often it shows the slate, and looks whether the run goes on, in the time of a hang."""
_CLOSING_S: Final = 2.0


class Watchdog:
    """A thread that writes the slate while the run writes nothing.

    A stage that hangs cannot be stopped. But what it makes, should it come back, is late and is not
    shown; the next frame is. Before the run has written its first frame nothing is to be replaced,
    and the first one may take long.

    Args:
        outlet: where the run writes.
        slate: makes the frame to show.
        hang_s: for how long the run may write nothing, in seconds.
        tell: called in the watchdog's thread, once for each time that the run hangs.
    """

    def __init__(
        self,
        outlet: Outlet,
        slate: Callable[[], Protected],
        *,
        hang_s: float,
        tell: Callable[[], None] | None = None,
    ) -> None:
        self._outlet = outlet
        self._slate = slate
        self._hang_s = hang_s
        self._tell = tell
        self._closed = threading.Event()
        self._worker = Worker("watchdog", self._watch, lambda: None)

    def close(self) -> None:
        """End the thread. A second call does nothing."""
        self._closed.set()
        self._worker.join(_CLOSING_S)

    def _watch(self) -> None:
        hanging, pause_s = False, self._hang_s
        while not self._closed.wait(pause_s):
            written_s = self._outlet.written_s
            silent_s = 0.0 if written_s is None else run_clock() - written_s
            pause_s = max(self._hang_s - silent_s, self._hang_s / _LOOKS)
            if silent_s < self._hang_s:
                hanging = False
                continue
            if not hanging:
                hanging = True
                logger.warning("nothing came out for %.1f s: a stage hangs", silent_s)
                if self._tell is not None:
                    self._tell()
            try:
                shown = self._outlet.take_over(self._slate(), patience_s=self._hang_s / _LOOKS)
            except FaceCloakError as exc:
                logger.debug("the slate cannot be shown: %s", exc)
            else:
                if not shown:
                    logger.debug("the sink itself hangs")
