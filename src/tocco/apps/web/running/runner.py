"""Runs the jobs of a library in their order, at most so many at once, each within its limits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tocco.apps.web.library.jobs import (
    Job,
    JobError,
    begin_next,
    cancel_job,
    end_job,
    find_job,
    requeue_interrupted,
    requeue_stopped,
    retry_job,
    set_progress,
)
from tocco.apps.web.library.library import Library
from tocco.apps.web.library.results import find_result
from tocco.apps.web.library.takes import Take, find_take, set_summary
from tocco.apps.web.running.process import COMMAND, WorkerProcess
from tocco.apps.web.running.tasks import ASSESSED_FOLDER, Said, Task, TaskTake
from tocco.apps.web.settings import Settings
from tocco.cache_folder import cache_folder
from tocco.errors import ToccoError

_LOG: Final = logging.getLogger("tocco.serve")

_WATCH_SEC: Final = 0.1
_IDLE_SEC: Final = 2.0


@dataclass(frozen=True)
class _Running:
    job: Job
    process: WorkerProcess


@dataclass
class Runner:
    """Begins, watches and ends the processes of jobs, in a thread of its own.

    Attributes
    ----------
    library, settings
    command : that runs a worker
    """

    library: Library
    settings: Settings
    command: Sequence[str] = COMMAND
    _running: dict[int, _Running] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _is_ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Queue again what ran when the server died, and begin."""
        with self.library.database.writing() as connection:
            requeue_interrupted(connection)
        self._is_ending.clear()
        self._thread = threading.Thread(target=self._watch, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all processes; their jobs are queued again, in their old places."""
        self._is_ending.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            for one in self._running.values():
                one.process.kill()
                with self.library.database.writing() as connection:
                    requeue_stopped(connection, one.job.id)
            self._running.clear()

    def wake(self) -> None:
        """Look at the queue now: something was added."""
        self._wake.set()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Begin no job and note no end in this block: what is cancelled in it stays so."""
        with self._lock:
            yield

    def cancel(self, subject: str) -> bool:
        """Cancel the job of a take or a result, and say whether it was not over.

        At the return its process has ended.
        """
        with self._lock:
            with self.library.database.writing() as connection:
                job = find_job(connection, subject)
                is_cancelled = job is not None and cancel_job(connection, job.id)
            if job is not None and (one := self._running.pop(job.id, None)) is not None:
                one.process.kill()
        self.wake()
        return is_cancelled

    def retry(self, subject: str) -> bool:
        """Queue again a job that failed or was cancelled, and say whether that was so."""
        with self.library.database.writing() as connection:
            job = find_job(connection, subject)
            is_queued = job is not None and retry_job(connection, job.id)
        self.wake()
        return is_queued

    def _watch(self) -> None:
        while not self._is_ending.is_set():
            try:
                with self._lock:
                    for one in list(self._running.values()):
                        self._look_at(one)
                    while len(self._running) < self.settings.jobs.at_once and self._begin_next():
                        pass
            except (ToccoError, OSError) as error:
                _LOG.error("jobs wait: %s", error)  # a full disk, say; it may have room again later
                self._is_ending.wait(_IDLE_SEC)
            self._wake.wait(_WATCH_SEC if self._running else _IDLE_SEC)
            self._wake.clear()

    def _look_at(self, one: _Running) -> None:
        if one.process.running_sec > self.settings.jobs.time_sec:
            one.process.kill()
            self._end(one, error=self._too_long())
        elif (code := one.process.code()) is not None:
            said = one.process.last
            if said is not None and said.is_done:  # the last thing it says, once all is written
                self._end(one, said)
            else:
                self._end(one, error=_failure(one.job, code, said))

    def _begin_next(self) -> bool:
        with self.library.database.writing() as connection:
            job = begin_next(connection)
        if job is None:
            return False
        try:
            task = self._task(job)
            process = WorkerProcess(task, partial(self._note, job.id), self.command)
        except (ToccoError, OSError) as error:
            problem = f"cannot be begun ({error})"
            failure = JobError(subject="this job", problem=problem, next_step="try it again")
            with self.library.database.writing() as connection:
                end_job(connection, job.id, "failed", failure)
            return True
        self._running[job.id] = _Running(job, process)
        return True

    def _note(self, job_id: int, said: Said) -> None:
        if said.stage is None:
            return
        try:
            with self.library.database.writing() as connection:
                set_progress(connection, job_id, said.stage, said.done, said.total)
        except ToccoError as error:
            _LOG.error("progress is not noted: %s", error)

    def _end(self, one: _Running, said: Said | None = None, error: JobError | None = None) -> None:
        with self.library.database.writing() as connection:
            is_running = end_job(connection, one.job.id, "done" if error is None else "failed", error)
            if is_running and said is not None and said.summary is not None:
                set_summary(connection, one.job.subject, said.summary)
        self._running.pop(one.job.id, None)

    def _too_long(self) -> JobError:
        minutes = self.settings.jobs.time_sec / 60.0
        return JobError(
            subject="this job",
            problem=f"was ended after {minutes:g} min",
            allowed=f"at most {minutes:g} min",
            next_step="give a shorter recording, or start tocco serve with a higher --time-limit",
        )

    def _task(self, job: Job) -> Task:
        with self.library.database.reading() as connection:
            if job.kind == "assess":
                members, by = (job.subject,), "aggregate"
            else:
                result = find_result(connection, job.subject)
                members, by = ((), "") if result is None else (result.takes, result.by)
            takes = [one for take_id in members if (one := find_take(connection, take_id)) is not None]
        if not takes:
            raise ToccoError("this job", "has no take any more", next_step="delete it")
        is_one = job.kind == "assess"
        output = self.library.take_folder(job.subject) / ASSESSED_FOLDER if is_one else None
        return Task(
            kind=job.kind,
            takes=tuple(self._task_take(take) for take in takes),
            output=output or self.library.result_folder(job.subject),
            by=by,
            bundle=self.settings.bundle,
            transcriber=self.settings.transcriber,
            scores_cache=cache_folder(),
            memory_bytes=self.settings.jobs.memory_bytes,
        )

    def _task_take(self, take: Take) -> TaskTake:
        return TaskTake(
            title=take.title,
            folder=self.library.take_folder(take.id),
            files=take.files,
            scores=self.settings.scores if take.score_from == "sought" else None,
        )


def _failure(job: Job, code: int, said: Said | None) -> JobError:
    """Why a process ended before its time."""
    if said is not None and said.error is not None:
        return said.error
    if code < 0:
        return JobError(
            subject="this job",
            problem=f"was ended by signal {-code}, as the system does where memory is short",
            next_step="close other programs and try it again, or give a shorter recording",
        )
    return JobError(
        subject="this job",
        problem="met a fault of tocco; your files are unchanged",
        next_step="try it again; if it fails again, report the details below",
    )
