"""What sources that stand before another one have in common."""

from types import TracebackType
from typing import Any, Self

from facecloak.core.ports import Source


class Passing:
    """Opens and closes another source, and has all that it has beside a source's own.

    Args:
        source: entering and leaving opens and closes it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.live = source.live

    @property
    def size(self) -> tuple[int, int]:
        """Of the source."""
        return self._source.size

    @property
    def fps(self) -> float:
        """Of the source."""
        return self._source.fps

    def __enter__(self) -> Self:
        self._source.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._source.__exit__(kind, exc, tb)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the source has
        return getattr(self._source, name)
