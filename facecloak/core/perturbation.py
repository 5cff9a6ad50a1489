"""The perturbation file and what it paints: one pattern for every face, a function of time.

    delta(t) = static + cosine * cos(2 pi t / period) + sine * sin(2 pi t / period)

in 8-bit levels, on coarse square grids over the aligned face, enlarged by cubic interpolation, kept
within ``eps`` and faded out by an oval. It is added to blue, green and red alike, so it changes
luma only. The file is safetensors with a JSON header; ``docs/formats.md`` describes it.
"""

import functools
import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from facecloak.core.errors import ArtifactError

FORMAT: Final = 1
TEMPLATE: Final = "fer2013-mesh-1"
"""Name of the aligned-face geometry that a pattern is made for (``core.geometry``)."""
MAX_EPS: Final = 16.0
_KEY: Final = "facecloak"
_REMEDY: Final = "Make it again with `facecloak-train attack`, or reinstall FaceCloak."
_TENSORS: Final = ("static", "cosine", "sine")

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Victim:
    """A classifier that a perturbation was made against.

    Attributes:
        name: as on its card.
        sha256: digest of the weights it was made against.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a perturbation says about itself.

    Attributes:
        eps: largest change of a channel, in 8-bit levels; an L-infinity budget.
        period_s: period of the time-varying part, in seconds.
        template: the aligned-face geometry.
        method: how it was made.
        seed: seed of the random choices.
        datasets: what it was made from.
        victims: what it was made against.
        command: the command that makes it again.
        measured: figures by name, each measured on faces that the attack never saw.
    """

    eps: float
    method: str
    seed: int
    datasets: tuple[str, ...]
    victims: tuple[Victim, ...]
    period_s: float = 1.0
    template: str = TEMPLATE
    command: str = ""
    measured: dict[str, float] = field(default_factory=dict)
    format: int = FORMAT
    norm: str = "linf"

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            msg = f"format {self.format!r} is not {FORMAT}, the one this version reads"
            raise ValueError(msg)
        if self.norm != "linf":
            msg = f"norm {self.norm!r} is not linf"
            raise ValueError(msg)
        if self.template != TEMPLATE:
            msg = f"template {self.template!r} is not {TEMPLATE!r}, the geometry of this version"
            raise ValueError(msg)
        if not (math.isfinite(self.eps) and 0 < self.eps <= MAX_EPS):
            msg = f"eps {self.eps!r} is not within 0..{MAX_EPS:g} levels"
            raise ValueError(msg)
        if not (math.isfinite(self.period_s) and self.period_s > 0):
            msg = f"period_s {self.period_s!r} is not a positive number of seconds"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, eq=False)
class Perturbation:
    """A pattern within its budget.

    Attributes:
        header: what it says about itself.
        static: ``float32[G, G]``, levels.
        cosine: ``float32[K, K]``, levels; amplitude of the even half of the quadrature pair.
        sine: ``float32[K, K]``, levels; of the odd half.

    Raises:
        ValueError: the pattern leaves its own budget at a grid point, or has the wrong form.
    """

    header: Header
    static: Plane
    cosine: Plane = field(default_factory=lambda: np.zeros((1, 1), np.float32))
    sine: Plane = field(default_factory=lambda: np.zeros((1, 1), np.float32))

    def __post_init__(self) -> None:
        for name in _TENSORS:
            plane = getattr(self, name)
            if plane.dtype != np.float32 or plane.ndim != 2 or plane.shape[0] != plane.shape[1]:
                msg = f"{name} must be float32[G, G], is {plane.dtype}{list(plane.shape)}"
                raise ValueError(msg)
            if plane.size == 0 or not np.isfinite(plane).all():
                msg = f"{name} holds no finite pattern"
                raise ValueError(msg)
            plane.flags.writeable = False
        if self.cosine.shape != self.sine.shape:
            msg = f"cosine and sine differ in shape: {self.cosine.shape} and {self.sine.shape}"
            raise ValueError(msg)
        if self.reach < 0.5:
            msg = f"the pattern reaches {self.reach:.3f} levels and would change no pixel"
            raise ValueError(msg)
        if self.reach > self.header.eps * (1 + 1e-6):
            msg = (
                f"the pattern reaches {self.reach:.3f} levels, more than its eps {self.header.eps}"
            )
            raise ValueError(msg)

    @property
    def reach(self) -> float:
        """The most that a grid point can change a pixel at any time, in levels."""
        return float(np.abs(self.static).max() + np.hypot(self.cosine, self.sine).max())

    @property
    def moves(self) -> bool:
        """Whether the pattern changes with time."""
        return bool(self.cosine.any() or self.sine.any())

    def render(self, size_px: int, t_s: float = 0.0) -> Plane:
        """Paint the pattern on the aligned face.

        Args:
            size_px: side of the face square in pixels.
            t_s: the time, in seconds, on any clock that does not jump.

        Returns:
            ``float32[size_px, size_px]``, levels, at most ``header.eps`` everywhere and exactly
            zero outside the oval.
        """
        phase = 2.0 * math.pi * t_s / self.header.period_s
        painted = enlarge(self.static, size_px)
        if self.moves:
            painted = (
                painted
                + math.cos(phase) * enlarge(self.cosine, size_px)
                + math.sin(phase) * enlarge(self.sine, size_px)
            )
        bounded: Plane = np.clip(painted, -self.header.eps, self.header.eps) * oval(size_px)
        return bounded

    def save(self, path: Path) -> None:
        """Write the file in one step. The suffix should be ``.safetensors``."""
        part = path.with_name(path.name + ".part")
        tensors = {name: np.ascontiguousarray(getattr(self, name)) for name in _TENSORS}
        save_file(tensors, part, metadata={_KEY: json.dumps(asdict(self.header))})
        part.replace(path)


def load(path: Path) -> Perturbation:
    """Read a perturbation and check that it keeps what its header promises.

    Raises:
        ArtifactError: the file is missing, damaged, of another format, or leaves its own budget.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            header = _header(json.loads((file.metadata() or {})[_KEY]))
            return Perturbation(header, **{name: file.get_tensor(name) for name in _TENSORS})
    except (OSError, SafetensorError) as exc:
        reason = (
            "there is no such file" if not path.is_file() else "it is damaged or not safetensors"
        )
        msg = f"{path.name} cannot be read as a perturbation: {reason}."
        raise ArtifactError(msg, _REMEDY) from exc
    except (KeyError, TypeError, ValueError) as exc:
        msg = f"{path.name} is not a perturbation that keeps its own header: {exc}."
        raise ArtifactError(msg, _REMEDY) from exc


def _header(fields: dict[str, Any]) -> Header:
    return Header(
        **fields
        | {
            "datasets": tuple(fields["datasets"]),
            "victims": tuple(Victim(**victim) for victim in fields["victims"]),
        }
    )


def enlarge(grid: Plane, size_px: int) -> Plane:
    """Interpolate a square grid, whose points are cell centres, onto a square of pixels.

    Args:
        grid: ``float32[G, G]``.
        size_px: side of the result.

    Returns:
        ``float32[size_px, size_px]``.
    """
    matrix = cubic_matrix(size_px, len(grid))
    enlarged: Plane = matrix @ grid @ matrix.T
    return enlarged


@functools.lru_cache(maxsize=32)
def cubic_matrix(size_px: int, cells: int) -> Plane:
    """The linear map from grid values to pixel values along one axis.

    Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -1/2.
    Training multiplies by the same matrix, so that torch and NumPy paint the same pattern.

    Returns:
        ``float32[size_px, cells]``; every row sums to one.
    """
    at = (np.arange(size_px) + 0.5) * cells / size_px - 0.5
    first = np.floor(at).astype(int)
    matrix = np.zeros((size_px, cells))
    for offset in (-1, 0, 1, 2):
        distance = np.abs(at - (first + offset))
        near = 1.5 * distance**3 - 2.5 * distance**2 + 1.0
        far = -0.5 * distance**3 + 2.5 * distance**2 - 4.0 * distance + 2.0
        weight = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
        np.add.at(matrix, (np.arange(size_px), np.clip(first + offset, 0, cells - 1)), weight)
    result = matrix.astype(np.float32)
    result.flags.writeable = False
    return result


@functools.lru_cache(maxsize=32)
def oval(size_px: int) -> Plane:
    """How much of the pattern a pixel of the aligned face takes: an ellipse with a soft edge.

    Returns:
        ``float32[size_px, size_px]`` in ``[0, 1]``; 1 on the face, exactly 0 in the corners.
    """
    u = (np.arange(size_px) + 0.5) / size_px
    x, y = (u[None, :] - 0.5) / 0.47, (u[:, None] - 0.5) / 0.5
    edge = np.clip((1.0 - np.hypot(x, y)) / 0.15, 0.0, 1.0)
    mask = (edge * edge * (3.0 - 2.0 * edge)).astype(np.float32)
    mask.flags.writeable = False
    return mask
