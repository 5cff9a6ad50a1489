"""One job, as a process of its own in a folder of its own: every engine calls this.

A job counts as done when ``result.json`` stands in its folder: written last and in one step, with
the digest of its own content and of every file that the job left. What does not agree with it is
made again. ``lock`` keeps two processes from running one job, also on two machines that share a
file system with locks; ``log.txt`` has what the command said.
"""

import hashlib
import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from facecloak_train.grid import files, identity, process, torchrun
from facecloak_train.grid.expand import Job
from facecloak_train.grid.process import Stop

if sys.platform != "win32":
    import fcntl

RESULT, LOCK, LOG = "result.json", "lock", "log.txt"
_PASSING: Final = re.compile(r"log-\d+\.txt|.*\.part")
"""Files that are no part of a result: what other machines said, and what is half written."""
STOPS_WITHIN_S: Final = 10.0
"""How long a job that shall stop may take before it is killed."""
_LOCK_S: Final = 30.0
"""How long to wait for a process that still runs the job: one that lost its starter ends itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job and where and how to run it.

    Attributes:
        job: what to run.
        root: the grid's folder, on every machine that may run it.
        base: the folder that the grid was started in; reports name files relative to it.
        program: what takes the job's arguments; this Python's ``facecloak_train`` if empty.
        code: the version of the code that the job was planned with.
        fresh: whether to drop what an earlier attempt left; otherwise the command may go on.
        attempt: a name for this attempt, under which the machines of the job meet.
        devices: the GPUs that it alone may use, as CUDA calls them; all with none.
    """

    job: Job
    root: Path
    base: Path
    program: tuple[str, ...]
    code: str
    fresh: bool
    attempt: str = ""
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended.

    Attributes:
        job: its identity.
        host: where it ran.
        result: what it yielded; None if it failed.
        error: why it failed, in one line.
        broken: identities of the earlier jobs whose files are missing or not what they wrote.
    """

    job: str
    host: str
    result: dict[str, Any] | None = None
    error: str = ""
    broken: tuple[str, ...] = ()


class _Fault(Exception):
    """Why a job is not done."""


def perform(work: Work, stop: Stop | None = None, address: str = "127.0.0.1") -> Outcome:
    """Run a job, or take over the result of an earlier attempt. Never raises what a job can cause.

    Args:
        work: what to run.
        stop: lets another thread stop it.
        address: of this machine, for others that ``assist`` with the job.
    """
    host = socket.gethostname()
    job, place = work.job, work.root / work.job.folder
    try:
        _check_place(work, host)
        place.mkdir(parents=True, exist_ok=True)
        with _locked(place / LOCK) as lock:
            found = _kept(place)
            if found is not None:
                return Outcome(job=job.id, host=host, result=found)
            broken = _broken(work)
            if broken:
                what = "what an earlier job wrote is missing or changed; that job is run again"
                return Outcome(job=job.id, host=host, error=what, broken=broken)
            if work.fresh or (place / RESULT).exists():
                _clear(place)
            begun_s = time.monotonic()
            _run(work, place, lock, stop or Stop(), address)
            result = _collected(work, place) | {"seconds": time.monotonic() - begun_s}
            files.write_durably(place / RESULT, _sealed(result))
    except (_Fault, OSError) as exc:
        return Outcome(job=job.id, host=host, error=" ".join(str(exc).split()))
    return Outcome(job=job.id, host=host, result=result)


def _check_place(work: Work, host: str) -> None:
    """Raises _Fault where this machine cannot run jobs of this grid."""
    if not work.root.is_dir():
        msg = f"{host} does not see {work.root}; a grid needs a folder that all machines share"
        raise _Fault(msg)
    if identity.code_version() != work.code:
        msg = f"facecloak on {host} is not the version that the grid was started with"
        raise _Fault(msg + "; start the grid again, or install the same everywhere")


def _run(work: Work, place: Path, lock: int, stop: Stop, address: str) -> None:
    """Run the command. Raises _Fault where it does not end well."""
    kept = () if lock < 0 else (lock,)
    with torchrun.meeting(work.job, _meeting(work), address) as there:
        full = torchrun.program(work.job, _program(work), there)
        why = process.run(full, place / LOG, _environment(work), stop, kept)
    if why:
        raise _Fault(why)


def assist(work: Work, rank: int, stop: Stop | None = None) -> str:
    """Run this machine's part of a job that another machine performs, until that ends.

    Args:
        work: what that machine runs.
        rank: which of the job's machines this is, from 1 on.
        stop: lets another thread end it.

    Returns:
        Why it failed, in one line, or nothing.
    """
    stop = stop or Stop()
    try:
        _check_place(work, socket.gethostname())
        there = torchrun.awaited(_meeting(work), stop)
        if not there:
            return "" if stop.asked else "the machine that performs the job says nothing"
        full = torchrun.program(work.job, _program(work), there, rank)
        log = work.root / work.job.folder / f"log-{rank}.txt"
        return process.run(full, log, _environment(work), stop)
    except (_Fault, OSError) as exc:
        return " ".join(str(exc).split())


def _program(work: Work) -> tuple[str, ...]:
    return work.program or (sys.executable, "-m", "facecloak_train")


def _meeting(work: Work) -> Path:
    """Where the machines of a job find each other: of this attempt alone."""
    return work.root / "meetings" / work.attempt


def _environment(work: Work) -> dict[str, str]:
    told = {"OMP_NUM_THREADS": str(work.job.threads)}
    if work.devices:
        told["CUDA_VISIBLE_DEVICES"] = ",".join(work.devices)
    return told


def _collected(work: Work, place: Path) -> dict[str, Any]:
    """The reports and the digests of all files. Raises _Fault where a report is not whole."""
    reports = {}
    for name in work.job.reports:
        path = place / name
        try:
            text = path.read_text()
            lines = text.splitlines()[-2:] if path.suffix == ".jsonl" else [text]
            told = [json.loads(line) for line in lines]
        except (OSError, ValueError) as exc:
            msg = f"{name} is missing or not whole: {exc}"
            raise _Fault(msg) from exc
        if not told:
            msg = f"{name} is empty"
            raise _Fault(msg)
        short = _without(f"{work.base}{os.sep}", told if path.suffix == ".jsonl" else told[0])
        reports[path.name] = short
    return {"id": work.job.id, "reports": reports, "files": _digests(place)}


def _without(base: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value with the folder left out of all its texts: a result tells nothing of a machine."""
    if isinstance(value, dict):
        return {key: _without(base, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(base, one) for one in value]
    if not isinstance(value, str):
        return value
    return re.sub(rf"(?<![^\s='\"]){re.escape(base)}", "", value)  # where a path begins


def _digests(place: Path) -> dict[str, str]:
    own = {RESULT, LOCK, LOG}
    found = {path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*"))}
    return {
        name: files.digest_of(path)
        for name, path in found.items()
        if path.is_file() and name not in own and not _PASSING.fullmatch(name)
    }


def _sealed(result: dict[str, Any]) -> bytes:
    """A result with the digest of what it says; its rows stay in the order that it tells them."""
    text = json.dumps(result, sort_keys=True)
    seal = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({"sha256": seal, "result": result}).encode()


def _opened(path: Path) -> dict[str, Any] | None:
    """A result as it was sealed, or None: there is none, or not all of it."""
    try:
        told = json.loads(path.read_bytes())
        result: dict[str, Any] = told["result"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return result if json.loads(_sealed(result))["sha256"] == told.get("sha256") else None


def _kept(place: Path) -> dict[str, Any] | None:
    """The result of an earlier attempt, if it and all its files are whole."""
    result = _opened(place / RESULT)
    whole = result is not None and _digests(place) == result["files"]
    return result if whole else None


def _broken(work: Work) -> tuple[str, ...]:
    """The earlier jobs whose files, as far as this job reads them, are not what they wrote."""
    broken = []
    for need in work.job.needs:
        place = work.root / need.folder
        result = _opened(place / RESULT)
        wanted = {
            name: digest
            for name, digest in (result["files"] if result else {}).items()
            if name == need.file or name.startswith(f"{need.file}/")
        }
        whole = all(
            (place / name).is_file() and files.digest_of(place / name) == digest
            for name, digest in wanted.items()
        )
        if not (wanted and whole):
            broken.append(need.job)
    return tuple(dict.fromkeys(broken))


def _clear(place: Path) -> None:
    for path in place.iterdir():
        if path.name not in (LOCK, LOG):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The descriptor of a lock that the job inherits: it is free when both have ended."""
    if sys.platform == "win32":
        yield -1
        return
    with path.open("ab") as file:
        waits = threading.Event()
        deadline_s = time.monotonic() + _LOCK_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    msg = f"another process still runs this job: it holds {path}"
                    raise _Fault(msg) from None
            waits.wait(0.1)
        yield file.fileno()
