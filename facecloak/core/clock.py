"""Time as an argument: a clock is any function that returns seconds and never runs backwards."""

import time
from collections.abc import Callable

Clock = Callable[[], float]

monotonic: Clock = time.perf_counter
"""``time.monotonic`` moves in steps of 16 ms on Windows."""
