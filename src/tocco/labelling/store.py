"""The store of ratings: one SQLite file, to which events are appended.

Of several events of a rater, presentation and dimension the newest counts; an undo is an event as well.
A method that returns `Saved` has written to the disk. One store serves all threads of a process, and several
processes may have stores of the same file.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tocco.errors import InputError
from tocco.labelling.connections import BUSY_SEC, Connections
from tocco.labelling.events import (
    OCCASIONS,
    Answers,
    AuditEntry,
    CommentGiven,
    Event,
    ListeningGiven,
    Occasion,
    Presentation,
    Rating,
    RatingGiven,
    Saved,
    UndoGiven,
    Vote,
    VoteGiven,
)
from tocco.labelling.rows import RATING_COLUMNS, rating_of, where
from tocco.labelling.spans import merged, share_of
from tocco.labelling.store_file import check_header


class RatingStore:
    """Ratings, votes and raters of one project.

    Parameters
    ----------
    path
        A store made by `store_file.create_store`.
    clock
        Unix seconds. It dates events and orders nothing: a clock that jumps does no harm.
    busy_sec
        Time to wait for another process that is writing.

    Raises
    ------
    InputError
        There is no such file, or it is no store of this version.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], float] = time.time, busy_sec: float = BUSY_SEC
    ) -> None:
        self.path = path
        self.clock = clock
        check_header(path)
        self.connections = Connections(path, busy_sec)

    def close(self) -> None:
        """Close every connection; the store is not to be used afterwards."""
        self.connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What a rater gives.

    def rate(self, presentation: Presentation, given: RatingGiven) -> Saved:
        """Save a rating; an earlier one of the same dimension no longer counts.

        Raises
        ------
        InputError
            The rater is unknown or not active, or the event id was used for something else.
        OutputError
            The disk is full or the file cannot be written: nothing of this event is saved.
        """
        return self._append(
            "rating",
            presentation.rater_id,
            given,
            segment_id=presentation.segment_id,
            occasion=presentation.occasion,
            dimension=given.dimension,
            value=given.value,
            uncertain=int(given.uncertain),
        )

    def comment(self, presentation: Presentation, given: CommentGiven) -> Saved:
        """Save the comment on a presentation. Raises as `rate`."""
        return self._append(
            "comment",
            presentation.rater_id,
            given,
            segment_id=presentation.segment_id,
            occasion=presentation.occasion,
            comment=given.comment,
        )

    def vote(self, rater_id: str, segment_a: str, segment_b: str, given: VoteGiven) -> Saved:
        """Save which of two segments is better. Raises as `rate`."""
        return self._append(
            "vote",
            rater_id,
            given,
            segment_id=segment_a,
            other_segment_id=segment_b,
            dimension=given.dimension,
            outcome=given.outcome,
        )

    def undo(self, presentation: Presentation, given: UndoGiven) -> Saved:
        """Take back the newest standing rating or comment of a presentation; the one before counts again.

        Raises
        ------
        InputError
            Nothing is left to undo; else as `rate`.
        """
        return self._append(
            "undo",
            presentation.rater_id,
            given,
            segment_id=presentation.segment_id,
            occasion=presentation.occasion,
        )

    def undo_vote(self, rater_id: str, segment_a: str, segment_b: str, given: UndoGiven) -> Saved:
        """Take back the newest standing vote on a pair. Raises as `undo`."""
        return self._append("undo", rater_id, given, segment_id=segment_a, other_segment_id=segment_b)

    def save_listening(
        self, presentation: Presentation, given: ListeningGiven, duration_sec: float
    ) -> Answers:
        """Add played spans and the position of the playback.

        Parameters
        ----------
        presentation, given
        duration_sec
            Length of the segment, from the project and not from the client.

        Returns
        -------
        What stands for the presentation, with everything heard so far.
        """
        now = self.clock()
        key = (presentation.rater_id, presentation.segment_id, presentation.occasion)
        with self.connections.writing() as db:
            _check_rater(self.path, db, presentation.rater_id)
            row = db.execute(
                "SELECT heard FROM listening WHERE (rater_id, segment_id, occasion) = (?, ?, ?)", key
            ).fetchone()
            before = [(start, end) for start, end in json.loads(row["heard"])] if row else []
            heard = merged([*before, *given.heard], duration_sec)
            db.execute(
                "INSERT OR REPLACE INTO listening VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *key,
                    json.dumps(heard),
                    share_of(heard, duration_sec),
                    min(given.position_sec, duration_sec),
                    given.client_time_sec,
                    now,
                ),
            )
        return self.answers(presentation)

    # What stands.

    def answers(self, presentation: Presentation) -> Answers:
        """Everything that stands for one presentation."""
        key = (presentation.rater_id, presentation.segment_id, presentation.occasion)
        where = "WHERE (rater_id, segment_id, occasion) = (?, ?, ?)"
        with self.connections.reading() as db:
            ratings = db.execute(f"SELECT {RATING_COLUMNS} FROM ratings {where}", key).fetchall()
            comment = db.execute(f"SELECT comment FROM comments {where}", key).fetchone()
            heard = db.execute(f"SELECT * FROM listening {where}", key).fetchone()
        return Answers(
            {row["dimension"]: rating_of(row) for row in ratings},
            comment["comment"] if comment else "",
            heard["position_sec"] if heard else 0.0,
            tuple((start, end) for start, end in json.loads(heard["heard"])) if heard else (),
            heard["heard_share"] if heard else 0.0,
        )

    def ratings(
        self,
        rater_id: str | None = None,
        segment_id: str | None = None,
        occasions: Sequence[Occasion] = OCCASIONS,
    ) -> tuple[Rating, ...]:
        """Every rating that stands, by sequence; also those that do not count yet (`Rating.counts`)."""
        of_occasions = f"occasion IN ({', '.join('?' * len(occasions))})"
        condition, values = where({"rater_id": rater_id, "segment_id": segment_id}, of_occasions)
        values = (*values, *occasions)
        with self.connections.reading() as db:
            rows = db.execute(
                f"SELECT {RATING_COLUMNS} FROM ratings {condition} ORDER BY sequence", values
            ).fetchall()
        return tuple(rating_of(row) for row in rows)

    def heard_shares(self, rater_id: str) -> Mapping[tuple[str, str], float]:
        """(segment id, occasion) -> share that the rater has heard, 0 to 1."""
        with self.connections.reading() as db:
            rows = db.execute(
                "SELECT segment_id, occasion, heard_share FROM listening WHERE rater_id = ?", (rater_id,)
            ).fetchall()
        return {(row["segment_id"], row["occasion"]): row["heard_share"] for row in rows}

    def comments(self, rater_id: str | None = None) -> Mapping[Presentation, str]:
        """Every comment that stands and is not empty."""
        condition, values = where({"rater_id": rater_id})
        with self.connections.reading() as db:
            rows = db.execute(f"SELECT * FROM comments {condition} ORDER BY sequence", values).fetchall()
        return {
            Presentation(row["rater_id"], row["segment_id"], row["occasion"]): row["comment"]
            for row in rows
            if row["comment"]
        }

    def votes(self, rater_id: str | None = None) -> tuple[Vote, ...]:
        """Every vote that stands, by sequence."""
        condition, values = where({"rater_id": rater_id})
        with self.connections.reading() as db:
            rows = db.execute(f"SELECT * FROM votes {condition} ORDER BY sequence", values).fetchall()
        return tuple(
            Vote(
                row["rater_id"],
                row["segment_id"],
                row["other_segment_id"],
                row["dimension"],
                row["outcome"],
                row["sequence"],
                row["server_time_sec"],
            )
            for row in rows
        )

    def events(self, rater_id: str | None = None, after: int = 0) -> tuple[Event, ...]:
        """The history by sequence: every event after number `after`, superseded and undone ones too."""
        condition, values = where({"rater_id": rater_id}, "sequence > ?")
        with self.connections.reading() as db:
            rows = db.execute(
                f"SELECT * FROM events {condition} ORDER BY sequence", (*values, after)
            ).fetchall()
        return tuple(Event(**{**dict(row), "uncertain": bool(row["uncertain"])}) for row in rows)

    # The audit log.

    def note(self, who: str, action: str, detail: Mapping[str, object] | None = None) -> None:
        """Add a line to the audit log; what raters give adds its own."""
        with self.connections.writing() as db:
            add_audit(db, self.clock(), who, action, detail or {})

    def audit(self, who: str | None = None, after: int = 0) -> tuple[AuditEntry, ...]:
        """The audit log by sequence, after number `after`."""
        condition, values = where({"who": who}, "sequence > ?")
        with self.connections.reading() as db:
            rows = db.execute(
                f"SELECT * FROM audit {condition} ORDER BY sequence", (*values, after)
            ).fetchall()
        return tuple(
            AuditEntry(
                row["sequence"], row["server_time_sec"], row["who"], row["action"], json.loads(row["detail"])
            )
            for row in rows
        )

    def _append(
        self,
        kind: str,
        rater_id: str,
        given: RatingGiven | CommentGiven | UndoGiven | VoteGiven,
        **columns: Any,
    ) -> Saved:
        now = self.clock()
        row = {
            "kind": kind,
            "rater_id": rater_id,
            "event_id": given.event_id,
            "uncertain": 0,
            "position_sec": given.position_sec,
            "listened_share": given.listened_share,
            "client_time_sec": given.client_time_sec,
            "server_time_sec": now,
            **columns,
        }
        with self.connections.writing() as db:
            _check_rater(self.path, db, rater_id)
            known = db.execute(
                "SELECT * FROM events WHERE rater_id = ? AND event_id = ?", (rater_id, given.event_id)
            ).fetchone()
            if known is not None:
                return _acknowledged_before(self.path, known, row)
            if kind == "undo":
                row["undoes"] = _newest_standing(self.path, db, row)
            names = ", ".join(row)
            places = ", ".join(f":{name}" for name in row)
            sequence = db.execute(f"INSERT INTO events ({names}) VALUES ({places})", row).lastrowid
            assert sequence is not None
            add_audit(db, now, rater_id, kind, {"event": sequence})
        return Saved(sequence, now, undone=row.get("undoes"))


def add_audit(
    db: sqlite3.Connection, now: float, who: str, action: str, detail: Mapping[str, object]
) -> None:
    """Add a line to the audit log, inside a transaction."""
    db.execute(
        "INSERT INTO audit (server_time_sec, who, action, detail) VALUES (?, ?, ?, ?)",
        (now, who, action, json.dumps(dict(detail), ensure_ascii=False, sort_keys=True)),
    )


def _check_rater(path: Path, db: sqlite3.Connection, rater_id: str) -> None:
    row = db.execute("SELECT is_active FROM raters WHERE rater_id = ?", (rater_id,)).fetchone()
    if row is None or not row["is_active"]:
        problem = "is not a rater" if row is None else "is no longer active"
        raise InputError(
            path, f"{rater_id!r} {problem} of this project", next_step="invite them with `tocco label invite`"
        )


def _acknowledged_before(path: Path, known: sqlite3.Row, row: Mapping[str, Any]) -> Saved:
    """The acknowledgement of an event that is sent again."""
    what = ("kind", "segment_id", "other_segment_id", "occasion", "dimension", "value", "uncertain")
    if any(known[name] != row.get(name) for name in (*what, "comment", "outcome")):
        raise InputError(
            path,
            f"event id {row['event_id']!r} was used for something else",
            next_step="give every event an id of its own",
        )
    return Saved(known["sequence"], known["server_time_sec"], is_duplicate=True, undone=known["undoes"])


def _newest_standing(path: Path, db: sqlite3.Connection, row: Mapping[str, Any]) -> int:
    newest = db.execute(
        "SELECT max(sequence) FROM standing WHERE rater_id = :rater_id AND segment_id = :segment_id"
        " AND occasion IS :occasion AND other_segment_id IS :other",
        {"occasion": None, **row, "other": row.get("other_segment_id")},
    ).fetchone()[0]
    if newest is None:
        raise InputError(path, "nothing is left to undo here", next_step="go on")
    return newest
