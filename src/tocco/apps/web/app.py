"""The application: routes behind the guard, with errors as sentences."""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Final

from anyio import to_thread
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from tocco.apps.web.guard import HEADERS, Guard, wants_page
from tocco.apps.web.library.library import Library
from tocco.apps.web.limits import Buckets
from tocco.apps.web.pages import page
from tocco.apps.web.raters import RatingProject
from tocco.apps.web.refusals import RefusedError, as_json, invalid_request, status_of
from tocco.apps.web.routes import OPEN_PATHS, ROUTERS
from tocco.apps.web.running.process import COMMAND
from tocco.apps.web.running.runner import Runner
from tocco.apps.web.services import Services
from tocco.apps.web.sessions import Sessions, signing_key
from tocco.apps.web.settings import RATINGS, Settings
from tocco.errors import ToccoError
from tocco.files import writable_folder

_LOG: Final = logging.getLogger("tocco.serve")

_PROBLEMS: Final = {
    404: ("is not here", "go back to the start page"),
    405: ("does not allow this", "go back to the start page"),
}


def create_app(settings: Settings, worker: Sequence[str] = COMMAND) -> FastAPI:
    """The whole application; its jobs run between its start-up and its shutdown.

    Parameters
    ----------
    settings
    worker : command of the process of a job

    Raises
    ------
    OutputError
        The library cannot be written to.
    UsageError
        At the start-up: another server has the library open.
    """
    writable_folder(settings.library)
    sessions = Sessions(signing_key(settings.library), settings.secret)
    library = Library(settings.library)
    services = Services(settings, sessions, library, Runner(library, settings, worker))
    app = FastAPI(
        title="tocco",
        version=metadata.version("tocco"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_running,
    )
    app.state.services = services
    app.state.rating_project = RatingProject(settings.ratings or settings.library / RATINGS)
    for router in ROUTERS:
        app.include_router(router)
    mimetypes.add_type("text/javascript", ".js")
    app.mount("/static", _Static(directory=Path(str(files("tocco.apps.web") / "static"))), name="static")
    app.add_exception_handler(ToccoError, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _fault)
    app.add_middleware(
        Guard,
        settings=settings,
        sessions=sessions,
        buckets=Buckets(),
        answer=answer,
        open_paths=OPEN_PATHS,
    )
    return app


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    services.library.occupy()
    try:
        services.library.sweep()
        services.runner.start()
        yield
        await to_thread.run_sync(services.runner.stop)
    finally:
        app.state.rating_project.close()
        services.library.leave()


class _Static(StaticFiles):
    """Files of the package; asked for again each time, and sent only where they have changed."""

    def file_response(self, *args: object, **named: object) -> Response:
        response = super().file_response(*args, **named)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response


def answer(request: Request, error: ToccoError) -> Response:
    """Why a request is refused: as a page for a person, as JSON for a script."""
    if not wants_page(request):
        return as_json(error)
    return page(request, "problem.html.j2", {"error": error}, status=status_of(error))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ToccoError)
    return answer(request, error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem, next_step = _PROBLEMS.get(error.status_code, (str(error.detail), "go back to the start page"))
    response = answer(
        request, RefusedError(error.status_code, request.url.path, problem, next_step=next_step)
    )
    response.headers.update(error.headers or {})
    return response


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request, invalid_request(error.errors()))


async def _fault(request: Request, error: Exception) -> Response:
    _LOG.error("%s %s", request.method, request.url.path, exc_info=error)
    fault = RefusedError(
        500,
        "tocco",
        "has a fault here; nothing that was saved is lost",
        next_step="try again; the terminal of tocco serve shows where it is",
    )
    response = answer(request, fault)
    for name, value in HEADERS.items():  # this answer does not pass the guard
        response.headers.setdefault(name, value)
    return response
