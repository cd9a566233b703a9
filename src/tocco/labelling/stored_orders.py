"""What is presented to each rater, and where each was last: rows of the store, written once."""

from __future__ import annotations

from collections.abc import Iterable

from tocco.labelling.events import Item, Pair
from tocco.labelling.store import RatingStore


def stored_order(store: RatingStore, rater_id: str) -> tuple[Item, ...]:
    """The order of a rater; empty before `extend_order`."""
    with store.connections.reading() as db:
        rows = db.execute(
            "SELECT position, segment_id, occasion FROM orders WHERE rater_id = ? ORDER BY position",
            (rater_id,),
        ).fetchall()
    return tuple(Item(*row) for row in rows)


def extend_order(store: RatingStore, rater_id: str, items: Iterable[Item]) -> tuple[Item, ...]:
    """Append items to the order of a rater; return what is stored.

    Nothing is appended where another process was first: a position is given away once.
    """
    rows = [(rater_id, one.position, one.segment_id, one.occasion) for one in items]
    with store.connections.writing() as db:
        end = db.execute("SELECT count(*) FROM orders WHERE rater_id = ?", (rater_id,)).fetchone()[0]
        if rows and rows[0][1] == end:
            db.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    return stored_order(store, rater_id)


def last_position(store: RatingStore, rater_id: str) -> int | None:
    """The item at which the rater was last; None before the first."""
    with store.connections.reading() as db:
        row = db.execute("SELECT position FROM last_items WHERE rater_id = ?", (rater_id,)).fetchone()
    return row["position"] if row else None


def set_last_position(store: RatingStore, rater_id: str, position: int) -> None:
    """Remember the item at which the rater is."""
    with store.connections.writing() as db:
        db.execute("INSERT OR REPLACE INTO last_items VALUES (?, ?)", (rater_id, position))


def stored_pairs(store: RatingStore, rater_id: str) -> tuple[Pair, ...]:
    """The pairs of a rater; empty before `extend_pairs`."""
    with store.connections.reading() as db:
        rows = db.execute(
            "SELECT number, segment_a, segment_b FROM pairs WHERE rater_id = ? ORDER BY number", (rater_id,)
        ).fetchall()
    return tuple(Pair(*row) for row in rows)


def extend_pairs(store: RatingStore, rater_id: str, pairs: Iterable[Pair]) -> tuple[Pair, ...]:
    """Append pairs for a rater, as `extend_order`."""
    rows = [(rater_id, one.number, one.segment_a, one.segment_b) for one in pairs]
    with store.connections.writing() as db:
        end = db.execute("SELECT count(*) FROM pairs WHERE rater_id = ?", (rater_id,)).fetchone()[0]
        if rows and rows[0][1] == end:
            db.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?)", rows)
    return stored_pairs(store, rater_id)
