"""A number and a time in the pixels of a picture: light and dark blocks in its upper left corner.

They are large enough to be read after a call's video codec, and far from the demo's face.
"""

import zlib
from typing import NamedTuple

import numpy as np

BLOCK_PX = 16
"""Side of a block in a picture of ``WIDTH``; elsewhere in proportion."""
WIDTH = 640
COLUMNS, ROWS = 8, 6
DARK, LIGHT = 40, 200
_BYTES = COLUMNS * ROWS // 8
_STAMP_BITS = 24


class Code(NamedTuple):
    """Which picture it is (0 to 255) and when it was sent, in milliseconds that wrap at 2**24."""

    index: int
    at_ms: int


def now_ms(seconds: float) -> int:
    """A time of a monotonic clock as codes carry it."""
    return int(seconds * 1000) % (1 << _STAMP_BITS)


def elapsed_ms(since: int, until: int) -> int:
    """How long after ``since`` ``until`` is."""
    return (until - since) % (1 << _STAMP_BITS)


def draw(luma, code: Code) -> None:
    """Write ``code`` into ``uint8[H, W]``, W a multiple of 40, in place."""
    body = bytes([code.index]) + code.at_ms.to_bytes(_STAMP_BITS // 8, "big")
    bits = np.unpackbits(np.frombuffer(body + _check(body), np.uint8)).reshape(ROWS, COLUMNS)
    levels = np.where(bits, LIGHT, DARK).astype(np.uint8)
    block = BLOCK_PX * luma.shape[1] // WIDTH
    blocks = levels.repeat(block, axis=0).repeat(block, axis=1)
    luma[: blocks.shape[0], : blocks.shape[1]] = blocks


def read(grey) -> Code | None:
    """What ``uint8[H, W]`` of any size carries; None where it carries nothing that adds up."""
    block = BLOCK_PX * grey.shape[1] / WIDTH
    centres_y = ((np.arange(ROWS) + 0.5) * block).astype(int)
    centres_x = ((np.arange(COLUMNS) + 0.5) * block).astype(int)
    reach = max(1, int(block / 4))
    levels = [
        [grey[y - reach : y + reach, x - reach : x + reach].mean() for x in centres_x]
        for y in centres_y
    ]
    said = np.packbits(np.array(levels) > (DARK + LIGHT) / 2).tobytes()
    body = said[: _BYTES - 2]
    if _check(body) != said[_BYTES - 2 :]:
        return None
    return Code(body[0], int.from_bytes(body[1:], "big"))


def corner(grey):
    """The part of a picture that the code fills."""
    block = BLOCK_PX * grey.shape[1] / WIDTH
    return grey[: int(ROWS * block), : int(COLUMNS * block)]


def _check(body: bytes) -> bytes:
    return (zlib.crc32(b"code" + body) & 0xFFFF).to_bytes(2, "big")
