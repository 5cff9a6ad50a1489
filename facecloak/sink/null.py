"""Nowhere: what benchmarks and tests write to."""

from types import TracebackType
from typing import Self

from facecloak.core.types import Frame


class NullSink:
    """Takes every frame and keeps none.

    Attributes:
        written: how many frames it took.
    """

    def __init__(self) -> None:
        self.written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None: ...

    def write(self, frame: Frame) -> None:  # noqa: ARG002  the port's argument
        """Count the frame."""
        self.written += 1
