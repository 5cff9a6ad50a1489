"""Rows of faces from several processes at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Final, TypeVar

import cv2
import torch

from facecloak_train.measure.far_end import Row
from facecloak_train.run import RunError

Measure = Callable[[Sequence[int]], Iterator[list[Row]]]
"""Takes numbers of faces, gives the row of each, some at once."""

About = TypeVar("About")

_SHARES: Final = 3
"""Into how many shares, at least, the faces of a worker are split, so that none waits for long."""
_MOST: Final = 16
"""The most faces of a share, which is kept once it is whole."""


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
    share = min(_MOST, max(1, -(-len(numbers) // (_SHARES * workers))))
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (begin, about))
    try:
        shares = [
            pool.submit(_measured, numbers[start : start + share])
            for start in range(0, len(numbers), share)
        ]
        for done in as_completed(shares):
            yield done.result()
    except BrokenProcessPool as exc:
        msg = "a process of --workers died, out of memory perhaps; give fewer, it goes on"
        raise RunError(msg) from exc
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[[About], Measure], about: About) -> None:
    # Ctrl-C ends a worker at once, and so does the end of who began it, however that came.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    _Worker.measure = staticmethod(begin(about))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _measured(numbers: Sequence[int]) -> list[Row]:
    return [row for rows in _Worker.measure(numbers) for row in rows]
