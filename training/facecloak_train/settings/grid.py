"""What the grid of experiments can be told."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSettings:
    """Run a grid of experiments, on this machine or on a Ray cluster; what is done stays done.

    GRID.toml runs it; `status FOLDER` tells how far it is, also from another terminal;
    `export FOLDER FILE` writes its results as .json or .csv.
    """

    what: tuple[str, ...] = field(metadata={"positional": True})
    """GRID.toml, or status FOLDER, or export FOLDER FILE."""
    out: Path | None = None
    """The grid's folder, with its jobs and their results; runs/NAME of the grid without."""
    engine: str = "local"
    """Where jobs run: local or ray."""
    address: str = ""
    """Of the Ray cluster; without, the one in RAY_ADDRESS, or a new one on this machine."""
    cores: int = 0
    """How many cores jobs may keep busy at once; 0 for all."""
    attempts: int = 3
    """How often a job is tried before it has failed."""
