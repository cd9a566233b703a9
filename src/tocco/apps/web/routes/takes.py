"""Takes for scripts: make, look at, change, cancel, retry, export, delete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path
from pydantic import AfterValidator, Field
from starlette.responses import Response

from tocco.apps.web.library.database import now
from tocco.apps.web.library.export import zipped
from tocco.apps.web.library.jobs import all_jobs, find_job, jobs_before
from tocco.apps.web.library.library import Deleted
from tocco.apps.web.library.scores import ListedScore, listed_scores
from tocco.apps.web.library.takes import (
    ID_PATTERN,
    LONGEST_TITLE,
    StoredFile,
    Take,
    all_takes,
    change_take,
    find_take,
    new_id,
)
from tocco.apps.web.library.uploads import Upload, find_upload
from tocco.apps.web.refusals import RefusedError, not_found
from tocco.apps.web.routes.answers import ERRORS, DeletedAnswer, TakeAnswer
from tocco.apps.web.services import Services, Shared
from tocco.errors import UsageError
from tocco.files import file_name
from tocco.schema import StrictModel

router = APIRouter(prefix="/api", tags=["takes"], responses=ERRORS)

TakeId = Annotated[str, Path(pattern=ID_PATTERN)]


def _visible(text: str) -> str:
    stripped = " ".join(text.split())
    if stripped and not stripped.isprintable():
        raise ValueError("has characters that nobody sees")
    return stripped


Text = Annotated[str, Field(max_length=LONGEST_TITLE), AfterValidator(_visible)]
Title = Annotated[Text, Field(min_length=1)]


class NewTake(StrictModel):
    """A take to be assessed."""

    uploads: Annotated[
        tuple[Annotated[str, Field(pattern=ID_PATTERN)], ...], Field(min_length=1, max_length=3)
    ]
    """Files that were sent: at most one recording, one MIDI of it and one score, and no score alone."""

    title: Text = ""
    """What it is called; by default as its file."""

    piece: Text = ""
    """The piece; by default as its score."""

    played_on: date | None = None
    """When it was played; by default today."""

    score_id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    """Score out of the folder of scores, in place of one that was sent."""

    seek_score: bool = False
    """Whether the score is sought in the folder of scores."""


class TakeChange(StrictModel):
    """What a take is to be called; what is absent stays."""

    title: Title | None = None
    piece: Text | None = None
    played_on: date | None = None


class ScoreAnswer(StrictModel):
    """A score of the folder of scores."""

    id: str
    name: str


@router.get("/scores")
def list_scores(shared: Shared) -> list[ScoreAnswer]:
    """The scores to choose from."""
    return [ScoreAnswer(id=one.id, name=one.name) for one in listed_scores(shared.settings.scores)]


@router.get("/takes")
def list_takes(shared: Shared) -> list[TakeAnswer]:
    """All takes, the latest first."""
    with shared.library.database.reading() as connection:
        jobs = all_jobs(connection)
        return [TakeAnswer.of(take, jobs[take.id]) for take in all_takes(connection)]


@router.post("/takes", status_code=201)
def make_take(new: NewTake, shared: Shared) -> TakeAnswer:
    """Make a take of files that were sent, and queue its assessment."""
    with shared.library.database.reading() as connection:
        uploads = [find_upload(connection, one) for one in dict.fromkeys(new.uploads)]
    found = [one for one in uploads if one is not None]
    if len(found) < len(uploads):
        raise not_found("file")
    chosen = None if new.score_id is None else _chosen(shared, new.score_id)
    take = _take(new, found, chosen, shared)
    shared.library.add_take(take, found, None if chosen is None else chosen.path)
    shared.runner.wake()
    return take_answer(shared, take.id)


@router.get("/takes/{take_id}")
def show_take(take_id: TakeId, shared: Shared) -> TakeAnswer:
    """A take, and how far its assessment is."""
    return take_answer(shared, take_id)


@router.patch("/takes/{take_id}")
def rename_take(take_id: TakeId, change: TakeChange, shared: Shared) -> TakeAnswer:
    """Change what a take is called."""
    values = {name: str(value) for name, value in change.model_dump(exclude_none=True).items()}
    with shared.library.database.writing() as connection:
        if find_take(connection, take_id) is None:
            raise not_found("take")
        change_take(connection, take_id, values)
    return take_answer(shared, take_id)


@router.post("/takes/{take_id}/cancel")
def cancel_take(take_id: TakeId, shared: Shared) -> TakeAnswer:
    """Cancel the assessment; its process has ended at the answer."""
    take_answer(shared, take_id)
    if not shared.runner.cancel(take_id):
        raise RefusedError(409, "take", "is not being assessed", next_step="load the page again")
    return take_answer(shared, take_id)


@router.post("/takes/{take_id}/retry")
def retry_take(take_id: TakeId, shared: Shared) -> TakeAnswer:
    """Assess again what failed or was cancelled."""
    take_answer(shared, take_id)
    if not shared.runner.retry(take_id):
        raise RefusedError(
            409, "take", "has not failed and was not cancelled", next_step="load the page again"
        )
    return take_answer(shared, take_id)


@router.get(
    "/takes/{take_id}/export", response_class=Response, responses={200: {"content": {"application/zip": {}}}}
)
def export_take(take_id: TakeId, shared: Shared) -> Response:
    """The assessment, the report, the pictures and the MIDI of a take, zipped."""
    take = found_take(shared, take_id)
    if take.summary is None:
        raise RefusedError(409, "take", "is not assessed yet", next_step="wait for its assessment")
    name = file_name(take.title)
    try:
        content = zipped(take, shared.library.take_folder(take_id), name)
    except FileNotFoundError as error:  # deleted meanwhile
        raise not_found("take") from error
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}.zip"
    return Response(content, media_type="application/zip", headers={"content-disposition": disposition})


@router.delete("/takes/{take_id}")
def delete_take(take_id: TakeId, shared: Shared) -> DeletedAnswer:
    """Delete a take: its files, its assessment, and the comparisons and rankings that show it."""
    take = found_take(shared, take_id)
    with shared.runner.paused():
        for subject in (take_id, *shared.library.results_with(take_id)):
            shared.runner.cancel(subject)
        deleted = shared.library.delete_take(take_id)
    return deleted_answer(f"The take {take.title}", deleted)


def deleted_answer(what: str, deleted: Deleted) -> DeletedAnswer:
    """What was deleted, in words."""
    n_files = f"{deleted.n_files} {'file' if deleted.n_files == 1 else 'files'}"
    sentence = f"{what} is deleted: {n_files}, {deleted.n_bytes / 1e6:.1f} MB"
    if deleted.n_results:
        words = "comparison or ranking" if deleted.n_results == 1 else "comparisons and rankings"
        sentence += f", and {deleted.n_results} {words} that showed it"
    return DeletedAnswer(
        n_files=deleted.n_files, n_bytes=deleted.n_bytes, n_results=deleted.n_results, sentence=f"{sentence}."
    )


def found_take(shared: Services, take_id: str) -> Take:
    """A take.

    Raises
    ------
    RefusedError
        There is none of this id.
    """
    with shared.library.database.reading() as connection:
        take = find_take(connection, take_id)
    if take is None:
        raise not_found("take")
    return take


def take_answer(shared: Services, take_id: str) -> TakeAnswer:
    """A take with its job.

    Raises
    ------
    RefusedError
        There is none of this id.
    """
    with shared.library.database.reading() as connection:
        take, job = find_take(connection, take_id), find_job(connection, take_id)
        if take is None or job is None:
            raise not_found("take")
        return TakeAnswer.of(take, job, jobs_before(connection, job))


def _chosen(shared: Services, score_id: str) -> ListedScore:
    score = next((one for one in listed_scores(shared.settings.scores) if one.id == score_id), None)
    if score is None:
        raise not_found("score")
    return score


def _take(new: NewTake, uploads: Sequence[Upload], chosen: ListedScore | None, shared: Services) -> Take:
    files = [one.file for one in uploads]
    if chosen is not None:
        suffix = chosen.path.suffix.lower()
        files.append(
            StoredFile(
                kind="score",
                name=chosen.path.name.encode("utf-8", "replace").decode(),
                stored=f"written{suffix}",
                n_bytes=chosen.path.stat().st_size,
            )
        )
    _check_files(files, has_chosen=chosen is not None)
    score = next((one for one in files if one.kind == "score"), None)
    if new.seek_score and (score is not None or shared.settings.scores is None):
        problem = (
            "is given as well" if score is not None else "is to be sought, and there is no folder of scores"
        )
        raise UsageError("score", problem, next_step="leave one of the two out")
    played = next(one for one in files if one.kind != "score")
    return Take(
        id=new_id(),
        title=new.title or _stem(played.name),
        piece=new.piece or ("" if score is None else _stem(score.name)),
        played_on=(new.played_on or date.today()).isoformat(),
        created_at=now(),
        files=tuple(files),
        score_from="sought" if new.seek_score else "none" if score is None else "given",
    )


def _check_files(files: Sequence[StoredFile], *, has_chosen: bool) -> None:
    words = {"audio": "recordings", "midi": "performance MIDI files", "score": "scores"}
    for kind, word in words.items():
        names = [one.name for one in files if one.kind == kind]
        if len(names) > 1:
            next_step = (
                "remove the one that was sent" if has_chosen and kind == "score" else "remove one of them"
            )
            raise UsageError(
                "take",
                f"has {len(names)} {word} ({', '.join(names)})",
                allowed="one recording, one performance MIDI and one score per performance",
                next_step=next_step,
            )
    if all(one.kind == "score" for one in files):
        raise UsageError(
            files[0].name,
            "is a score without a performance",
            next_step="add the recording or the performance MIDI; a MIDI can be marked as either",
        )


def _stem(name: str) -> str:
    return (name.rsplit(".", 1)[0] or name)[:LONGEST_TITLE]
