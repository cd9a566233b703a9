"""What the page of a rater asks for, as JSON and sound. Who asks is in the cookie, and in nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body
from fastapi import Path as InPath
from starlette.responses import FileResponse, Response

from tocco.apps.rating.messages import Sent
from tocco.apps.web.raters import OneRater, without_paths
from tocco.apps.web.routes.answers import ERRORS

router = APIRouter(prefix="/api/rate", tags=["rate"], responses=ERRORS)

Place = Annotated[int, InPath(ge=0, le=1_000_000)]

_SOUND_HEADERS: Final = {"cache-control": "private, no-cache"}
"""A browser may keep a sound, and asks whether it has changed."""


@router.get("/session")
def session(rater: OneRater) -> dict[str, Any]:
    """Where the rater is."""
    return rater.overview()


@router.get("/items/{position}")
def item(rater: OneRater, position: Place) -> dict[str, Any]:
    """One item, and what was given for it."""
    with without_paths():
        return rater.item(position)


@router.get("/items/{position}/score")
def score(rater: OneRater, position: Place) -> dict[str, Any]:
    """The engraved score of an item."""
    with without_paths():
        return rater.score(position)


@router.get("/items/{position}/sound", response_class=FileResponse)
def sound(rater: OneRater, position: Place) -> Response:
    """The sound of an item."""
    with without_paths():
        return _flac(rater.sound(position))


@router.get("/items/{position}/feedback")
def feedback(rater: OneRater, position: Place) -> list[dict[str, Any]]:
    """How a complete calibration item compares."""
    with without_paths():
        return rater.feedback(position)


@router.get("/pairs/{number}")
def pair(rater: OneRater, number: Place) -> dict[str, Any]:
    """One pair."""
    with without_paths():
        return rater.pair(number)


@router.get("/pairs/{number}/{side}/sound", response_class=FileResponse)
def sound_of_pair(rater: OneRater, number: Place, side: Literal["a", "b"]) -> Response:
    """The sound of one take of a pair."""
    with without_paths():
        return _flac(rater.sound_of_pair(number, side))


@router.post("/events")
def save(rater: OneRater, sent: Annotated[Sent, Body()]) -> dict[str, Any]:
    """Save one event: the answer comes when it is on the disk."""
    with without_paths():
        return rater.save(sent)


def _flac(path: Path) -> Response:
    return FileResponse(path, media_type="audio/flac", headers=_SOUND_HEADERS)
