"""Rows of faces from several processes at once."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Final, TypeVar

import cv2
import torch

from facecloak_train.run import RunError

Row = dict[str, Any]
Measure = Callable[[Sequence[int]], Iterator[list[Row]]]
"""Takes numbers of faces, gives the row of each, some at once."""

About = TypeVar("About")

_SHARES: Final = 3
"""Into how many shares the faces of a worker are split: what is done is kept, and none waits."""


class _Worker:
    """What a worker measures with, once it has begun."""

    measure: Measure


def side_by_side(
    begin: Callable[[About], Measure], about: About, numbers: Sequence[int], workers: int
) -> Iterator[list[Row]]:
    """Measure faces in processes of their own, each on one core.

    Args:
        begin: called once in each process; a function that can be imported there.
        about: what it is told, which can be pickled.
        numbers: of the faces.
        workers: how many processes.

    Returns:
        The rows, some at once, in the order in which they are done.

    Raises:
        RunError: a process died.
    """
    share = max(1, -(-len(numbers) // (_SHARES * workers)))
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (begin, about)) as pool:
        shares = [
            pool.submit(_measured, numbers[start : start + share])
            for start in range(0, len(numbers), share)
        ]
        try:
            for done in as_completed(shares):
                yield done.result()
        except BrokenProcessPool as exc:
            msg = "a process of --workers died, out of memory perhaps; give fewer, it goes on"
            raise RunError(msg) from exc


def _begin(begin: Callable[[About], Measure], about: About) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _Worker.measure = staticmethod(begin(about))


def _measured(numbers: Sequence[int]) -> list[Row]:
    return [row for rows in _Worker.measure(numbers) for row in rows]
