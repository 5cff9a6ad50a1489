"""Perturbations as files: safetensors with a JSON header, described in ``docs/formats.md``.

Older formats are read as if they were of today's. ``core.bank`` is what reads and writes whole
files.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from facecloak.core.errors import ArtifactError
from facecloak.core.interpolation import Plane
from facecloak.core.perturbation import (
    BANK_FORMAT,
    FORMAT,
    Circle,
    Header,
    Perturbation,
    Victim,
    check_grid,
)

OWN: Final = ("static", "displacement")
"""What a file holds of each perturbation."""
SHARED: Final = ("circle",)
"""What it holds once, for all of them."""
_NOW: Final = {1: FORMAT, 2: FORMAT, 3: BANK_FORMAT, FORMAT: FORMAT, BANK_FORMAT: BANK_FORMAT}
"""The formats that are read, and what they are today."""
_DISPLACED: Final = 2
"""From which format on there is a displacement."""
_PAIR: Final = ("cosine", "sine")
"""What changed with time before there was a circle."""
_PAIR_FPS: Final = 30
"""How many frames a second a pair becomes."""
_PAIR_LEAST: Final = 4
"""How many it becomes at least: fewer lose one half of it."""
_KEY: Final = "facecloak"
_REMEDY: Final = "Make it again with `facecloak-train attack`, or reinstall FaceCloak."


class Held:
    """The tensors of an open file.

    Attributes:
        own: names of those that it should hold of each perturbation, after a prefix.
        shared: of those that it should hold once.
        names: what it does hold.
    """

    def __init__(self, file: Any, of_format: int) -> None:  # noqa: ANN401 - safetensors'
        self._file = file
        self.own: tuple[str, ...] = OWN
        self.shared: tuple[str, ...] = SHARED
        if of_format < FORMAT:
            moved = ("displacement",) if of_format >= _DISPLACED else ()
            self.own, self.shared = ("static", *_PAIR, *moved), ()
        self.names = frozenset(file.keys())

    def member(self, header: Header, prefix: str = "") -> Perturbation:
        """One perturbation. Raises ValueError where it does not keep what the header promises."""
        tensors = {name: self._file.get_tensor(prefix + name) for name in self.own} | self._common
        if not self.shared:
            cosine, sine = (tensors.pop(name) for name in _PAIR)
            tensors["circle"] = _circle_of(cosine, sine, header.period_s)
        return Perturbation(header, **tensors)

    @functools.cached_property
    def _common(self) -> dict[str, NDArray[np.float32]]:
        return {name: self._file.get_tensor(name) for name in self.shared}


def _circle_of(cosine: Plane, sine: Plane, period_s: float) -> Circle:
    """The frames of a quadrature pair, ``cosine cos(2 pi t / period) + sine sin(...)``."""
    for name, grid in zip(_PAIR, (cosine, sine), strict=True):
        check_grid(name, grid, "float32[K, K]", ())
    count = max(_PAIR_LEAST, round(_PAIR_FPS * period_s)) if cosine.any() or sine.any() else 1
    phases = 2.0 * np.pi * np.arange(count)[:, None, None] / count
    frames: Circle = (np.cos(phases) * cosine + np.sin(phases) * sine).astype(np.float32)
    return frames


def write(path: Path, header: Header, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Write a header and tensors in one step. Raises OSError, also where the disk is full."""
    fields = asdict(header)
    if header.format != BANK_FORMAT:
        del fields["answers"], fields["selector"]
    part = path.with_name(path.name + ".part")
    whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    try:
        save_file(whole, part, metadata={_KEY: json.dumps(fields)})
        part.replace(path)
    except (SafetensorError, OSError) as exc:
        part.unlink(missing_ok=True)
        msg = f"{path} cannot be written ({exc}); make room, or allow writing there"
        raise OSError(msg) from exc


@contextmanager
def reading(path: Path) -> Iterator[tuple[Header, Held]]:
    """The header of a file, as if it was of today's format, and its tensors.

    Raises ArtifactError where it cannot be read, or the caller raises ValueError over it.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            fields = json.loads((file.metadata() or {})[_KEY])
            if (of_format := fields["format"]) not in _NOW:
                msg = f"format {of_format!r} is not one of {', '.join(map(str, _NOW))}"
                raise ValueError(msg)  # noqa: TRY301 - told as any other lie below
            yield _header(fields | {"format": _NOW[of_format]}), Held(file, of_format)
    except (OSError, SafetensorError) as exc:
        reason = "it is damaged or not safetensors" if path.is_file() else "there is no such file"
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
            "answers": tuple(fields.get("answers", ())),
        }
    )
