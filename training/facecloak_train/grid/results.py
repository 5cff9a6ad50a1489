"""What the store tells: of each finished job, and of how many are in which state."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a finished job yielded.

    Attributes:
        id: of the job.
        stage, command, labels: as in its grid; see ``expand.Job``.
        folder: where its files lie.
        host: where it ran.
        seconds: how long.
        reports: the content of each JSON file that it wrote, by the file's name.
    """

    id: str
    stage: str
    command: str
    labels: dict[str, Any]
    folder: Path
    host: str
    seconds: float
    reports: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many jobs of a stage are in a state, and how long the finished ones took, on average."""

    stage: str
    state: str
    jobs: int
    seconds: float
