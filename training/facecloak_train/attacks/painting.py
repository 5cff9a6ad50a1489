"""The differentiable form of what the live compositor does to an aligned face crop."""

import functools

import torch
from torch import Tensor
from torch.nn import functional

from facecloak.core.displacement import window
from facecloak.core.interpolation import cubic_matrix, oval

_FINE = 4
"""How much finer than the crop the pattern is painted: a live crop is shrunk from the frame."""

_SAMPLED = 2
"""How much finer the moved face is sampled, likewise."""


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
        self._matrix = functools.lru_cache(self._cubic)
        self._oval = torch.tensor(oval(face_px * _FINE), device=device)
        self._window = torch.tensor(window(face_px * _FINE), device=device)
        sampled_px = face_px * _SAMPLED
        centres = (torch.arange(sampled_px, device=device) + 0.5) / sampled_px
        self._at = torch.stack(torch.meshgrid(centres, centres, indexing="xy"), dim=-1)
        self._enlarging = torch.tensor(cubic_matrix(sampled_px, face_px), device=device)

    def pattern(self, grid: Tensor, beside: Tensor | None = None) -> Tensor:
        """The mean pattern over each crop pixel, in levels.

        Args:
            grid: ``float32[G, G]`` or ``float32[N, G, G]``, levels.
            beside: ``float32[K, K]``, levels: added to each before the sum is kept in the budget.

        Returns:
            ``float32[face_px, face_px]`` or ``float32[N, face_px, face_px]``.
        """
        fine = self._enlarged(grid)
        if beside is not None:
            fine = fine + self._enlarged(beside)
        fine = fine.clamp(-self._eps, self._eps) * self._oval
        return functional.avg_pool2d(fine[None], _FINE)[0]

    def shift(self, field: Tensor, size_px: int) -> Tensor:
        """The mean shift of each pixel, in face widths.

        Args:
            field: ``float32[2, D, D]`` or ``float32[N, 2, D, D]``, face widths; see
                ``facecloak.core.displacement``.
            size_px: side of the face in pixels; divides ``4 * face_px``.

        Returns:
            ``float32[size_px, size_px, 2]``, or as many as there are fields.
        """
        fine = self._enlarged(field) * self._window
        return functional.avg_pool2d(fine, self._face_px * _FINE // size_px).movedim(-3, -1)

    def cloak(self, faces: Tensor, grid: Tensor, field: Tensor) -> Tensor:
        """Move the faces, then add the pattern.

        Args:
            faces: ``float32[N, 1, face_px, face_px]`` in ``[0, 1]``.
            grid: ``float32[G, G]`` or ``float32[N, G, G]``, levels, of each face its own.
            field: ``float32[2, D, D]`` or ``float32[N, 2, D, D]``, face widths, likewise.

        Returns:
            Faces of the same form, rounded to 8 bits with the gradient passed straight through.
        """
        changed = self.pattern(grid)[..., None, :, :] / 255.0
        if field.requires_grad or field.any():
            changed = changed + self._motion(faces, field)
        exact = (faces + changed).clamp(0.0, 1.0)
        rounded = (exact * 255.0).round() / 255.0
        return exact + (rounded - exact).detach()

    def _motion(self, faces: Tensor, field: Tensor) -> Tensor:
        """What moving changes, sampled finer than the crop so that it blurs as little as live."""
        large = self._enlarging @ faces @ self._enlarging.T
        at = 2.0 * (self._at + self.shift(field, large.shape[-1])) - 1.0
        moved = functional.grid_sample(
            large,
            at.expand(len(faces), -1, -1, -1),
            mode="bilinear",
            padding_mode="border",
            align_corners=False,
        )
        return functional.avg_pool2d(moved - large, _SAMPLED)

    def _enlarged(self, grids: Tensor) -> Tensor:
        matrix = self._matrix(grids.shape[-1])
        return matrix @ grids @ matrix.T

    def _cubic(self, cells: int) -> Tensor:
        return torch.tensor(cubic_matrix(self._face_px * _FINE, cells), device=self._oval.device)
