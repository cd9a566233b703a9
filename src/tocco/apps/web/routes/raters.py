"""Pages of the owner: who rates, how far they are, links that invite, the audit log, exports."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocco.apps.web.pages import page
from tocco.apps.web.raters import RATER, Open, Rating, cookie_value
from tocco.apps.web.refusals import RefusedError
from tocco.apps.web.routes.login import form
from tocco.apps.web.services import Shared
from tocco.apps.web.sessions import set_cookie
from tocco.errors import InputError
from tocco.labelling.events import AuditEntry, Rater
from tocco.labelling.invitations import JOIN_PATH, make_token
from tocco.labelling.raters import add_rater, invitations, rater, raters, revoke_invitations, set_active

router = APIRouter(prefix="/raters", include_in_schema=False)

OWNER_NAME: Final = "owner"
"""In the audit log."""

Form = Annotated[dict[str, str], Depends(form)]
"""Type of a route's parameter that is given the fields of a form."""

VALID_DAYS: Final = 90.0
"""Of an invitation that is made here."""

AUDIT_SHOWN: Final = 200
"""Newest lines of the audit log that are shown; the export has all."""


MORE: Final = (
    ("/raters/quality", "Report on raters: agreement, consistency, drift, whom to talk to"),
    ("/raters/audit", "Audit log: what everybody did"),
    ("/raters/export/expert_labels.jsonl", "Export: labels of all raters together, debiased"),
    ("/raters/export/annotations.json", "Export: what each rater gave, as JSON"),
    ("/raters/export/events.jsonl", "Export: every event, superseded and undone ones too"),
)
"""Address and words of what the list of raters leads to."""


@router.get("")
def overview(request: Request, rating: Open) -> Response:
    """Everyone, and how far they are."""
    return _overview(request, rating)


@router.post("/invite")
def invite(request: Request, rating: Open, given: Form) -> Response:
    """Add a rater, or make another link for one; the link is shown once, since only its hash is stored."""
    rater_id, name = given.get("rater_id", "").strip(), given.get("name", "").strip()
    found = add_rater(rating.store, rater_id, name=name, by=OWNER_NAME)
    secret = rating.project.secret()
    token = make_token(rating.store, secret, found.rater_id, valid_days=VALID_DAYS, by=OWNER_NAME)
    link = f"{request.url.scheme}://{request.headers['host']}{JOIN_PATH}{token}"
    return _overview(request, rating, invited=found, link=link)


@router.post("/revoke")
def revoke(rating: Open, given: Form) -> Response:
    """End every link of a rater, and the sessions that were begun by one."""
    revoke_invitations(rating.store, _named(rating, given), by=OWNER_NAME)
    return RedirectResponse("/raters", 303)


@router.post("/shut-out")
def shut_out(rating: Open, given: Form) -> Response:
    """Let a rater in no more; what they gave stays."""
    set_active(rating.store, _named(rating, given), False, by=OWNER_NAME)
    return RedirectResponse("/raters", 303)


@router.post("/let-in")
def let_in(rating: Open, given: Form) -> Response:
    """Let a rater in again."""
    set_active(rating.store, _named(rating, given), True, by=OWNER_NAME)
    return RedirectResponse("/raters", 303)


@router.post("/begin")
def begin(request: Request, shared: Shared, rating: Open, given: Form) -> Response:
    """Rate in this browser, without a link."""
    rater_id = given.get("rater_id", "").strip()
    try:
        found = rater(rating.store, rater_id)
    except InputError:
        found = add_rater(rating.store, rater_id, by=OWNER_NAME)
    rating.store.note(OWNER_NAME, "rate as", {"rater": found.rater_id})
    response = RedirectResponse("/rate", 303)
    set_cookie(response, request, RATER, shared.sessions.sign(RATER, cookie_value(found.rater_id, None)))
    return response


@router.get("/audit")
def audit(request: Request, rating: Open) -> Response:
    """What was done, the newest first."""
    entries = rating.store.audit()[::-1]
    shown = [_entry(one) for one in entries[:AUDIT_SHOWN]]
    return page(request, "rater_audit.html.j2", {"entries": shown, "n_entries": len(entries)})


@router.get("/quality")
def quality(request: Request, rating: Open) -> Response:
    """How far the raters agree with each other and with themselves, and whom to talk to."""
    from markdown_it import MarkdownIt

    from tocco.labelling.quality import project_quality
    from tocco.labelling.quality_words import quality_markdown

    text = quality_markdown(project_quality(rating.project, rating.store))
    plain = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    plain = plain.replace('style="text-align:right"', 'class="number"')  # no style is allowed in a document
    return page(request, "rater_quality.html.j2", {"report": Markup(plain)})  # escaped by the renderer


@router.get("/export/expert_labels.jsonl")
def export_labels(rating: Open) -> Response:
    """The labels of all raters together, with absolute paths."""
    from tocco.labelling.consensus import expert_labels

    records = expert_labels(rating.project, rating.store).debiased
    rating.store.note(OWNER_NAME, "export", {"what": "labels", "segments": len(records)})
    return _lines("expert_labels.jsonl", (one.model_dump(mode="json") for one in records))


@router.get("/export/annotations.json")
def export_annotations(rating: Open) -> Response:
    """What each rater gave on each segment, in the form in which labelling notebooks save."""
    from tocco.labelling.annotation_json import annotation_objects

    rating.store.note(OWNER_NAME, "export", {"what": "annotations"})
    text = json.dumps(annotation_objects(rating.project, rating.store), ensure_ascii=False, indent=1)
    return _attached("annotations.json", text + "\n", "application/json")


@router.get("/export/audit.jsonl")
def export_audit(rating: Open) -> Response:
    """The whole audit log."""
    rating.store.note(OWNER_NAME, "export", {"what": "audit log"})
    return _lines(
        "audit.jsonl",
        (
            {
                "sequence": one.sequence,
                "time": _time(one.server_time_sec),
                "who": one.who,
                "action": one.action,
                "detail": dict(one.detail),
            }
            for one in rating.store.audit()
        ),
    )


@router.get("/export/events.jsonl")
def export_events(rating: Open) -> Response:
    """Every event of every rater, superseded and undone ones too."""
    rating.store.note(OWNER_NAME, "export", {"what": "events"})
    return _lines("events.jsonl", (vars(one) for one in rating.store.events()))


def _named(rating: Rating, given: dict[str, str]) -> str:
    """Id of the rater that a form names."""
    try:
        return rater(rating.store, given.get("rater_id", "")).rater_id
    except InputError as error:
        raise RefusedError(404, "rater", "is not in this project", next_step="go back to the list") from error


def _overview(request: Request, rating: Rating, *, invited: Rater | None = None, link: str = "") -> Response:
    context = {
        "title": rating.project.settings.title,
        "folder": str(rating.project.folder),
        "n_segments": len(rating.project.segments),
        "raters": [_row(rating, one) for one in raters(rating.store)],
        "invited": invited,
        "link": link,
        "valid_days": round(VALID_DAYS),
        "more": MORE,
    }
    return page(request, "raters.html.j2", context)


def _row(rating: Rating, one: Rater) -> dict[str, Any]:
    """One line of the list."""
    from tocco.labelling.session import Session  # here, since it loads numpy

    now = rating.store.clock()
    open_links = [
        link
        for link in invitations(rating.store, one.rater_id)
        if link.revoked_sec is None and link.expires_sec > now
    ]
    used = [link.last_used_sec for link in invitations(rating.store, one.rater_id) if link.last_used_sec]
    progress = Session(rating.project, rating.store, one.rater_id).progress() if one.is_active else None
    return {
        "rater": one,
        "n_links": len(open_links),
        "last": _time(max(used)) if used else "",
        "progress": progress,
    }


def _entry(one: AuditEntry) -> dict[str, str]:
    detail = ", ".join(f"{name} {value}" for name, value in one.detail.items())
    return {"time": _time(one.server_time_sec), "who": one.who, "action": one.action, "detail": detail}


def _time(sec: float) -> str:
    return datetime.fromtimestamp(sec, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _lines(name: str, rows: Iterable[Any]) -> Response:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return _attached(name, text, "application/x-ndjson")


def _attached(name: str, text: str, media_type: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)
