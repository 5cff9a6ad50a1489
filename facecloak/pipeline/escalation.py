"""What to do while a classifier still reads the face: more strength, then another perturbation."""

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from facecloak.core.types import Verdict
from facecloak.pipeline.guard import FOOLED_AT_LEAST

STEP: Final = 0.25
"""By how much the strength is raised at once."""
WINDOW_S: Final = 3.0
"""For how long a classifier must have read the face before a step, in seconds."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to cloak.

    Attributes:
        perturbation: its name.
        strength: factor on it.
    """

    perturbation: str
    strength: float


def ladder(
    perturbation: str, strength: float, *, highest: float, others: Sequence[str]
) -> tuple[Rung, ...]:
    """The ways to cloak, in the order in which they are tried.

    Args:
        perturbation: what the user chose.
        strength: likewise.
        highest: how far it may be raised by itself; a strength above stays as it is.
        others: names of further perturbations, each tried at the highest strength.
    """
    steps = max(0, math.ceil((highest - strength) / STEP - 1e-9))
    strengths = [strength, *(min(strength + STEP * n, highest) for n in range(1, steps + 1))]
    return tuple(Rung(perturbation, one) for one in strengths) + tuple(
        Rung(other, strengths[-1]) for other in others if other != perturbation
    )


class _Reader:
    """One classifier's readings of one face: since when without a gap, and the latest of them."""

    def __init__(self, since_s: float) -> None:
        self._since_s = self._last_s = since_s
        self._ballots: deque[tuple[float, bool]] = deque(maxlen=1024)

    def hear(self, at_s: float, *, fooled: bool) -> None:
        if at_s - self._last_s > WINDOW_S:
            self.begin(at_s)
        if at_s >= self._since_s:
            self._last_s = at_s
            self._ballots.append((at_s, fooled))

    def begin(self, at_s: float) -> None:
        """Forget what was read before."""
        self._since_s = self._last_s = at_s
        self._ballots.clear()

    def reads(self, now_s: float) -> bool:
        """Whether it was not fooled for most of a whole window."""
        while self._ballots and now_s - self._ballots[0][0] > WINDOW_S:
            self._ballots.popleft()
        fooled = sum(fooled for _, fooled in self._ballots)
        return now_s - self._since_s >= WINDOW_S and fooled < FOOLED_AT_LEAST * len(self._ballots)


class Escalation:
    """Climbs one rung whenever some classifier read some face for some seconds. Pure.

    Args:
        rungs: from ``ladder``; begins at the first one.
    """

    def __init__(self, rungs: Sequence[Rung]) -> None:
        self._rungs = tuple(rungs)
        self._at = 0
        self._readers: dict[tuple[str, int], _Reader] = {}

    @property
    def rung(self) -> Rung:
        """Where it stands."""
        return self._rungs[self._at]

    @property
    def exhausted(self) -> bool:
        """Whether there is no further rung."""
        return self._at == len(self._rungs) - 1

    def hear(self, verdicts: Iterable[Verdict], now_s: float) -> Rung | None:
        """Take verdicts on what is sent; return the rung to climb to, or None to stay.

        Verdicts on a frame from before the last climb do not count.
        """
        if self.exhausted:
            return None
        for verdict in verdicts:
            who = (verdict.classifier, verdict.track)
            reader = self._readers.setdefault(who, _Reader(verdict.at_s))
            reader.hear(verdict.at_s, fooled=verdict.fooled)
        if not any(reader.reads(now_s) for reader in self._readers.values()):
            return None
        self._at += 1
        for reader in self._readers.values():
            reader.begin(now_s)
        return self.rung
