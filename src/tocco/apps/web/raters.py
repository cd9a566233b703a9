"""The rating project of a server, and who rates in it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends
from starlette.requests import Request

from tocco.apps.web.refusals import RefusedError
from tocco.apps.web.services import Services, services_of
from tocco.errors import InputError
from tocco.labelling.raters import invitations, rater
from tocco.labelling.store import RatingStore

if TYPE_CHECKING:  # they load numpy, which a server without raters does not need
    from tocco.apps.rating.materials import Materials
    from tocco.apps.rating.rater_page import RaterPage
    from tocco.labelling.project import Project

RATER: Final = "tocco_rater"
"""Cookie of a rater: id, and the invitation that it was got by."""

BY_OWNER: Final = "owner"
"""In place of an invitation: the owner rates."""

_PROJECT_FILE: Final = "project.json"


@dataclass(frozen=True)
class Rating:
    """An open project.

    Attributes
    ----------
    project, store
    materials : pictures and sound of its segments
    stamp : of the file that it was read from; a newer file is read anew
    """

    project: Project
    store: RatingStore
    materials: Materials
    stamp: int


class RatingProject:
    """The project of a server; opened when it is first asked for, and anew after a round was added.

    Parameters
    ----------
    folder
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._open: Rating | None = None

    def open(self) -> Rating:
        """The project as it is now.

        Raises
        ------
        RefusedError
            There is none in the folder: status 404.
        InputError
            It cannot be read.
        """
        from tocco.apps.rating.materials import Materials
        from tocco.labelling.project import read_project

        try:
            stamp = (self.folder / _PROJECT_FILE).stat().st_mtime_ns
        except OSError as error:
            raise RefusedError(
                404,
                "rating",
                "has no project here",
                next_step="whoever runs this server makes one with `tocco label prepare` and names it with "
                "`tocco serve --ratings FOLDER`",
            ) from error
        with self._lock:
            if self._open is None or self._open.stamp != stamp:
                project = read_project(self.folder)
                store = project.open_store() if self._open is None else self._open.store
                if self._open is not None:
                    self._open.materials.close()
                self._open = Rating(project, store, Materials(project), stamp)
                self._open.materials.begin_all()
            return self._open

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._open is not None:
                self._open.materials.close()
                self._open.store.close()
                self._open = None


def rating_of(request: Request) -> Rating:
    """The open project of the application that a request came to."""
    return request.app.state.rating_project.open()


def cookie_value(rater_id: str, token: str | None) -> str:
    """What the cookie of a rater says.

    Parameters
    ----------
    rater_id
    token : of the invitation; None where the owner rates
    """
    by = BY_OWNER if token is None else hashlib.sha256(token.encode()).hexdigest()
    return f"{by}:{rater_id}"


def rater_id_of(request: Request, shared: Services, store: RatingStore) -> str:
    """Who asks, by their cookie alone.

    Raises
    ------
    RefusedError
        Nobody that was invited, or whose invitation was revoked: status 401.
    """
    by, _, rater_id = (shared.sessions.read(request, RATER) or "").partition(":")
    is_known = bool(rater_id)
    if is_known and by == BY_OWNER:
        is_known = shared.sessions.is_owner(request)
    elif is_known:
        found = [one for one in invitations(store, rater_id) if one.token_sha256 == by]
        is_known = any(one.revoked_sec is None for one in found)
    if is_known:
        try:
            is_known = rater(store, rater_id).is_active
        except InputError:
            is_known = False
    if not is_known:
        raise RefusedError(
            401,
            "rating",
            "is for those who were invited",
            next_step="open the link of your invitation again, or ask for a new one",
        )
    return rater_id


def rater_page(request: Request, shared: Annotated[Services, Depends(services_of)]) -> RaterPage:
    """The page of the rater who asks. Raises as `rater_id_of` and `RatingProject.open`."""
    from tocco.apps.rating.rater_page import RaterPage

    rating = rating_of(request)
    rater_id = rater_id_of(request, shared, rating.store)
    return RaterPage(rating.project, rating.store, rating.materials, rater_id)


@contextmanager
def without_paths() -> Iterator[None]:
    """Errors of the store name its file, which is nothing for raters: they are named after the rating."""
    try:
        yield
    except InputError as error:
        subject = error.subject if "/" not in error.subject and "\\" not in error.subject else "rating"
        raise InputError(subject, error.problem, allowed=error.allowed, next_step=error.next_step) from error


OneRater = Annotated[Any, Depends(rater_page)]
"""Type of a route's parameter that is given the page (`RaterPage`) of the rater who asks."""

Open = Annotated[Rating, Depends(rating_of)]
"""Type of a route's parameter that is given the open project."""
