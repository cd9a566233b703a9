"""What the routes answer with: takes and results as scripts see them."""

from __future__ import annotations

from typing import Any, Final

from tocco.apps.web.library.jobs import Job, State
from tocco.apps.web.library.takes import Take
from tocco.apps.web.running.tasks import STAGES
from tocco.schema import StrictModel


class Problem(StrictModel):
    """Why a request is refused."""

    error: str
    """The whole sentence."""

    subject: str
    """What it is about."""

    problem: str
    """What is wrong with it."""

    allowed: str | None
    """What would be right."""

    next_step: str | None
    """What to do."""


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        400: "The request was cut off, or its Content-Length is wrong",
        401: "Login is needed",
        403: "The request comes from another site",
        404: "There is no such thing",
        408: "The request sent nothing for too long",
        409: "Not in this state",
        411: "The size is not announced",
        413: "Too large",
        415: "A kind of file that is not read",
        421: "Not a name of this server",
        422: "A value is not allowed",
        429: "Too many requests",
        507: "The disk is full",
    }.items()
}
"""What every route may answer besides."""


class Progress(StrictModel):
    """How far a job is."""

    state: State
    """What has become of it."""

    stage: str
    """What it does; empty unless it runs."""

    stage_name: str
    """The same in words."""

    done: float
    """How much of the stage is done."""

    total: float
    """How much there is; 0 where that is not known."""

    n_before: int
    """Jobs that come first."""

    error: str | None
    """Why it failed."""

    @classmethod
    def of(cls, job: Job, n_before: int = 0) -> Progress:
        """The progress of a job."""
        return cls(
            state=job.state,
            stage=job.stage,
            stage_name={**STAGES}.get(job.stage, ""),  # type: ignore[call-overload]
            done=job.done,
            total=job.total,
            n_before=n_before,
            error=None if job.error is None else job.error.sentence,
        )


class TakeAnswer(StrictModel):
    """A take."""

    id: str
    title: str
    piece: str
    played_on: str
    files: dict[str, str]
    """Kind -> name."""

    aggregate: float | None
    """Weighted mean of the ratings; null until it is assessed, and where the assessment abstains."""

    ratings: dict[str, float]
    """Dimension -> rating."""

    progress: Progress

    @classmethod
    def of(cls, take: Take, job: Job, n_before: int = 0) -> TakeAnswer:
        """A take with its job."""
        return cls(
            id=take.id,
            title=take.title,
            piece=take.piece,
            played_on=take.played_on,
            files={file.kind: file.name for file in take.files},
            aggregate=None if take.summary is None else take.summary.aggregate,
            ratings={} if take.summary is None else take.summary.ratings,
            progress=Progress.of(job, n_before),
        )


class DeletedAnswer(StrictModel):
    """What was deleted."""

    n_files: int
    n_bytes: int
    n_results: int
    """Comparisons and rankings that showed it."""

    sentence: str
    """The same in words."""
