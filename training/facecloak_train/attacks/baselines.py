"""Perturbations that know nothing of any classifier: what an attack must beat at the same budget.

On small images they are strong: a chessboard at 10/255 takes a CIFAR-10 ResNet18 from 94 to 14 %
(github.com/kenny-co/sgd-uap-torch, notebooks).
"""

import numpy as np
from numpy.typing import NDArray


def random_sign(cells: int, eps: float, seed: int) -> NDArray[np.float32]:
    """``float32[cells, cells]`` of ``+eps`` and ``-eps`` by the toss of a coin."""
    coin = np.random.default_rng(seed).integers(0, 2, (cells, cells))
    return ((2 * coin - 1) * eps).astype(np.float32)


def chessboard(cells: int, eps: float) -> NDArray[np.float32]:
    """``float32[cells, cells]`` of ``+eps`` and ``-eps`` in turn."""
    rows, columns = np.indices((cells, cells))
    return (np.where((rows + columns) % 2 == 0, eps, -eps)).astype(np.float32)
