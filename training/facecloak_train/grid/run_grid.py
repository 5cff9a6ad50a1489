"""Run a grid of experiments, or look at one.

    facecloak-train grid training/grids/fer2013.toml --out runs/fer2013
    facecloak-train grid status runs/fer2013
    facecloak-train grid export runs/fer2013 results.csv

Reads the grid and says all that is wrong with it before anything starts; then runs what is not yet
done. ``docs/grid.md`` has the form of a grid and what happens on faults.
"""

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from facecloak.core.errors import ConfigError, FaceCloakError
from facecloak_train.grid.commands import Commands
from facecloak_train.grid.drive import Terms, drive
from facecloak_train.grid.engine import Engine
from facecloak_train.grid.expand import expand
from facecloak_train.grid.export import export
from facecloak_train.grid.identity import code_version
from facecloak_train.grid.local_engine import LocalEngine
from facecloak_train.grid.progress import Bar, told
from facecloak_train.grid.reading import read
from facecloak_train.grid.store import FILE, Store
from facecloak_train.settings import GridSettings

logger = logging.getLogger(__name__)


class JobsFailed(FaceCloakError):
    """Some jobs of a grid failed; the others are done."""


def run_grid(settings: GridSettings, commands: Commands) -> None:
    """Do what the settings ask for.

    Args:
        settings: what to do, with which grid, and how.
        commands: the settings of each command of ``facecloak-train``, by its name.

    Raises:
        ConfigError: the grid has faults, or nothing that can be done is asked for.
        ArtifactError: the store cannot be used.
        JobsFailed: jobs failed for good.
    """
    match settings.what:
        case ("status", folder):
            _status(Path(folder))
        case ("export", folder, out):
            with _existing(Path(folder)) as store:
                count = export(store.results(), Path(out))
            logger.info("%d results in %s", count, out)
        case ("run", file) | (file,) if file not in ("run", "status", "export"):
            _run(Path(file), settings, commands)
        case _:
            msg = f"`grid {' '.join(settings.what)}` is not understood."
            raise ConfigError(msg, "Give GRID.toml, status FOLDER, or export FOLDER FILE.")


def _run(file: Path, settings: GridSettings, commands: Commands) -> None:
    faults = []
    if settings.engine not in ("local", "ray"):
        faults.append(f"there is no engine {settings.engine!r}; there are local, ray")
    if settings.attempts < 1 or settings.cores < 0:
        faults.append("--attempts is 1 or more, --cores 0 or more")
    if sys.platform == "win32":
        faults.append("a grid runs on Linux and macOS only")
    if faults:
        raise ConfigError("; ".join(faults) + ".")
    plan = read(file, commands)
    root = (settings.out or Path("runs") / plan.name).absolute()
    code = code_version()
    jobs = expand(plan, root, code)
    terms = Terms(root=root, base=Path.cwd(), code=code, attempts=settings.attempts)
    with Store(root) as store:
        engine = _engine(settings)
        with ends_as_interrupt(), Bar(plan.name, len(jobs)) as bar:  # Ray has a handler, too
            counts = drive(store, plan.name, jobs, engine, terms, bar)
        logger.info("%s", told(store, plan.name))
    if counts["done"] < len(jobs):
        left = len(jobs) - counts["done"] - counts["failed"]
        msg = f"{counts['failed']} jobs failed, and {left} need what these would have written."
        raise JobsFailed(msg, f"{root / 'jobs'} has their logs; the same command tries them again.")


def _engine(settings: GridSettings) -> Engine:
    if settings.engine == "local":
        return LocalEngine(settings.cores)
    from facecloak_train.grid.ray_engine import RayEngine

    return RayEngine(settings.address, settings.cores)


def _status(folder: Path) -> None:
    with _existing(folder) as store:
        for grid in store.grids():
            logger.info("%s", told(store, grid))


def _existing(folder: Path) -> Store:
    if not (folder / FILE).is_file():
        msg = f"There is no {folder / FILE}."
        raise ConfigError(msg, "Give the folder of a grid that was run.")
    return Store(folder)


@contextmanager
def ends_as_interrupt() -> Iterator[None]:
    """SIGTERM ends this process as Ctrl-C does: jobs are stopped and given back."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
