"""Pages of raters: the invitation, rating, pairs, the guide with its examples."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from tocco.apps.notebook.bundle import shared_module
from tocco.apps.rating.training import EXAMPLES, example_path
from tocco.apps.web.pages import page
from tocco.apps.web.raters import RATER, OneRater, Open, cookie_value, rater_id_of, without_paths
from tocco.apps.web.refusals import RefusedError, not_found
from tocco.apps.web.routes.login import form
from tocco.apps.web.services import Shared
from tocco.apps.web.sessions import set_cookie
from tocco.labelling.invitations import JOIN_PATH, rater_of_token
from tocco.report.page.frame import asset

router = APIRouter(include_in_schema=False)

_LONGEST_TOKEN: Final = 500

Token = Annotated[str, InPath(max_length=_LONGEST_TOKEN)]


@router.get(JOIN_PATH + "{token}")
def invited(
    request: Request, shared: Shared, token: Annotated[str, InPath(max_length=_LONGEST_TOKEN)]
) -> Response:
    """Where a link leads: it changes nothing, since programs look at links before people do."""
    return page(request, "rate_join.html.j2", {"token": token})


@router.post(JOIN_PATH.rstrip("/"))
def join(
    request: Request, shared: Shared, rating: Open, given: Annotated[dict[str, str], Depends(form)]
) -> Response:
    """Let a rater in, and go on to the page, whose address tells nothing."""
    token = given.get("token", "")[:_LONGEST_TOKEN]
    with without_paths():
        found = rater_of_token(rating.store, rating.project.secret(), token)
    response = RedirectResponse("/rate", 303)
    set_cookie(response, request, RATER, shared.sessions.sign(RATER, cookie_value(found.rater_id, token)))
    return response


@router.get("/rate")
def rate(request: Request, shared: Shared, rating: Open) -> Response:
    """Where items are rated."""
    return _for_raters(request, shared, rating, "rate.html.j2")


@router.get("/rate/pairs")
def pairs(request: Request, shared: Shared, rating: Open) -> Response:
    """Where the better one of two takes is chosen."""
    return _for_raters(request, shared, rating, "rate_pairs.html.j2")


@router.get("/rate/guide")
def guide(request: Request, shared: Shared, rating: Open) -> Response:
    """What the ratings mean, with examples that may be heard by anyone."""
    from tocco.apps.rating.rater_page import dimension  # here, since it loads numpy

    names = rating.project.settings.dimensions
    context = {"dimensions": [dimension(name) for name in names], "examples": EXAMPLES}
    return _for_raters(request, shared, rating, "rate_guide.html.j2", context)


@router.get("/rate/examples/{name}")
def example(rater: OneRater, name: str) -> Response:
    """The sound of an example of the guide."""
    path = example_path(name)
    if path is None:
        raise not_found("example")
    return FileResponse(path, headers={"cache-control": "private, no-cache"})


@router.post("/rate/leave")
def leave() -> Response:
    """End the session of a rater in this browser; what they gave stays."""
    response = RedirectResponse("/rate", 303)
    response.delete_cookie(RATER, path="/", httponly=True, samesite="strict")
    return response


@router.get("/static/score.css")
def score_style() -> Response:
    """The style of the engraved score, as in the reports."""
    return Response(asset("score.css"), media_type="text/css", headers={"cache-control": "no-cache"})


@router.get("/static/rating/score_follower.js")
def score_follower() -> Response:
    """What follows the sound in the score of a report, as a module."""
    return Response(shared_module(), media_type="text/javascript", headers={"cache-control": "no-cache"})


def _for_raters(
    request: Request, shared: Shared, rating: Open, template: str, context: dict[str, Any] | None = None
) -> Response:
    """A page for whoever was invited; for others, how to come in."""
    try:
        rater_id_of(request, shared, rating.store)
    except RefusedError:
        may_begin = shared.sessions.is_owner(request)
        return page(request, "rate_who.html.j2", {"may_begin": may_begin}, status=200 if may_begin else 401)
    return page(request, template, {"title": rating.project.settings.title, **(context or {})})
