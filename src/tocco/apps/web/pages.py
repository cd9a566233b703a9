"""Pages: templates in the look of the reports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

NAVIGATION: list[tuple[str, str]] = [
    ("/", "New take"),
    ("/history", "Pieces and takes"),
    ("/raters", "Rating"),
]
"""Address and name of what the head of every page links to, for the owner."""

TEMPLATES: Final = ("tocco.apps.web", "templates")


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page from a template that extends `base.html.j2`.

    Parameters
    ----------
    request
    template : name of a file in `templates`
    context : what the template names; every value that is no `Markup` is escaped
    status, headers : of HTTP
    """
    sessions = request.app.state.services.sessions
    is_owner = sessions.is_owner(request)
    values = {
        "path": request.url.path,
        "navigation": NAVIGATION if is_owner else [],
        "can_log_out": sessions.needs_login and is_owner,
        **(context or {}),
    }
    return HTMLResponse(environment().get_template(template).render(values), status, headers)


@cache
def environment() -> Any:
    """Where templates are read; an unknown name in one is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(*TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
