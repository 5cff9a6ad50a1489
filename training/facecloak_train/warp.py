"""The torch form of the aligned-face warp; ``facecloak.core.geometry`` is the NumPy form.

Both follow one pixel convention: pixel ``i`` has its centre at coordinate ``i``, as in OpenCV.
A matrix named ``a_from_b`` takes points of ``b`` to points of ``a``: ``p_a = a_from_b @ p_b``.
"""

import torch
from torch import Tensor
from torch.nn import functional


def warp(images: Tensor, images_from_out: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample each image bilinearly on the pixel grid of the output.

    Args:
        images: ``float32[N, C, H, W]``.
        images_from_out: ``float32[N, 2, 3]``, takes an output pixel to the input position that it
            shows (what ``cv2.warpAffine`` calls ``WARP_INVERSE_MAP``).
        size: output height and width in pixels.

    Returns:
        ``float32[N, C, *size]``; positions outside an image repeat its border.
    """
    height, width = size
    rows = torch.arange(height, dtype=images.dtype, device=images.device)
    columns = torch.arange(width, dtype=images.dtype, device=images.device)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1).reshape(-1, 3)
    at = points @ images_from_out.transpose(1, 2)
    in_height, in_width = images.shape[-2:]
    across, down = (at + 0.5).unbind(-1)
    grid = torch.stack([across * (2.0 / in_width) - 1.0, down * (2.0 / in_height) - 1.0], dim=-1)
    grid = grid.reshape(-1, height, width, 2)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
