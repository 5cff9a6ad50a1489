"""How a job becomes processes: one, or several that torchrun starts on one machine or on more.

The machines of a job meet through the grid's folder: the one that performs it writes there where it
listens, the others read it. Each runs torchrun, which starts the processes of its machine.
"""

import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from facecloak_train.grid import files
from facecloak_train.grid.expand import Job
from facecloak_train.grid.process import Stop

_LOOK_S: Final = 0.2
_WAITS_S: Final = 300.0
"""How long the other machines wait for the one that performs a job."""
_MEETS_S: Final = 120
"""How long torchrun waits for all machines."""


def program(job: Job, usual: Sequence[str], there: str, rank: int = 0) -> list[str]:
    """The command line of a job on one of its machines.

    Args:
        job: what to run.
        usual: what takes the job's arguments where it is one process.
        there: host and port at which the machines of the job meet; empty where it has one.
        rank: which of them this is; 0 performs the job.
    """
    if job.processes * job.nodes == 1:
        return [*usual, *job.arguments]
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(job.processes)]
    if job.nodes == 1:
        return [*start, "--standalone", *_body(usual), *job.arguments]
    host, _, port = there.rpartition(":")
    meet = ["--nnodes", str(job.nodes), "--node-rank", str(rank)]
    meet += ["--master-addr", host, "--master-port", port, "--rdzv-conf", f"timeout={_MEETS_S}"]
    return [*start, *meet, *_body(usual), *job.arguments]


def _body(usual: Sequence[str]) -> Sequence[str]:
    """What torchrun runs: it starts a script or a module with this Python, or another program."""
    return usual[1:] if usual[0] == sys.executable else ("--no-python", *usual)


@contextmanager
def meeting(job: Job, path: Path, address: str) -> Iterator[str]:
    """Tell the other machines of a job where this one listens, for as long as the body runs.

    Args:
        job: what they do together.
        path: the file to tell it in.
        address: of this machine.

    Yields:
        Host and port; nothing where the job has one machine, and nobody is told.
    """
    if job.nodes == 1:
        yield ""
        return
    with socket.socket() as free:
        free.bind((address, 0))
        there = f"{address}:{free.getsockname()[1]}"
    path.parent.mkdir(exist_ok=True)
    files.write_durably(path, there.encode())
    try:
        yield there
    finally:
        path.unlink(missing_ok=True)


def awaited(path: Path, stop: Stop) -> str:
    """Where the machine that performs a job listens, once it says so.

    Returns:
        Host and port; nothing after a stop, or where it has said nothing for too long.
    """
    pause, until_s = threading.Event(), time.monotonic() + _WAITS_S
    while not stop.asked and time.monotonic() < until_s:
        if path.is_file():
            return path.read_text()
        pause.wait(_LOOK_S)
    return ""
