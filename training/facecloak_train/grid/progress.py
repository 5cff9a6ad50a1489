"""How far a grid is: for the one that runs it, and for who looks from another terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tqdm import tqdm

from facecloak_train.grid.results import Count
from facecloak_train.grid.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many jobs are in which state, and how long the rest will take.

    Attributes:
        done, running, waiting, failed: jobs.
        left_s: seconds, if as many jobs go on running as do now and jobs of a stage take as long
            as those before; None while nothing is known of a stage, or nothing runs.
    """

    done: int
    running: int
    waiting: int
    failed: int
    left_s: float | None

    @property
    def jobs(self) -> int:
        """All of them."""
        return self.done + self.running + self.waiting + self.failed


def tally(counts: Sequence[Count]) -> Tally:
    """What the counts of a grid's stages come to."""
    total = {"done": 0, "running": 0, "waiting": 0, "failed": 0}
    for one in counts:
        total[one.state] += one.jobs
    taken = {one.stage: one.seconds for one in counts if one.state == "done"}
    left = {one.stage for one in counts if one.state in ("waiting", "running")}
    left_s = None
    if total["running"] and left <= set(taken):
        to_do = (one for one in counts if one.state in ("waiting", "running"))
        left_s = sum(one.jobs * taken[one.stage] for one in to_do) / total["running"]
    return Tally(**total, left_s=left_s)


def told(store: Store, grid: str) -> str:
    """How far a grid is, as lines for people: the whole, each stage, and each failure."""
    counts = store.counts(grid)
    whole = tally(counts)
    left = "" if whole.left_s is None else f", about {_duration(whole.left_s)} left"
    lines = [f"{grid}: {_line(whole)}{left}"]
    for stage in dict.fromkeys(one.stage for one in counts):
        part = tally([one for one in counts if one.stage == stage])
        seconds = next((c.seconds for c in counts if (c.stage, c.state) == (stage, "done")), None)
        each = "" if seconds is None else f", {_duration(seconds)} each"
        lines.append(f"  {stage}: {_line(part)}{each}")
    lines += [f"  failed: {folder}: {error}" for folder, error in store.failures(grid)]
    return "\n".join(lines)


def _line(told_of: Tally) -> str:
    others = {"running": told_of.running, "waiting": told_of.waiting, "failed": told_of.failed}
    parts = [f"{count} {name}" for name, count in others.items() if count]
    return ", ".join([f"{told_of.done} of {told_of.jobs} done", *parts])


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


class Bar:
    """A progress bar of jobs. A context manager.

    Args:
        grid: its name.
        jobs: how many there are.
    """

    def __init__(self, grid: str, jobs: int) -> None:
        self._bar = tqdm(total=jobs, desc=grid, unit="job", smoothing=0.05)
        self._begun = False

    def __call__(self, counts: Mapping[str, int]) -> None:
        """Show how many jobs are in which state."""
        done = counts.get("done", 0)
        if not self._begun:  # what was done before tells nothing of the pace
            self._bar.initial = self._bar.n = done
            self._begun = True
        self._bar.update(done - self._bar.n)
        shown = {name: counts[name] for name in ("running", "failed") if counts.get(name)}
        self._bar.set_postfix(shown, refresh=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._bar.close()
