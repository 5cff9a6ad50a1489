"""The end of an output that whoever watches it chose."""

from facecloak.core.errors import SinkUnavailable


class SinkClosed(SinkUnavailable):
    """The window was closed, or the reader of the pipe has gone. Not a fault: time to stop."""
