"""What tables can be told."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """Put what was measured beside what is published, as Markdown and as a picture.

    `results` writes all tables, and puts each into the page where the page has a pair of lines for
    it, `<!-- table fer2013 -->` and `<!-- end of table -->`.
    """

    runs: tuple[Path, ...]
    """Where reports are: folders of grids, what `grid export` wrote as .json, folders with
    SYSTEM/score.json, SYSTEM/robustness.json, SYSTEM/compare.json, DATASET/NET/score.json and
    DATASET/attack.json, RUN.jsonl and RUN/metrics.jsonl. Where several tell of a system, the first
    counts."""
    out: Path
    """The .md to write, a .png goes beside it, and another with the curves of runs whose metrics
    there are; for `results` the page, tables and pictures go into the folder beside it that has its
    name."""
