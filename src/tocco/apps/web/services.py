"""What the routes share: one object of the running application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from tocco.apps.web.library.library import Library
from tocco.apps.web.running.runner import Runner
from tocco.apps.web.sessions import Sessions
from tocco.apps.web.settings import Settings


@dataclass(frozen=True)
class Services:
    """What the routes share.

    Attributes
    ----------
    settings
    sessions : who is logged in
    library : takes, results, uploads and jobs
    runner : of the jobs
    """

    settings: Settings
    sessions: Sessions
    library: Library
    runner: Runner


def services_of(request: Request) -> Services:
    """The services of the application that a request came to."""
    return request.app.state.services


Shared = Annotated[Services, Depends(services_of)]
"""Type of a route's parameter that is given the services."""
