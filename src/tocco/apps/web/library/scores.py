"""The folder of scores to choose from: listed by name, asked for by an id that is no path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tocco.data.pairing import SCORE_SUFFIXES


@dataclass(frozen=True)
class ListedScore:
    """A score of the folder.

    Attributes
    ----------
    id : hash of its place in the folder
    name : that place, without the suffix
    path
    """

    id: str
    name: str
    path: Path


def listed_scores(folder: Path | None) -> list[ListedScore]:
    """The scores of a folder and of its subfolders, by name; none where there is no folder."""
    if folder is None or not folder.is_dir():
        return []
    return sorted(_found(folder), key=lambda score: score.name.casefold())


def _found(folder: Path) -> Iterator[ListedScore]:
    for path in folder.rglob("*"):
        place = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in place.parts)
        if path.suffix.lower() in SCORE_SUFFIXES and not is_hidden and path.is_file():
            digest = hashlib.sha256(place.as_posix().encode("utf-8", "surrogateescape")).hexdigest()
            name = place.with_suffix("").as_posix().encode("utf-8", "replace").decode()
            yield ListedScore(digest[:16], name, path)
