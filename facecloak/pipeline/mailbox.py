"""Hand over, never queue: late pictures are worth less than none."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """One place: the newest item wins, an unread older one is dropped and counted.

    At every moment: taken + ``dropped`` + ``unread`` = put.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._dropped = 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """How many items nobody took."""
        with self._changed:
            return self._dropped

    @property
    def unread(self) -> int:
        """How many items wait to be taken: 0 or 1."""
        with self._changed:
            return int(self._item is not None)

    @property
    def closed(self) -> bool:
        """Whether no further item can come."""
        with self._changed:
            return self._closed

    def put(self, item: T) -> None:
        """Hand over an item, never waiting. Once closed, the item itself is dropped."""
        with self._changed:
            if self._closed:
                self._dropped += 1
                return
            self._dropped += self._item is not None
            self._item = item
            self._changed.notify()

    def take(self, timeout_s: float | None = None) -> T | None:
        """Wait for an item; None when the time is up, or when it is closed and empty.

        Args:
            timeout_s: longest wait in seconds; None waits until an item comes or it is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Take no more items and wake whoever waits; one that is unread can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
