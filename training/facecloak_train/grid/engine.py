"""What an engine is to a grid: places where jobs run."""

from typing import Protocol

from facecloak_train.grid.work import Outcome, Work


class Engine(Protocol):
    """Runs jobs; one thread uses it. A job that it took comes back once, as an outcome."""

    def cores(self) -> int:
        """How many cores there are now, at least one; they may come and go."""
        ...

    def gpus(self) -> int:
        """How many GPUs there are for jobs that want some to themselves."""
        ...

    def start(self, work: Work) -> None:
        """Run a job as soon as there is room. Does not wait."""
        ...

    def next(self, timeout_s: float) -> Outcome | None:
        """The next job that ended; None when the time is up."""
        ...

    def stop(self) -> None:
        """Stop all jobs, wait until none runs, and free what the engine holds."""
        ...
