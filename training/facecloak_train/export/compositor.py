"""The compositor as two ONNX graphs, for machines on which the picture lies on the GPU.

They do what ``facecloak.cloak.opencv_cloak`` does, with its interpolation: positions are rounded to
1/32 of a pixel, as OpenCV rounds them.

    face     picture, levels, steps, shift, three matrices -> picture, levels     once for each face
    finish   picture, levels, budget -> picture                                   once
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import onnx
import torch
from torch import Tensor, nn

from facecloak.cloak.dose import ZERO
from facecloak_train.export.onnx_export import forget_origin

_OPSET: Final = 18
_FRACTIONS: Final = 32.0


class CloakFace(nn.Module):
    """Moves one face, and adds its pattern to the levels of the picture."""

    def forward(
        self,
        picture: Tensor,
        levels: Tensor,
        steps: Tensor,
        steps_per_level: Tensor,
        shift: Tensor,
        places: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Cloak.

        Args:
            picture: ``uint8[H, W, 3]``.
            levels: ``float32[H, W]``, what the faces before add.
            steps: ``uint8[S, S]``, see ``facecloak.cloak.dose``.
            steps_per_level: ``float32[]``.
            shift: ``float32[F, F, 2]``, face widths.
            places: ``float32[3, 2, 3]``: pattern_from_frame, field_from_frame, and
                frame_from_face, of which the shift is not used.

        Returns:
            ``uint8[H, W, 3]`` and ``float32[H, W]``.
        """
        height, width = picture.shape[0], picture.shape[1]
        rows = torch.arange(height, device=picture.device, dtype=torch.float32)
        columns = torch.arange(width, device=picture.device, dtype=torch.float32)
        y = rows[:, None].expand(height, width).reshape(-1)
        x = columns[None, :].expand(height, width).reshape(-1)

        u, v = _apply(places[0], x, y)
        step = _sampled(steps.float()[..., None] - ZERO, u, v, outside_is_zero=True)[:, 0]
        added = (step.round() / steps_per_level).round()

        u, v = _apply(places[1], x, y)
        moved = _sampled(shift, u, v, outside_is_zero=True, exactly=True)
        to_x = x + places[2, 0, 0] * moved[:, 0] + places[2, 0, 1] * moved[:, 1]
        to_y = y + places[2, 1, 0] * moved[:, 0] + places[2, 1, 1] * moved[:, 1]
        shown = _sampled(picture.float(), to_x, to_y, outside_is_zero=False)
        return (
            (shown + 0.5).floor().clamp(0.0, 255.0).to(torch.uint8).reshape(height, width, 3),
            levels + added.reshape(height, width),
        )


class Finish(nn.Module):
    """Adds the levels within the budget; 0 and 255 are never left."""

    def forward(self, picture: Tensor, levels: Tensor, budget: Tensor) -> Tensor:
        """Return ``uint8[H, W, 3]`` from ``uint8[H, W, 3]``, ``float32[H, W]``, ``float32[]``."""
        within = torch.minimum(torch.maximum(levels, -budget), budget)
        return (picture.float() + within[..., None]).clamp(0.0, 255.0).to(torch.uint8)


def _apply(matrix: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2],
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2],
    )


def _sampled(
    values: Tensor, x: Tensor, y: Tensor, *, outside_is_zero: bool, exactly: bool = False
) -> Tensor:
    """Bilinear samples: ``float32[N, C]`` of ``float32[H, W, C]`` at ``float32[N]`` positions.

    Outside lies zero, or the border goes on. By gathering, which every provider can do.
    """
    height, width = values.shape[0], values.shape[1]
    if not exactly:
        x, y = (x * _FRACTIONS).round() / _FRACTIONS, (y * _FRACTIONS).round() / _FRACTIONS
    left, top = x.floor(), y.floor()
    total = torch.zeros_like(x)[:, None] * values[0, 0]
    flat = values.reshape(height * width, values.shape[2])
    for down in (0.0, 1.0):
        for right in (0.0, 1.0):
            column, row = left + right, top + down
            weight = (1.0 - (x - column).abs()) * (1.0 - (y - row).abs())
            inside_x, inside_y = column.clamp(0.0, width - 1.0), row.clamp(0.0, height - 1.0)
            if outside_is_zero:
                weight = weight * ((inside_x == column) & (inside_y == row)).float()
            at = (inside_y * width + inside_x).long()
            total = total + weight[:, None] * flat[at]
    return total


def write(folder: Path) -> None:
    """Write ``face.onnx`` and ``finish.onnx`` into ``folder``, each in one step."""
    height, width = (torch.export.Dim(name, min=2, max=8192) for name in ("height", "width"))
    pattern = torch.export.Dim("pattern", min=2, max=4096)
    field = torch.export.Dim("field", min=2, max=1024)
    frame = {0: height, 1: width}
    picture, levels = torch.zeros(12, 16, 3, dtype=torch.uint8), torch.zeros(12, 16)
    steps = torch.full((8, 8), ZERO, dtype=torch.uint8)
    places = torch.zeros(3, 2, 3)
    _write(
        CloakFace(),
        (picture, levels, steps, torch.ones(()), torch.zeros(6, 6, 2), places),
        (frame, frame, {0: pattern, 1: pattern}, {}, {0: field, 1: field}, {}),
        ["picture_out", "levels_out"],
        folder / "face.onnx",
    )
    _write(
        Finish(),
        (picture, levels, torch.ones(())),
        (frame, frame, {}),
        ["picture_out"],
        folder / "finish.onnx",
    )


def _write(
    module: nn.Module,
    inputs: tuple[Tensor, ...],
    dimensions: tuple[Mapping[int, object], ...],
    outputs: list[str],
    path: Path,
) -> None:
    program = torch.onnx.export(
        module,
        inputs,
        dynamo=True,
        opset_version=_OPSET,
        output_names=outputs,
        dynamic_shapes=dimensions,
        verbose=False,
    )
    if program is None:
        msg = "torch exported nothing"
        raise RuntimeError(msg)
    model = program.model_proto
    del model.graph.value_info[:]
    forget_origin(model)
    onnx.checker.check_model(model)
    part = path.with_name(path.name + ".part")
    part.write_bytes(model.SerializeToString())
    part.replace(path)
