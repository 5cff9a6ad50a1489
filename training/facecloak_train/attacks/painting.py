"""The differentiable form of what the live compositor does to an aligned face crop."""

import torch
from torch import Tensor
from torch.nn import functional

from facecloak.core.perturbation import cubic_matrix, oval

_FINE = 4
"""How much finer than the crop the pattern is painted: a live crop is shrunk from the frame."""


class Painter:
    """Paints coarse grids on face crops.

    Args:
        cells: side of the grid.
        face_px: side of the crops.
        eps: budget in 8-bit levels.
        device: where the crops are.
    """

    def __init__(self, cells: int, face_px: int, eps: float, device: torch.device) -> None:
        fine_px = face_px * _FINE
        self._eps = eps
        self._matrix = torch.tensor(cubic_matrix(fine_px, cells), device=device)
        self._oval = torch.tensor(oval(fine_px), device=device)

    def pattern(self, grid: Tensor) -> Tensor:
        """The mean pattern over each crop pixel, in levels: ``float32[face_px, face_px]``."""
        fine = (self._matrix @ grid @ self._matrix.T).clamp(-self._eps, self._eps) * self._oval
        return functional.avg_pool2d(fine[None], _FINE)[0]

    def cloak(self, faces: Tensor, grid: Tensor) -> Tensor:
        """Add the pattern.

        Args:
            faces: ``float32[N, 1, face_px, face_px]`` in ``[0, 1]``.
            grid: ``float32[cells, cells]``, levels.

        Returns:
            Faces of the same form, rounded to 8 bits with the gradient passed straight through.
        """
        exact = (faces + self.pattern(grid) / 255.0).clamp(0.0, 1.0)
        rounded = (exact * 255.0).round() / 255.0
        return exact + (rounded - exact).detach()
