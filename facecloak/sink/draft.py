"""A file that stands under its name only once it is whole."""

import os
from pathlib import Path

from facecloak.core.errors import SinkUnavailable


class Draft:
    """A hidden file beside the final one, made on the spot.

    Args:
        final: the name it will have.

    Attributes:
        path: the name it has until then; it ends in the final suffix.

    Raises:
        SinkUnavailable: the folder is missing or cannot be written, or ``final`` is a folder.
    """

    def __init__(self, final: Path) -> None:
        self._final = final
        self.path = final.with_name(f".{final.stem}.{os.getpid()}.part{final.suffix}")
        if final.is_dir():
            msg = f"{final} is a folder."
            raise SinkUnavailable(msg, "Name a file.")
        try:
            self.path.touch()
        except OSError as exc:
            raise cannot_write(final, exc) from exc

    def keep(self) -> None:
        """Give it its name, in place of what stood there. Raises SinkUnavailable."""
        try:
            self.path.replace(self._final)
        except OSError as exc:
            self.drop()
            raise cannot_write(self._final, exc) from exc

    def drop(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)


def cannot_write(path: Path, exc: OSError) -> SinkUnavailable:
    """What is told when the system refuses to write ``path``."""
    if isinstance(exc, FileNotFoundError):
        remedy = f"Make the folder {path.parent} first."
        return SinkUnavailable(f"{path} cannot be written: there is no such folder.", remedy)
    remedy = "Free some space, or name a folder that you may write to."
    return SinkUnavailable(f"{path} cannot be written: {exc.strerror or exc}.", remedy)
