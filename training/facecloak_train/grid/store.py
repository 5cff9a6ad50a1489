"""The one place where a grid's states and results lie: ``grid.sqlite`` in its folder.

Every change is one transaction, so that what is told is whole. A job belongs to the process that
changed its state from waiting to running, for as long as that renews its lease; another may take
over a job whose lease ran out. The file is for processes of one machine; jobs, wherever they run,
do not touch it.
"""

import json
import sqlite3
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from facecloak.core.errors import ArtifactError
from facecloak_train.grid.expand import Job
from facecloak_train.grid.results import Count, Result

FILE: Final = "grid.sqlite"
_FORMAT: Final = 1
_PATIENCE_S: Final = 60.0
"""How long a transaction waits for another process's."""

_TABLES: Final = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    stage TEXT NOT NULL,
    command TEXT NOT NULL,
    arguments TEXT NOT NULL,
    labels TEXT NOT NULL,
    folder TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease REAL,
    host TEXT,
    started REAL,
    ended REAL,
    result TEXT CHECK (state != 'done' OR result IS NOT NULL),
    error TEXT
) WITHOUT ROWID;
CREATE TABLE members (
    grid TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES jobs,
    place INTEGER NOT NULL,
    PRIMARY KEY (grid, job)
) WITHOUT ROWID;
CREATE INDEX owners ON jobs (owner) WHERE owner IS NOT NULL;
"""


class Store:
    """States and results of a folder's grids. A context manager: leaving closes the file.

    Args:
        folder: of the grids; made if it is missing.

    Raises:
        ArtifactError: the file is broken or of another version, or there is no room to write; the
            text says what to do. Every method may.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / FILE
        folder.mkdir(parents=True, exist_ok=True)
        with self._told():
            self._base = sqlite3.connect(self._path, timeout=_PATIENCE_S, isolation_level=None)
        try:
            with self._told():
                self._open()
        except BaseException:
            self._base.close()
            raise

    def _open(self) -> None:
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            (found,) = self._base.execute("PRAGMA user_version").fetchone()
            if found == 0:
                for statement in _TABLES.split(";\n"):
                    self._base.execute(statement)
                self._base.execute(f"PRAGMA user_version = {_FORMAT}")
            elif found != _FORMAT:
                msg = f"{self._path} has format {found}; this version reads {_FORMAT}."
                raise ArtifactError(msg, "Give another --out.")

    def register(self, grid: str, jobs: Iterable[Job]) -> None:
        """Say which jobs a grid has. New ones wait, failed ones wait again, others stay.

        A job that stands already is called as the grid calls it now.
        """
        listed = list(jobs)
        with self._told(), self._transaction():
            self._base.execute("DELETE FROM members WHERE grid = ?", (grid,))
            self._base.executemany(
                "INSERT INTO jobs (id, stage, command, arguments, labels, folder)"
                " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET stage = excluded.stage, labels = excluded.labels",
                (
                    (
                        job.id,
                        job.stage,
                        job.command,
                        json.dumps(job.arguments),
                        json.dumps(dict(job.labels)),
                        job.folder,
                    )
                    for job in listed
                ),
            )
            self._base.executemany(
                "INSERT INTO members VALUES (?, ?, ?)",
                ((grid, job.id, place) for place, job in enumerate(listed)),
            )
            self._base.execute(
                "UPDATE jobs SET state = 'waiting', attempts = 0, error = NULL"
                " WHERE state = 'failed' AND id IN (SELECT job FROM members WHERE grid = ?)",
                (grid,),
            )

    def states(self, jobs: Container[str]) -> dict[str, str]:
        """The state of each of the jobs; one whose lease ran out is waiting."""
        with self._told():
            rows = self._base.execute(
                "SELECT id, CASE WHEN state = 'running' AND lease < ? THEN 'waiting' ELSE state END"
                " FROM jobs",
                (_now(),),
            ).fetchall()
        return {job: state for job, state in rows if job in jobs}

    def claim(self, job: str, owner: str, lease_s: float) -> int:
        """Take a waiting job; its attempt, counted from one, or 0 where another has it."""
        now = _now()
        with self._told():
            row = self._base.execute(
                "UPDATE jobs SET state = 'running', owner = ?, lease = ?, started = ?,"
                " ended = NULL, attempts = attempts + 1 WHERE id = ?"
                " AND (state = 'waiting' OR (state = 'running' AND lease < ?)) RETURNING attempts",
                (owner, now + lease_s, now, job, now),
            ).fetchall()
        return int(row[0][0]) if row else 0

    def renew(self, owner: str, lease_s: float) -> None:
        """Keep what an owner has."""
        with self._told():
            self._base.execute(
                "UPDATE jobs SET lease = ? WHERE owner = ? AND state = 'running'",
                (_now() + lease_s, owner),
            )

    def finish(self, job: str, owner: str, host: str, result: Mapping[str, Any]) -> bool:
        """Keep a job's result; False where the owner has lost it to another meanwhile."""
        return self._end(job, owner, "done", host, json.dumps(dict(result)), None)

    def fail(self, job: str, owner: str, host: str, error: str, *, again: bool) -> bool:
        """Note why a job failed; it waits for another attempt, or has failed for good."""
        return self._end(job, owner, "waiting" if again else "failed", host, None, error)

    def _end(
        self, job: str, owner: str, state: str, host: str, result: str | None, error: str | None
    ) -> bool:
        with self._told():
            done = self._base.execute(
                "UPDATE jobs SET state = ?, host = ?, result = ?, error = ?, ended = ?,"
                " owner = NULL, lease = NULL WHERE id = ? AND owner = ? AND state = 'running'",
                (state, host, result, error, _now(), job, owner),
            )
            return done.rowcount == 1

    def release(self, owner: str) -> None:
        """Give back what an owner has not finished, as if it had not been tried."""
        with self._told():
            self._base.execute(
                "UPDATE jobs SET state = 'waiting', attempts = attempts - 1, owner = NULL,"
                " lease = NULL WHERE owner = ? AND state = 'running'",
                (owner,),
            )

    def reopen(self, job: str) -> None:
        """Let a finished job wait again: what it had written is no longer there, or not whole."""
        with self._told():
            self._base.execute(
                "UPDATE jobs SET state = 'waiting', attempts = 0, result = NULL"
                " WHERE id = ? AND state = 'done'",
                (job,),
            )

    def grids(self) -> list[str]:
        """The names of the grids that were run in this folder."""
        with self._told():
            rows = self._base.execute("SELECT DISTINCT grid FROM members ORDER BY grid")
            return [name for (name,) in rows.fetchall()]

    def counts(self, grid: str) -> list[Count]:
        """How many jobs of a grid are in which state, by stage, in the order of the stages."""
        with self._told():
            rows = self._base.execute(
                "SELECT stage, state, count(*),"
                " coalesce(avg(json_extract(result, '$.seconds')), 0)"
                " FROM jobs JOIN members ON job = id WHERE grid = ?"
                " GROUP BY stage, state ORDER BY min(place)",
                (grid,),
            ).fetchall()
        return [Count(stage=a, state=b, jobs=c, seconds=d) for a, b, c, d in rows]

    def failures(self, grid: str) -> list[tuple[str, str]]:
        """Where each failed job of a grid ran, and why it failed."""
        with self._told():
            return self._base.execute(
                "SELECT folder, error FROM jobs JOIN members ON job = id"
                " WHERE grid = ? AND state = 'failed' ORDER BY place",
                (grid,),
            ).fetchall()

    def results(self, grid: str | None = None) -> Iterator[Result]:
        """What the finished jobs yielded: of one grid, in its order, or of all.

        A job that no grid has any more, such as one of code that was edited since, is left out.
        """
        with self._told():
            rows = self._base.execute(
                "SELECT id, stage, command, labels, folder, host, result"
                " FROM jobs JOIN members ON job = id"
                " WHERE state = 'done' AND (?1 IS NULL OR grid = ?1)"
                " GROUP BY id ORDER BY min(grid), min(place)",
                (grid,),
            ).fetchall()
        for number, stage, command, labels, folder, host, text in rows:
            result = json.loads(text)
            yield Result(
                id=number,
                stage=stage,
                command=command,
                labels=json.loads(labels),
                folder=self._folder / folder,
                host=host,
                seconds=result["seconds"],
                reports=result["reports"],
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            msg = f"{self._path} cannot be used: {exc}."
            remedy = "Make room if the disk is full; otherwise move the file away."
            saved = "Finished jobs are taken over from their folders."
            raise ArtifactError(msg, f"{remedy} {saved}") from exc

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._base.close()


def _now() -> float:
    """Seconds since 1970: leases are compared between processes, and outlive a boot."""
    return datetime.now(UTC).timestamp()
