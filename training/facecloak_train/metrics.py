"""What a run tells of its epochs: ``metrics.jsonl``, and the same for TensorBoard."""

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from facecloak_train.run import RunError, write_atomically

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what TensorBoard's own dependencies will drop
    from torch.utils.tensorboard import SummaryWriter

FILE = "metrics.jsonl"
_BOARD = "tensorboard"


class Metrics:
    """Rows of a run, in the order of its epochs. A context manager: leaving closes the files.

    A run that goes on drops what was told of epochs that it will see again, and a last row that a
    kill cut short.

    Args:
        folder: of the run; `tensorboard --logdir` takes it, or a folder of runs.
        after_epoch: the epochs up to this one are kept.

    Raises:
        RunError: the rows that there are cannot be read.
    """

    def __init__(self, folder: Path, after_epoch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        if self._path.is_file():
            lines = self._path.read_bytes().splitlines(keepends=True)
            whole = [line for line in lines if line.endswith(b"\n")]
            kept = [
                line
                for number, line in enumerate(whole, 1)
                if self._epoch(line, number) <= after_epoch
            ]
            write_atomically(self._path, b"".join(kept))
        self._board: Any = SummaryWriter(str(folder / _BOARD), purge_step=after_epoch + 1)

    def _epoch(self, line: bytes, number: int) -> float:
        """The epoch that a row tells of; one that tells of the whole run belongs to its end."""
        try:
            return float(json.loads(line).get("epoch", math.inf))
        except (ValueError, TypeError, AttributeError) as exc:
            msg = f"{self._path}, line {number} is no row of a run's epochs; remove that line, and "
            raise RunError(msg + "give the same command again") from exc

    def add(self, row: Mapping[str, float | int | str], epoch: int) -> None:
        """Tell a row: all of it in the file, its numbers on the board at ``epoch``."""
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        for name, value in row.items():
            if name != "epoch" and not isinstance(value, str):
                self._board.add_scalar(name, value, epoch)
        self._board.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._board.close()
