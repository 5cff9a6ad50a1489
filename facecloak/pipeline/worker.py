"""The entry of every thread: whatever happens inside is said once, and nothing comes out after."""

import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from facecloak.core.errors import FaceCloakError

logger = logging.getLogger(__name__)


class Worker:
    """A started thread whose end, good or bad, can be asked for.

    It is a daemon: a device or a model that hangs for ever does not keep the process alive.

    Args:
        name: of the thread.
        work: what it does until it returns or raises.
        at_end: called in the thread when ``work`` is over, however it ended.
        gives_way: by how much more "nice" than the process the thread is where cores are short; on
            Linux alone, where threads have priorities of their own that anyone may lower.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        at_end: Callable[[], None],
        *,
        gives_way: int = 0,
    ) -> None:
        self._work = work
        self._gives_way = gives_way
        self._at_end = at_end
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._enter, name=f"facecloak-{name}", daemon=True)
        self._thread.start()

    @property
    def error(self) -> Exception | None:
        """What ended it; None while it works and when it ended well."""
        return self._error

    def join(self, timeout_s: float) -> bool:
        """Wait for its end, in seconds; False, and a line in the log, when it does not come."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            logger.warning("%s still hangs after %.1f s", self._thread.name, timeout_s)
            return False
        return True

    def _enter(self) -> None:
        try:
            if self._gives_way and sys.platform == "linux":
                with suppress(OSError):  # a sandbox may refuse it
                    os.nice(self._gives_way)  # of this thread, though the name does not say so
            self._work()
        except Exception as exc:  # noqa: BLE001 - a thread that dies unheard would not fail closed
            self._error = exc
            what = str(exc) if isinstance(exc, FaceCloakError) else type(exc).__name__
            logger.warning("%s ended: %s", self._thread.name, what)
        finally:
            self._at_end()
