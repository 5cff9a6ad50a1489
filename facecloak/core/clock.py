"""Time as an argument: a clock is any function that returns seconds and never runs backwards."""

import time
from collections.abc import Callable

Clock = Callable[[], float]

monotonic: Clock = time.monotonic
