"""Which colours a video of a size is in, where nothing says it."""

from typing import Final

_HD: Final = (1280, 577)
"""From this width or height on, in pixels, players take BT.709."""


def is_hd(width: int, height: int) -> bool:
    """Whether players take a video of this size, in pixels, as BT.709; else it is BT.601."""
    return width >= _HD[0] or height >= _HD[1]
