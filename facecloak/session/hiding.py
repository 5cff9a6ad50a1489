"""A source whose pictures go nowhere while the user hides."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from facecloak.core.ports import Source
from facecloak.core.types import Frame


class Hiding:
    """Reads a source and drops what it shows while the user hides, whatever kind of source it is.

    A camera is off meanwhile and shows nothing by itself; a file and the demo go on unseen.

    Args:
        source: what is read; all that it has beside a source's own is had here, too.
        hidden: whether the user hides now.
    """

    def __init__(self, source: Source, hidden: Callable[[], bool]) -> None:
        self._source = source
        self._hidden = hidden

    @property
    def live(self) -> bool:
        """As of the source."""
        return self._source.live

    @property
    def size(self) -> tuple[int, int]:
        """As of the source."""
        return self._source.size

    @property
    def fps(self) -> float:
        """As of the source."""
        return self._source.fps

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame, or None; always None while the user hides. Raises as the source does."""
        frame = self._source.read(timeout_s)
        return None if self._hidden() else frame

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, exc, tb)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        return getattr(self._source, name)
