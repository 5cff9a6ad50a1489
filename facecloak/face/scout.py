"""Looks beside the hot path: what a model sees in one view is told a frame or two later."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Scout(Generic[T]):
    """One look at a time, in a thread of its own; further ones are passed over while it looks."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="facecloak-scout")
        self._asked: Future[list[T]] | None = None

    def ask(self, look: Callable[[], list[T]]) -> None:
        """Have ``look`` called, unless an earlier look is not answered yet. Never waits."""
        if self._asked is None:
            self._asked = self._pool.submit(look)

    def answer(self) -> list[T]:
        """What was seen since last asked; nothing while it still looks. Raises what it raised."""
        if self._asked is None or not self._asked.done():
            return []
        done, self._asked = self._asked, None
        return done.result()

    def close(self) -> None:
        """End the thread. A second call does nothing."""
        self._pool.shutdown(wait=True, cancel_futures=True)
