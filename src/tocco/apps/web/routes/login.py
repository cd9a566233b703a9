"""Logging in with the secret, and out."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tocco.apps.web.pages import page
from tocco.apps.web.refusals import RefusedError
from tocco.apps.web.services import Shared
from tocco.apps.web.sessions import OWNER, set_cookie

router = APIRouter(include_in_schema=False)

_MOST_FORM_BYTES = 4_096


@router.get("/login")
def login_page(request: Request, shared: Shared, goal: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Where the secret is given."""
    if shared.sessions.is_owner(request):
        return RedirectResponse(local_path(goal), 303)
    return page(request, "login.html.j2", {"next": local_path(goal), "wrong": False})


@router.post("/login")
async def log_in(request: Request, shared: Shared) -> Response:
    """Start a session, and go on to where one wanted to."""
    given = await form(request)
    goal = local_path(given.get("next", "/"))
    if not shared.sessions.is_secret(given.get("secret", "")):
        return page(request, "login.html.j2", {"next": goal, "wrong": True}, status=403)
    response = RedirectResponse(goal, 303)
    set_cookie(response, request, OWNER, shared.sessions.sign(OWNER, "owner"))
    return response


@router.post("/logout")
def log_out() -> Response:
    """End the session of this browser."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(OWNER, path="/", httponly=True, samesite="strict")
    return response


def local_path(text: str) -> str:
    """A path of this server, whatever somebody put into a link.

    >>> local_path("/history"), local_path("//example.org"), local_path("https://example.org")
    ('/history', '/', '/')
    """
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_path and text.isprintable() else "/"


async def form(request: Request) -> dict[str, str]:
    """The fields of a small form, each once.

    Raises
    ------
    RefusedError
        It is no such form, or too long.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RefusedError(415, "form", "is of another type", allowed="application/x-www-form-urlencoded")
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MOST_FORM_BYTES:
            raise RefusedError(413, "form", "is too long", allowed=f"at most {_MOST_FORM_BYTES} bytes")
    fields = parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}
