"""Says a thing when it changes, not on every frame."""

import logging

logger = logging.getLogger(__name__)


class News:
    """Logs a state when it differs from the one before, with how long that one lasted.

    States are words made here or names of types: no text of an exception, which might hold numbers
    of a face.

    Args:
        topic: what the state is of.
        usual: the state that it begins in, and that is not worth a line then.
    """

    def __init__(self, topic: str, usual: str | None = None) -> None:
        self._topic = topic
        self._state = usual
        self._since_s = 0.0

    def tell(self, state: str, *, now_s: float, level: int = logging.INFO) -> None:
        """Report the present state; silent while it stays the same."""
        if state == self._state:
            return
        if self._state is None:
            logger.log(level, "%s: %s", self._topic, state)
        else:
            lasted_s = now_s - self._since_s
            logger.log(
                level, "%s: %s -> %s after %.1f s", self._topic, self._state, state, lasted_s
            )
        self._state, self._since_s = state, now_s
