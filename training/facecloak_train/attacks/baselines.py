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


def chessboard(cells: int, eps: float, square: int = 1) -> NDArray[np.float32]:
    """``float32[cells, cells]`` of ``+eps`` and ``-eps`` in turn, ``square`` cells of each."""
    rows, columns = np.indices((cells, cells)) // square
    return (np.where((rows + columns) % 2 == 0, eps, -eps)).astype(np.float32)


def perlin(
    cells: int, eps: float, seed: int, *, octaves: int = 2, period: float = 12.0, waves: float = 2.0
) -> NDArray[np.float32]:
    """``float32[cells, cells]`` of ``+eps`` and ``-eps``, in the winding stripes of Perlin's noise.

    Source: Perlin, "Improving Noise" (SIGGRAPH 2002), summed over octaves and sent through a sine
    as in Co et al., "Procedural Noise Adversarial Examples for Black-Box Attacks on Deep
    Convolutional Networks" (arXiv 1810.00470); the sign of that spends the whole budget.

    Args:
        cells: side.
        eps: amplitude.
        seed: of the gradients.
        octaves: how many noises are summed, each twice as fine as the one before.
        period: side of the first octave's lattice, in cells.
        waves: how many periods of the sine one unit of noise takes: more make finer stripes.
    """
    rng = np.random.default_rng(seed)
    at = (np.arange(cells) + 0.5) / period
    noise = sum(_gradient_noise(at * 2.0**octave, rng) for octave in range(octaves))
    return np.where(np.sin(2.0 * np.pi * waves * noise) >= 0.0, eps, -eps).astype(np.float32)


def _gradient_noise(at: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Perlin's noise at all pairs of the ascending coordinates ``at``, in lattice units."""
    lattice = int(at[-1]) + 2
    angles = rng.uniform(0.0, 2.0 * np.pi, (lattice, lattice))
    whole = at.astype(int)
    part = at - whole
    fade = part**3 * (part * (part * 6.0 - 15.0) + 10.0)

    def corner(down: int, right: int) -> NDArray[np.float64]:
        angle = angles[np.ix_(whole + down, whole + right)]
        rows, columns = (part - down)[:, None], (part - right)[None, :]
        share = np.outer(np.abs(1 - down - fade), np.abs(1 - right - fade))
        slope: NDArray[np.float64] = np.sin(angle) * rows + np.cos(angle) * columns
        return share * slope

    return corner(0, 0) + corner(0, 1) + corner(1, 0) + corner(1, 1)
