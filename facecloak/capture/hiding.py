"""A source whose pictures go nowhere while the user hides."""

from collections.abc import Callable

from facecloak.capture.passing import Passing
from facecloak.core.ports import Source
from facecloak.core.types import Frame


class HidingSource(Passing):
    """Drops what the source shows while the user hides, whatever kind of source it is.

    A camera is off meanwhile and shows nothing by itself; a file and the demo go on unseen.

    Args:
        source: entering and leaving opens and closes it.
        hidden: whether the user hides now.
    """

    def __init__(self, source: Source, hidden: Callable[[], bool]) -> None:
        super().__init__(source)
        self._hidden = hidden

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None; always None while the user hides. Raises as the source does."""
        frame = self._source.read(timeout_s)
        return None if self._hidden() else frame
