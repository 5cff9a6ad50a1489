"""Random search: try changes of a perturbation, keep those that mislead the judges more."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import numpy as np

from facecloak.calibrate.proposals import Proposals
from facecloak.core.perturbation import Perturbation

Gain = Callable[[Perturbation], float]
"""How far one judge is misled; larger is more. Called from several threads."""

CANDIDATES: Final = 4
"""Changes that are tried at once; the best of them may be kept."""
RENEW_EVERY: Final = 30
"""Rounds after which other looks are drawn: a change that helps on a few looks only does not last.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        perturbation: the refined one.
        tried: how many changes were tried.
        kept: how many were kept.
    """

    perturbation: Perturbation
    tried: int = 0
    kept: int = 0


def search(
    start: Perturbation,
    draw: Callable[[], Sequence[Gain]],
    *,
    rng: np.random.Generator,
    spent: Callable[[], float],
    pool: Executor,
    tell: Callable[[Found], None] = lambda _: None,
) -> Found:
    """Refine a perturbation until its time is over.

    All changes of a round are tried on the same looks, so that only the change makes a difference.
    The first judge chooses among them; the others are asked about a change that the first one is
    not less misled by, and it is kept where the sum over all judges grows.

    Args:
        start: where the search begins; it is returned where nothing helps.
        draw: draws new looks, and returns a gain for each judge, the fastest judge first.
        rng: the random choices.
        spent: the share of the search that is over; it ends at 1.
        pool: tries the changes of a round beside each other.
        tell: called after each round.

    Raises:
        ConfigError: neither part of the perturbation can be changed.
        DeviceError: ONNX Runtime failed.
    """
    proposals = Proposals(start, rng)
    found, rounds = Found(start), 0
    gains: Sequence[Gain] = ()
    now: list[float] = []
    while (over := spent()) < 1.0:
        if rounds % RENEW_EVERY == 0:
            gains = draw()
            now = [gain(found.perturbation) for gain in gains]
        rounds += 1
        candidates = [proposals.draw(found.perturbation, over) for _ in range(CANDIDATES)]
        changed, then = _best(candidates, gains, now, pool)
        better = sum(then) > sum(now)
        found = Found(
            changed if better else found.perturbation,
            found.tried + CANDIDATES,
            found.kept + better,
        )
        now = then if better else now
        tell(found)
    return found


def _best(
    candidates: Sequence[Perturbation],
    gains: Sequence[Gain],
    now: Sequence[float],
    pool: Executor,
) -> tuple[Perturbation, list[float]]:
    """The change that misleads the first judge most, and by how much it misleads each of them.

    Where it misleads the first one less than now, the others are not asked, and stay as now.
    """
    first = list(pool.map(gains[0], candidates))
    best = int(np.argmax(first))
    if first[best] < now[0]:
        return candidates[best], [first[best], *now[1:]]
    return candidates[best], [first[best], *(gain(candidates[best]) for gain in gains[1:])]
