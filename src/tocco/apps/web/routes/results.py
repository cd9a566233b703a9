"""Comparisons and rankings for scripts: make, look at, cancel, retry, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from tocco.apps.web.library.database import now
from tocco.apps.web.library.jobs import find_job, jobs_before
from tocco.apps.web.library.results import Result, ResultKind, find_result
from tocco.apps.web.library.takes import ID_PATTERN, find_take, new_id
from tocco.apps.web.refusals import RefusedError, not_found
from tocco.apps.web.routes.answers import ERRORS, DeletedAnswer, Progress
from tocco.apps.web.routes.takes import deleted_answer
from tocco.apps.web.services import Services, Shared
from tocco.errors import UsageError
from tocco.rubrics import DIMENSIONS
from tocco.schema import StrictModel

router = APIRouter(prefix="/api/results", tags=["results"], responses=ERRORS)

ResultId = Annotated[str, Path(pattern=ID_PATTERN)]

MOST: dict[ResultKind, int] = {"compare": 12, "rank": 200}
"""Takes that each kind shows."""

BY: tuple[str, ...] = ("aggregate", *DIMENSIONS)
"""What takes can be ranked by."""


class NewResult(StrictModel):
    """A comparison or a ranking to be made."""

    kind: ResultKind
    """Which."""

    takes: Annotated[
        tuple[Annotated[str, Field(pattern=ID_PATTERN)], ...],
        Field(min_length=2, max_length=max(MOST.values())),
    ]
    """Takes that are assessed; those of a comparison in the order in time."""

    by: str = "aggregate"
    """What is ranked by: aggregate, or a dimension."""


class ResultAnswer(StrictModel):
    """A comparison or a ranking."""

    id: str
    kind: ResultKind
    title: str
    takes: tuple[str, ...]
    progress: Progress


@router.post("", status_code=201)
def make_result(new: NewResult, shared: Shared) -> ResultAnswer:
    """Queue a comparison or a ranking."""
    takes = tuple(dict.fromkeys(new.takes))
    if not 2 <= len(takes) <= MOST[new.kind]:
        raise UsageError(
            "takes", f"are {len(takes)}", allowed=f"2 to {MOST[new.kind]}", next_step="choose again"
        )
    if new.by not in BY:
        raise UsageError("by", f"is {new.by!r}", allowed=", ".join(BY), next_step="choose one of these")
    titles = tuple(_assessed_title(shared, take_id) for take_id in takes)
    result = Result(new_id(), new.kind, new.by, now(), takes, titles)
    shared.library.add_result(result)
    shared.runner.wake()
    return result_answer(shared, result.id)


@router.get("/{result_id}")
def show_result(result_id: ResultId, shared: Shared) -> ResultAnswer:
    """A comparison or a ranking, and how far it is."""
    return result_answer(shared, result_id)


@router.post("/{result_id}/cancel")
def cancel_result(result_id: ResultId, shared: Shared) -> ResultAnswer:
    """Cancel one; its process has ended at the answer."""
    result_answer(shared, result_id)
    if not shared.runner.cancel(result_id):
        raise RefusedError(409, "result", "is not being made", next_step="load the page again")
    return result_answer(shared, result_id)


@router.post("/{result_id}/retry")
def retry_result(result_id: ResultId, shared: Shared) -> ResultAnswer:
    """Make again what failed or was cancelled."""
    result_answer(shared, result_id)
    if not shared.runner.retry(result_id):
        raise RefusedError(
            409, "result", "has not failed and was not cancelled", next_step="load the page again"
        )
    return result_answer(shared, result_id)


@router.delete("/{result_id}")
def delete_result(result_id: ResultId, shared: Shared) -> DeletedAnswer:
    """Delete a comparison or a ranking; its takes stay."""
    result = found_result(shared, result_id)
    with shared.runner.paused():
        shared.runner.cancel(result_id)
        deleted = shared.library.delete_result(result_id)
    return deleted_answer(result.title, deleted)


def found_result(shared: Services, result_id: str) -> Result:
    """A result.

    Raises
    ------
    RefusedError
        There is none of this id.
    """
    with shared.library.database.reading() as connection:
        result = find_result(connection, result_id)
    if result is None:
        raise not_found("result")
    return result


def result_answer(shared: Services, result_id: str) -> ResultAnswer:
    """A result with its job.

    Raises
    ------
    RefusedError
        There is none of this id.
    """
    with shared.library.database.reading() as connection:
        result, job = find_result(connection, result_id), find_job(connection, result_id)
        if result is None or job is None:
            raise not_found("result")
        progress = Progress.of(job, jobs_before(connection, job))
    return ResultAnswer(
        id=result.id, kind=result.kind, title=result.title, takes=result.takes, progress=progress
    )


def _assessed_title(shared: Services, take_id: str) -> str:
    with shared.library.database.reading() as connection:
        take = find_take(connection, take_id)
    if take is None:
        raise not_found("take")
    if take.summary is None:
        raise UsageError(
            take.title, "is not assessed yet", next_step="wait for its assessment, or leave it out"
        )
    return take.title
