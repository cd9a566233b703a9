"""Results about several takes: comparisons and rankings."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

ResultKind = Literal["compare", "rank"]

FILES: Final[dict[ResultKind, tuple[str, ...]]] = {
    "compare": ("comparison.html", "comparison.json"),
    "rank": ("ranking.html", "ranking.json", "ranking.csv"),
}
"""What each kind leaves, the document to read first."""


@dataclass(frozen=True)
class Result:
    """A comparison or a ranking.

    Attributes
    ----------
    id
    kind
    by : what is ranked by: aggregate, or a dimension
    created_at : time, UTC
    takes : ids, in order
    titles : of the same takes
    """

    id: str
    kind: ResultKind
    by: str
    created_at: str
    takes: tuple[str, ...]
    titles: tuple[str, ...]

    @property
    def title(self) -> str:
        """What a list calls it."""
        if len(self.titles) == 2 and self.kind == "compare":
            return f"{self.titles[0]} and {self.titles[1]}"
        return f"{'Comparison' if self.kind == 'compare' else 'Ranking'} of {len(self.titles)} takes"


def insert_result(connection: sqlite3.Connection, result: Result) -> None:
    """Add a result of takes that exist."""
    options = json.dumps({"by": result.by})
    connection.execute(
        "INSERT INTO results VALUES (?, ?, ?, ?)", (result.id, result.kind, options, result.created_at)
    )
    connection.executemany(
        "INSERT INTO members VALUES (?, ?, ?)",
        [(result.id, take_id, place) for place, take_id in enumerate(result.takes)],
    )


def find_result(connection: sqlite3.Connection, result_id: str) -> Result | None:
    """A result by its id."""
    row = connection.execute("SELECT * FROM results WHERE id = ?", (result_id,)).fetchone()
    return None if row is None else _result_of(connection, row)


def all_results(connection: sqlite3.Connection) -> list[Result]:
    """All results, the latest first."""
    order = "SELECT * FROM results ORDER BY created_at DESC, id"
    return [_result_of(connection, row) for row in connection.execute(order).fetchall()]


def results_with(connection: sqlite3.Connection, takes: Sequence[str]) -> list[str]:
    """Ids of the results that show any of these takes."""
    marks = ", ".join("?" for _ in takes)
    rows = connection.execute(
        f"SELECT DISTINCT result_id FROM members WHERE take_id IN ({marks})", tuple(takes)
    )
    return [row["result_id"] for row in rows]


def _result_of(connection: sqlite3.Connection, row: sqlite3.Row) -> Result:
    members = connection.execute(
        "SELECT takes.id, takes.title FROM members JOIN takes ON takes.id = take_id "
        "WHERE result_id = ? ORDER BY place",
        (row["id"],),
    ).fetchall()
    return Result(
        id=row["id"],
        kind=row["kind"],
        by=json.loads(row["options"])["by"],
        created_at=row["created_at"],
        takes=tuple(member["id"] for member in members),
        titles=tuple(member["title"] for member in members),
    )
