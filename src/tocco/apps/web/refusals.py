"""Errors of the web application: the sentence of the terminal, with a status of HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from tocco.errors import (
    BundleError,
    InputError,
    MismatchError,
    MissingPartError,
    OutputError,
    ToccoError,
    short,
)


class RefusedError(ToccoError):
    """A request that is not answered.

    Parameters
    ----------
    status : of HTTP, 4xx or 507
    subject, problem, allowed, next_step : as of every `ToccoError`
    """

    def __init__(
        self,
        status: int,
        subject: str,
        problem: str,
        *,
        allowed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(subject, problem, allowed=allowed, next_step=next_step)
        self.status = status


_STATUS: Final[tuple[tuple[type[ToccoError], int], ...]] = (
    (InputError, 422),
    (MismatchError, 422),
    (OutputError, 507),
    (MissingPartError, 501),
    (BundleError, 501),
)


def status_of(error: ToccoError) -> int:
    """Status of HTTP of an error."""
    if isinstance(error, RefusedError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def not_found(what: str) -> RefusedError:
    """There is no such thing: it never was, or was deleted.

    >>> str(not_found("take"))
    'take: is not in the library. Next: go back to the list; it may have been deleted.'
    """
    return RefusedError(
        404, what, "is not in the library", next_step="go back to the list; it may have been deleted"
    )


def invalid_request(errors: Iterable[Mapping[str, Any]]) -> RefusedError:
    """What is wrong with the values of a request, as pydantic found it.

    >>> str(invalid_request([{"loc": ("query", "name"), "msg": "Field required", "type": "missing"}]))
    'request: name is missing. Next: correct it and send it again.'
    """
    parts: list[str] = []
    for error in errors:
        if error["type"] == "json_invalid":
            reason = error.get("ctx", {}).get("error", "it cannot be read")
            parts.append(f"is no JSON from character {error['loc'][-1]} on ({reason})")
            continue
        where = ".".join(str(step) for step in error["loc"][1:]) or str(error["loc"][0])
        said = "is missing" if error["type"] == "missing" else f"is refused: {error['msg']}"
        got = "" if error["type"] == "missing" or "input" not in error else f" (got {short(error['input'])})"
        parts.append(f"{where} {said}{got}")
    return RefusedError(422, "request", "; ".join(parts), next_step="correct it and send it again")


def as_json(error: ToccoError) -> Response:
    """The sentence of an error, and its parts."""
    content = {
        "error": str(error),
        "subject": error.subject,
        "problem": error.problem,
        "allowed": error.allowed,
        "next_step": error.next_step,
    }
    return JSONResponse(content, status_of(error))
