"""The differentiable form of what the live compositor does to an aligned face crop."""

import torch
from torch import Tensor
from torch.nn import functional

from facecloak.core.displacement import window
from facecloak.core.interpolation import cubic_matrix, oval

_FINE = 4
"""How much finer than the crop the pattern is painted: a live crop is shrunk from the frame."""


class Painter:
    """Moves face crops within themselves and paints coarse grids on them.

    Args:
        face_px: side of the crops.
        eps: budget of the pattern in 8-bit levels.
        device: where the crops are.
    """

    def __init__(self, face_px: int, eps: float, device: torch.device) -> None:
        self._face_px = face_px
        self._eps = eps
        self._oval = torch.tensor(oval(face_px * _FINE), device=device)
        self._window = torch.tensor(window(face_px * _FINE), device=device)
        centres = (torch.arange(face_px, device=device) + 0.5) / face_px
        self._at = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)

    def pattern(self, grid: Tensor) -> Tensor:
        """The mean pattern over each crop pixel, in levels.

        Args:
            grid: ``float32[G, G]``, levels.

        Returns:
            ``float32[face_px, face_px]``.
        """
        fine = self._enlarged(grid[None]).clamp(-self._eps, self._eps) * self._oval
        return functional.avg_pool2d(fine, _FINE)[0]

    def shift(self, field: Tensor) -> Tensor:
        """The mean shift of each crop pixel, in face widths.

        Args:
            field: ``float32[2, D, D]``, see ``facecloak.core.displacement``.

        Returns:
            ``float32[face_px, face_px, 2]``.
        """
        fine = self._enlarged(field) * self._window
        return functional.avg_pool2d(fine, _FINE).permute(1, 2, 0)

    def cloak(self, faces: Tensor, grid: Tensor, field: Tensor) -> Tensor:
        """Move the faces, then add the pattern.

        Moving interpolates cubically: the live compositor works on finer pixels than these, so
        that it blurs them less than linear interpolation would here.

        Args:
            faces: ``float32[N, 1, face_px, face_px]`` in ``[0, 1]``.
            grid: ``float32[G, G]``, levels.
            field: ``float32[2, D, D]``, face widths.

        Returns:
            Faces of the same form, rounded to 8 bits with the gradient passed straight through.
        """
        at = (2.0 * (self._at + self.shift(field)) - 1.0).expand(len(faces), -1, -1, -1)
        moved = functional.grid_sample(
            faces, at, mode="bicubic", padding_mode="border", align_corners=False
        )
        exact = (moved + self.pattern(grid) / 255.0).clamp(0.0, 1.0)
        rounded = (exact * 255.0).round() / 255.0
        return exact + (rounded - exact).detach()

    def _enlarged(self, grids: Tensor) -> Tensor:
        matrix = torch.tensor(
            cubic_matrix(self._face_px * _FINE, grids.shape[-1]), device=grids.device
        )
        return matrix @ grids @ matrix.T
