"""A job ends with the process that started it, however that ends."""

import os
import threading
from typing import Final

VARIABLE: Final = "FACECLOAK_TRAIN_LEASH"
"""Set where standard input is the other end of a pipe that the starter holds."""
_CUT: Final = 75
"""Exit code, EX_TEMPFAIL: nobody reads it but a log."""


def follow() -> None:
    """Watch standard input from now on; when it ends, so does this process, at once.

    A starter that was killed cannot stop its jobs, but the kernel closes its pipes. Nothing is
    cleaned up, which is what a killed run has to stand anyway.
    """
    if VARIABLE in os.environ:
        threading.Thread(target=_watch, name="leash", daemon=True).start()


def _watch() -> None:
    while os.read(0, 1):
        pass
    os._exit(_CUT)
