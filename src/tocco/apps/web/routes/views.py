"""Pages that a person sees: a new take, a take, the history, a comparison or a ranking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path as FilePath
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from tocco.apps.web.library.jobs import Job, all_jobs, find_job, jobs_before, waiting_jobs
from tocco.apps.web.library.results import FILES, all_results
from tocco.apps.web.library.scores import listed_scores
from tocco.apps.web.library.takes import LONGEST_TITLE, RESULT, Take, all_takes, by_piece
from tocco.apps.web.pages import page
from tocco.apps.web.refusals import RefusedError, not_found
from tocco.apps.web.routes.answers import Progress
from tocco.apps.web.routes.results import MOST, ResultId, found_result
from tocco.apps.web.routes.takes import TakeId, found_take
from tocco.apps.web.running.process import last_lines
from tocco.apps.web.running.tasks import ASSESSED_FOLDER, STAGES
from tocco.apps.web.services import Services, Shared
from tocco.data.pairing import AUDIO_SUFFIXES, MIDI_SUFFIXES, SCORE_SUFFIXES
from tocco.report.page.frame import asset
from tocco.rubrics import DIMENSIONS

router = APIRouter(include_in_schema=False)

DOCUMENT_HEADERS: Final = {
    "content-security-policy": (
        "sandbox allow-scripts allow-modals; default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    ),
    "x-frame-options": "SAMEORIGIN",
}
"""Of reports: documents of an origin of their own, which reach nothing of this one and no network.

Which script and style run is said by the hashes in the document (`tocco.report.page.frame`): both hold.
"""

_RECENT: Final = 6


@router.get("/static/report.css")
def report_style() -> Response:
    """The style of the reports, which has the colours and the common parts."""
    return Response(asset("page.css"), media_type="text/css", headers={"cache-control": "no-cache"})


@router.get("/")
def new_take_page(request: Request, shared: Shared) -> Response:
    """Where a take is dropped or recorded."""
    with shared.library.database.reading() as connection:
        takes, jobs, waiting = all_takes(connection), all_jobs(connection), waiting_jobs(connection)
        results = {result.id: result for result in all_results(connection)}
    titles = {take.id: take.title for take in takes} | {one.id: one.title for one in results.values()}
    settings = {"most_bytes": shared.settings.upload_bytes}
    return page(
        request,
        "new_take.html.j2",
        {
            "settings": _as_data(settings),
            "accepted": ",".join(sorted(AUDIO_SUFFIXES | MIDI_SUFFIXES | SCORE_SUFFIXES)),
            "most_mb": f"{shared.settings.upload_bytes / 1e6:g}",
            "pieces": [name for name in by_piece(takes) if name],
            "has_scores": shared.settings.scores is not None,
            "scores": listed_scores(shared.settings.scores),
            "today": date.today().isoformat(),
            "longest": LONGEST_TITLE,
            "waiting": [
                (job, titles[job.subject], _address(job)) for job in waiting if job.subject in titles
            ],
            "recent": [(take, jobs[take.id]) for take in takes if not jobs[take.id].is_waiting][:_RECENT],
        },
    )


@router.get("/takes/{take_id}")
def take_page(request: Request, take_id: TakeId, shared: Shared) -> Response:
    """A take: its progress, then its report."""
    take = found_take(shared, take_id)
    job, n_before = _job(shared, take_id)
    folder = shared.library.take_folder(take_id)
    return page(
        request,
        "take.html.j2",
        {
            "take": take,
            "piece": take.piece or "no piece named",
            "longest": LONGEST_TITLE,
            "n_results": len(shared.library.results_with(take_id)),
            **_job_context(job, n_before, folder),
            "stages": _stages(take),
        },
    )


@router.get("/takes/{take_id}/report")
def report_document(take_id: TakeId, shared: Shared) -> Response:
    """The HTML report of a take."""
    found_take(shared, take_id)
    return _document(shared.library.take_folder(take_id) / ASSESSED_FOLDER / f"{RESULT}.html")


@router.get("/history")
def history_page(request: Request, shared: Shared) -> Response:
    """Pieces and takes, with the ratings over time."""
    from tocco.apps.web.charts import (
        dimension_charts,
        progress_chart,
    )  # NumPy, which starting need not wait for

    with shared.library.database.reading() as connection:
        takes, jobs, results = all_takes(connection), all_jobs(connection), all_results(connection)
    pieces = []
    for number, (name, of_piece) in enumerate(by_piece(takes).items(), start=1):
        assessed = [take for take in reversed(of_piece) if take.summary is not None]
        pieces.append(
            {
                "name": name or "No piece named",
                "takes": [(take, jobs[take.id]) for take in of_piece],
                "chart": progress_chart(assessed, number),
                "dimensions": dimension_charts(assessed, number),
            }
        )
    return page(
        request,
        "history.html.j2",
        {
            "pieces": pieces,
            "results": [(result, jobs[result.id]) for result in results],
            "most_compared": MOST["compare"],
            "most_ranked": MOST["rank"],
            "dimensions": [(name, name.replace("_", " ").capitalize()) for name in DIMENSIONS],
        },
    )


@router.get("/results/{result_id}")
def result_page(request: Request, result_id: ResultId, shared: Shared) -> Response:
    """A comparison or a ranking: its progress, then the document."""
    result = found_result(shared, result_id)
    job, n_before = _job(shared, result_id)
    folder = shared.library.result_folder(result_id)
    return page(
        request,
        "result.html.j2",
        {
            "result": result,
            "members": list(zip(result.takes, result.titles, strict=True)),
            "noun": "comparison" if result.kind == "compare" else "ranking",
            **_job_context(job, n_before, folder),
            "stages": [(key, STAGES[key]) for key in ("starting", "reading", "comparing", "writing")],
        },
    )


@router.get("/results/{result_id}/document")
def result_document(result_id: ResultId, shared: Shared) -> Response:
    """The HTML file of a comparison or a ranking."""
    result = found_result(shared, result_id)
    return _document(shared.library.result_folder(result_id) / FILES[result.kind][0])


def _document(path: FilePath) -> Response:
    if not path.is_file():
        raise RefusedError(404, "report", "is not written yet", next_step="wait until the job is done")
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=DOCUMENT_HEADERS)


def _job(shared: Services, subject: str) -> tuple[Job, int]:
    with shared.library.database.reading() as connection:
        job = find_job(connection, subject)
        if job is None:
            raise not_found("job")
        return job, jobs_before(connection, job)


def _job_context(job: Job, n_before: int, folder: FilePath) -> dict[str, Any]:
    has_fault = job.error is not None and "fault" in job.error.problem
    return {
        "job": job,
        "progress": Progress.of(job, n_before),
        "details": last_lines(folder) if has_fault else "",
    }


def _stages(take: Take) -> list[tuple[str, str]]:
    """The stages that its assessment goes through."""
    is_transcribed = take.file("audio") is not None and take.file("midi") is None
    left_out = {"comparing"} if is_transcribed else {"comparing", "transcribing"}
    return [(key, name) for key, name in STAGES.items() if key not in left_out]


def _address(job: Job) -> str:
    return f"/{'takes' if job.kind == 'assess' else 'results'}/{job.subject}"


def _as_data(values: Mapping[str, Any]) -> Markup:
    """JSON for a `data-` attribute."""
    return Markup.escape(json.dumps(values))
