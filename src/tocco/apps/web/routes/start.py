"""The first page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tocco.apps.web.pages import page
from tocco.report.page.frame import asset

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(request: Request) -> Response:
    """Where a take is dropped or recorded."""
    return page(request, "start.html.j2")


@router.get("/static/report.css")
def report_style() -> Response:
    """The style of the reports, which has the colours and the common parts."""
    return Response(asset("page.css"), media_type="text/css", headers={"cache-control": "no-cache"})
