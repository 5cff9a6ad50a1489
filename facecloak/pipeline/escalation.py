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


class Escalation:
    """Climbs one rung whenever some classifier read some face for some seconds. Pure.

    Args:
        rungs: from ``ladder``; begins at the first one.
    """

    def __init__(self, rungs: Sequence[Rung]) -> None:
        self._rungs = tuple(rungs)
        self._at = 0
        self._began_s: float | None = None
        self._ballots: deque[Verdict] = deque(maxlen=4096)

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
        for verdict in verdicts:
            if self._began_s is None:
                self._began_s = verdict.at_s
            if verdict.at_s >= self._began_s:
                self._ballots.append(verdict)
        if self.exhausted or self._began_s is None or not now_s - self._began_s >= WINDOW_S:
            return None
        while self._ballots and now_s - self._ballots[0].at_s > WINDOW_S:
            self._ballots.popleft()
        if not self._read():
            return None
        self._at += 1
        self._began_s = now_s
        self._ballots.clear()
        return self.rung

    def _read(self) -> bool:
        """Whether some classifier was not fooled about some face for most of the window."""
        readers: dict[tuple[str, int], list[bool]] = {}
        for ballot in self._ballots:
            readers.setdefault((ballot.classifier, ballot.track), []).append(ballot.fooled)
        return any(sum(fooled) < FOOLED_AT_LEAST * len(fooled) for fooled in readers.values())
