"""Jobs in the database: what is to be done, in which order, and what became of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final, Literal

from tocco.apps.web.library.database import now
from tocco.errors import ToccoError
from tocco.schema import StrictModel

JobKind = Literal["assess", "compare", "rank"]
State = Literal["queued", "running", "done", "failed", "cancelled"]

MOST_INTERRUPTIONS: Final = 3
"""A job during which the server died so often is not begun again by itself: it may be the reason."""


class JobError(StrictModel):
    """Why a job failed: the parts of a `ToccoError`."""

    subject: str
    problem: str
    allowed: str | None = None
    next_step: str | None = None

    @classmethod
    def of(cls, error: ToccoError) -> JobError:
        """The parts of an error."""
        return cls(
            subject=error.subject, problem=error.problem, allowed=error.allowed, next_step=error.next_step
        )

    @property
    def sentence(self) -> str:
        """As the terminal shows it."""
        error = ToccoError(self.subject, self.problem, allowed=self.allowed, next_step=self.next_step)
        return str(error)


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes
    ----------
    id
    kind
    subject : id of the take that is assessed, or of the result that is made
    state
    place : jobs are begun in this order
    stage : what is being done, while it runs
    done, total : how much of that; 0 where it is not known
    error : None unless it failed
    """

    id: int
    kind: JobKind
    subject: str
    state: State
    place: int
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    error: JobError | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it is not over."""
        return self.state in ("queued", "running")


def job_of(row: sqlite3.Row) -> Job:
    """A job from its row."""
    return Job(
        id=row["id"],
        kind=row["kind"],
        subject=row["subject"],
        state=row["state"],
        place=row["place"],
        stage=row["stage"],
        done=row["done"],
        total=row["total"],
        error=None if row["error"] is None else JobError.model_validate_json(row["error"]),
    )


def add_job(connection: sqlite3.Connection, kind: JobKind, subject: str) -> int:
    """Put a job at the end of the queue, and say its id."""
    cursor = connection.execute(
        "INSERT INTO jobs (kind, subject, state, place) VALUES (?, ?, 'queued', ?)",
        (kind, subject, _last_place(connection)),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def find_job(connection: sqlite3.Connection, subject: str) -> Job | None:
    """The job of a take or a result."""
    row = connection.execute("SELECT * FROM jobs WHERE subject = ?", (subject,)).fetchone()
    return None if row is None else job_of(row)


def all_jobs(connection: sqlite3.Connection) -> dict[str, Job]:
    """Subject -> job."""
    return {row["subject"]: job_of(row) for row in connection.execute("SELECT * FROM jobs")}


def waiting_jobs(connection: sqlite3.Connection) -> list[Job]:
    """Jobs that run, then those that are queued in their order."""
    rows = connection.execute(
        "SELECT * FROM jobs WHERE state IN ('running', 'queued') ORDER BY state = 'queued', place"
    )
    return [job_of(row) for row in rows]


def jobs_before(connection: sqlite3.Connection, job: Job) -> int:
    """How many jobs come before a queued one."""
    count = "SELECT count(*) FROM jobs WHERE state = 'running' OR (state = 'queued' AND place < ?)"
    return connection.execute(count, (job.place,)).fetchone()[0]


def begin_next(connection: sqlite3.Connection) -> Job | None:
    """Mark the first of the queue as running."""
    row = connection.execute("SELECT * FROM jobs WHERE state = 'queued' ORDER BY place LIMIT 1").fetchone()
    if row is None:
        return None
    connection.execute(
        "UPDATE jobs SET state = 'running', stage = 'starting', done = 0, total = 0, error = NULL, "
        "started_at = ?, ended_at = NULL WHERE id = ?",
        (now(), row["id"]),
    )
    return job_of(row)


def set_progress(connection: sqlite3.Connection, job_id: int, stage: str, done: float, total: float) -> None:
    """Say what a running job does."""
    connection.execute(
        "UPDATE jobs SET stage = ?, done = ?, total = ? WHERE id = ? AND state = 'running'",
        (stage, done, total, job_id),
    )


def end_job(connection: sqlite3.Connection, job_id: int, state: State, error: JobError | None = None) -> bool:
    """Say what became of a job that ran, and whether it ran still; it may have been cancelled."""
    cursor = connection.execute(
        "UPDATE jobs SET state = ?, error = ?, ended_at = ?, interruptions = 0 "
        "WHERE id = ? AND state = 'running'",
        (state, None if error is None else error.model_dump_json(), now(), job_id),
    )
    return cursor.rowcount == 1


def cancel_job(connection: sqlite3.Connection, job_id: int) -> bool:
    """Cancel a job that is not over, and say whether that was so."""
    cursor = connection.execute(
        "UPDATE jobs SET state = 'cancelled', ended_at = ? WHERE id = ? AND state IN ('queued', 'running')",
        (now(), job_id),
    )
    return cursor.rowcount == 1


def retry_job(connection: sqlite3.Connection, job_id: int) -> bool:
    """Put a job that failed or was cancelled at the end of the queue, and say whether that was so."""
    cursor = connection.execute(
        "UPDATE jobs SET state = 'queued', place = ?, stage = '', done = 0, total = 0, error = NULL, "
        "interruptions = 0, ended_at = NULL WHERE id = ? AND state IN ('failed', 'cancelled')",
        (_last_place(connection), job_id),
    )
    return cursor.rowcount == 1


def requeue_interrupted(connection: sqlite3.Connection) -> None:
    """Queue again, in their old places, the jobs that ran when the server died.

    One that was interrupted `MOST_INTERRUPTIONS` times fails instead.
    """
    error = JobError(
        subject="this job",
        problem=f"was running {MOST_INTERRUPTIONS} times when the server died",
        next_step="try it again by itself; if the server dies again, lower --memory-limit",
    )
    connection.execute(
        "UPDATE jobs SET interruptions = interruptions + 1 WHERE state = 'running'",
    )
    connection.execute(
        "UPDATE jobs SET state = 'failed', error = ?, ended_at = ? "
        "WHERE state = 'running' AND interruptions >= ?",
        (error.model_dump_json(), now(), MOST_INTERRUPTIONS),
    )
    connection.execute("UPDATE jobs SET state = 'queued', stage = '', done = 0 WHERE state = 'running'")


def requeue_stopped(connection: sqlite3.Connection, job_id: int) -> None:
    """Queue again, in its old place, a job that ended with the server, as it should."""
    connection.execute(
        "UPDATE jobs SET state = 'queued', stage = '', done = 0 WHERE id = ? AND state = 'running'",
        (job_id,),
    )


def remove_job(connection: sqlite3.Connection, subject: str) -> None:
    """Delete the job of a take or a result."""
    connection.execute("DELETE FROM jobs WHERE subject = ?", (subject,))


def _last_place(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT coalesce(max(place), 0) + 1 FROM jobs").fetchone()[0]
