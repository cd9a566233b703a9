"""Rows of the store's views as values, and conditions on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from tocco.labelling.events import Presentation, Rating

RATING_COLUMNS: Final = (
    "rater_id, segment_id, occasion, dimension, value, uncertain, sequence, server_time_sec, heard_share"
)


def rating_of(row: sqlite3.Row) -> Rating:
    """The rating in a row of `RATING_COLUMNS`."""
    return Rating(
        Presentation(row["rater_id"], row["segment_id"], row["occasion"]),
        row["dimension"],
        row["value"],
        bool(row["uncertain"]),
        row["sequence"],
        row["server_time_sec"],
        row["heard_share"],
    )


def where(columns: Mapping[str, str | None], *conditions: str) -> tuple[str, tuple[str, ...]]:
    """Condition that the given columns have the given values (those of None any), and its parameters."""
    given = {name: value for name, value in columns.items() if value is not None}
    parts = [*(f"{name} = ?" for name in given), *conditions]
    return ("WHERE " + " AND ".join(parts) if parts else ""), tuple(given.values())
