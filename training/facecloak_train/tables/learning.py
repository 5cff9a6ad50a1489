"""How trainings went: PublicTest by epoch, a panel for each architecture that has a bar."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from facecloak_train import metrics, run
from facecloak_train.measure import pictures
from facecloak_train.tables.fer2013 import SYSTEMS

ARCHITECTURES: Final = ("vgg19", "resnet18", "resnet14")
"""Those drawn; the name of a run begins with one."""
CAPTION: Final = (
    "PublicTest by epoch, one centre crop, of the trainings whose figures are kept; a dot is the "
    "best epoch. The dotted line is the bar, which asks for PrivateTest with ten crops. Trainings "
    "that start from trained weights begin high; those against attacks are left out."
)

Curve = Sequence[tuple[float, float]]
"""Epochs from 1, and the percent of PublicTest read rightly after each."""


def draw(sources: Sequence[Path], path: Path) -> bool:
    """Draw the runs that the folders among the sources hold.

    Args:
        sources: as of a table; see :func:`gather`.
        path: the .png to write.

    Returns:
        Whether there was a run to draw, and so a picture.

    Raises:
        RunError: the metrics of a run cannot be read.
    """
    curves = gather(sources)
    panels = []
    for architecture in ARCHITECTURES:
        lines = {name: told for name, told in curves.items() if name.startswith(architecture)}
        if lines:
            system = SYSTEMS[architecture]
            bar = {f"bar, {system.bar:g} %\nof PrivateTest": system.bar} if system.bar else {}
            panels.append(pictures.Panel(system.title.partition(",")[0], lines, bar))
    if panels:
        pictures.learning(path, panels, ("epoch", "PublicTest read rightly, %"))
    return bool(panels)


def gather(sources: Sequence[Path]) -> dict[str, Curve]:
    """The curve of each run, by its name; of two with one name the first source's counts.

    Args:
        sources: of folders ``NAME.jsonl``, which is a copy of a run's metrics, and
            ``NAME/metrics.jsonl`` are read; all else is passed over. So is a run of another
            architecture, one that was hardened, and one that tells of no epoch.

    Raises:
        RunError: the metrics of a run cannot be read.
    """
    found: dict[str, Curve] = {}
    for source in (one for one in sources if one.is_dir()):
        named = {path.stem: path for path in source.glob("*.jsonl")}
        named |= {path.parent.name: path for path in source.glob(f"*/{metrics.FILE}")}
        for name in sorted(named):
            if name.startswith(ARCHITECTURES) and name not in found:
                rows = _rows(named[name])
                if rows and not any("public_attacked" in row for row in rows):
                    found[name] = [(float(row["epoch"]), 100 * row["public"]) for row in rows]
    return found


def _rows(path: Path) -> list[Mapping[str, Any]]:
    """Those that tell of an epoch. A last line that a kill cut short is passed over."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
        rows = [json.loads(line) for line in lines if line.endswith(b"\n")]
        return [row for row in rows if row.keys() >= {"epoch", "public"}]
    except (OSError, ValueError, AttributeError) as exc:
        msg = f"{path} tells of no training ({exc}); remove it, or copy its run's metrics anew"
        raise run.RunError(msg) from exc
