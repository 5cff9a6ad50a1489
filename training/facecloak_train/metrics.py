"""What a run tells of its epochs: ``metrics.jsonl``, and the same for TensorBoard."""

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from facecloak_train.run import write_atomically

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what TensorBoard's own dependencies will drop
    from torch.utils.tensorboard import SummaryWriter

FILE = "metrics.jsonl"
_BOARD = "tensorboard"


class Metrics:
    """Rows of a run, in the order of its epochs. A context manager: leaving closes the files.

    A run that goes on drops what was told of epochs that it will see again.

    Args:
        folder: of the run; `tensorboard --logdir` takes it, or a folder of runs.
        after_epoch: the epochs up to this one are kept.
    """

    def __init__(self, folder: Path, after_epoch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        if self._path.is_file():
            lines = self._path.read_text().splitlines(keepends=True)
            kept = [one for one in lines if json.loads(one).get("epoch", math.inf) <= after_epoch]
            write_atomically(self._path, "".join(kept).encode())
        self._board: Any = SummaryWriter(str(folder / _BOARD), purge_step=after_epoch + 1)

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
