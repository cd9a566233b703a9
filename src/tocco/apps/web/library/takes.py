"""Takes of a library: what was given, and the ratings."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from tocco.data.pairing import Kind
from tocco.schema import Points, StrictModel

ScoreFrom = Literal["none", "given", "sought"]
"""Where the score of a take comes from: there is none, a file, or it is sought in the folder of scores."""

ID_PATTERN: Final = "^[0-9a-f]{16}$"

RESULT: Final = "take"
"""Name of the files of each assessment, which lie in a folder of their own."""

LONGEST_TITLE: Final = 200


def new_id() -> str:
    """An id that nobody guesses, and that is a file name on every system."""
    return secrets.token_hex(8)


class StoredFile(StrictModel):
    """One file that was given."""

    kind: Kind
    """What it is, by its content."""

    name: str
    """As its owner calls it: shown, never a path."""

    stored: str
    """Its name in the folder of the take, which comes from its kind."""

    n_bytes: Annotated[int, Field(ge=0)]
    """Its size."""


class Summary(StrictModel):
    """What lists and charts show of an assessment."""

    aggregate: Points | None
    """Weighted mean; null where the assessment abstains."""

    aggregate_90: tuple[Points, Points] | None
    """Its 90 % interval; null where it has none."""

    ratings: dict[str, Points]
    """Dimension -> rating; what is missing is absent."""

    intervals: dict[str, tuple[Points, Points]]
    """Dimension -> 90 % interval."""

    abstained: bool
    """Whether the assessment abstains."""

    duration_sec: float | None
    """Of the recording, or of the MIDI where there is none."""

    has_score: bool
    """Whether a score was used."""

    found_score: str | None
    """Name of the score that was found in the folder of scores."""


@dataclass(frozen=True)
class Take:
    """One take.

    Attributes
    ----------
    id : matches `ID_PATTERN`
    title, piece : as its owner calls them; `piece` may be empty
    played_on : date, "2026-12-01"
    created_at : time, UTC
    files : that were given
    score_from
    summary : None until it is assessed
    """

    id: str
    title: str
    piece: str
    played_on: str
    created_at: str
    files: tuple[StoredFile, ...]
    score_from: ScoreFrom
    summary: Summary | None = None

    def file(self, kind: Kind) -> StoredFile | None:
        """The file of a kind."""
        return next((one for one in self.files if one.kind == kind), None)


_FILES: Final = TypeAdapter(tuple[StoredFile, ...])


def take_of(row: sqlite3.Row) -> Take:
    """A take from its row."""
    summary = row["summary"]
    return Take(
        id=row["id"],
        title=row["title"],
        piece=row["piece"],
        played_on=row["played_on"],
        created_at=row["created_at"],
        files=_FILES.validate_json(row["files"]),
        score_from=row["score_from"],
        summary=None if summary is None else Summary.model_validate_json(summary),
    )


def insert_take(connection: sqlite3.Connection, take: Take) -> None:
    """Add a new take."""
    connection.execute(
        "INSERT INTO takes VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
        (
            take.id,
            take.title,
            take.piece,
            take.played_on,
            take.created_at,
            _FILES.dump_json(take.files).decode(),
            take.score_from,
        ),
    )


def find_take(connection: sqlite3.Connection, take_id: str) -> Take | None:
    """A take by its id."""
    row = connection.execute("SELECT * FROM takes WHERE id = ?", (take_id,)).fetchone()
    return None if row is None else take_of(row)


def all_takes(connection: sqlite3.Connection) -> list[Take]:
    """All takes, the latest first."""
    order = "SELECT * FROM takes ORDER BY played_on DESC, created_at DESC, id"
    return [take_of(row) for row in connection.execute(order)]


def by_piece(takes: Sequence[Take]) -> dict[str, list[Take]]:
    """Pieces in the order of their latest takes -> takes, in the order given; case is no difference."""
    found: dict[str, list[Take]] = {}
    name_of: dict[str, str] = {}
    for take in takes:
        name = name_of.setdefault(take.piece.casefold(), take.piece)
        found.setdefault(name, []).append(take)
    return found


def change_take(connection: sqlite3.Connection, take_id: str, values: Mapping[str, str]) -> None:
    """Change what its owner calls a take: `title`, `piece`, `played_on`."""
    for column in ("title", "piece", "played_on"):
        if column in values:
            connection.execute(f"UPDATE takes SET {column} = ? WHERE id = ?", (values[column], take_id))


def set_summary(connection: sqlite3.Connection, take_id: str, summary: Summary) -> None:
    """Keep the ratings of a take; a score that was found names a piece that has no name yet."""
    connection.execute("UPDATE takes SET summary = ? WHERE id = ?", (summary.model_dump_json(), take_id))
    if summary.found_score is not None:
        connection.execute(
            "UPDATE takes SET piece = ? WHERE id = ? AND piece = ''",
            (Path(summary.found_score).stem[:LONGEST_TITLE], take_id),
        )
