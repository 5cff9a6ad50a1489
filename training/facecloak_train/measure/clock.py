"""How soon an attack fools how much, timed so that looking at it costs it nothing."""

import logging
import time
from collections.abc import Callable

import torch
from torch import Tensor

logger = logging.getLogger(__name__)


class Clock:
    """The seconds that an attack takes, and what it reached.

    Attributes:
        reached: of each look, the seconds until then and the share that was fooled.

    Args:
        rate: tells how much a perturbation fools; while it works, the clock stands.
        cuda: whether there is a GPU to wait for.
    """

    def __init__(self, rate: Callable[[Tensor], float], *, cuda: bool) -> None:
        self.reached: list[tuple[float, float]] = []
        self._rate = rate
        self._cuda = cuda
        self._before = 0.0
        self._since = time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has worked so far."""
        if self._cuda:
            torch.cuda.synchronize()
        return self._before + time.perf_counter() - self._since

    def look(self, perturbation: Tensor) -> None:
        """Measure a perturbation as it is now."""
        self._before = self.seconds
        self.reached.append((self._before, self._rate(perturbation)))
        logger.info("  %.1f s: %.1f %% of held-out faces", self._before, 100 * self.reached[-1][1])
        self._since = time.perf_counter()
