"""The database of a library: SQLite with a write-ahead log, one short connection for each use."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tocco.errors import InputError, OutputError

VERSION: Final = 1
"""Of the tables; a library of a later one is refused."""

_BUSY_MS: Final = 10_000

_TABLES: Final = """
CREATE TABLE takes (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    piece TEXT NOT NULL,
    played_on TEXT NOT NULL,
    created_at TEXT NOT NULL,
    files TEXT NOT NULL,
    score_from TEXT NOT NULL CHECK (score_from IN ('none', 'given', 'sought')),
    summary TEXT
) STRICT;
CREATE TABLE results (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('compare', 'rank')),
    options TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE members (
    result_id TEXT NOT NULL REFERENCES results(id) ON DELETE CASCADE,
    take_id TEXT NOT NULL REFERENCES takes(id),
    place INTEGER NOT NULL,
    PRIMARY KEY (result_id, take_id)
) STRICT;
CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    stored TEXT NOT NULL,
    n_bytes INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('assess', 'compare', 'rank')),
    subject TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    place INTEGER NOT NULL,
    stage TEXT NOT NULL DEFAULT '',
    done REAL NOT NULL DEFAULT 0,
    total REAL NOT NULL DEFAULT 0,
    error TEXT,
    interruptions INTEGER NOT NULL DEFAULT 0,
    started_at TEXT,
    ended_at TEXT
) STRICT;
CREATE INDEX jobs_by_state ON jobs (state, place);
"""


class Database:
    """The tables of a library.

    Parameters
    ----------
    path : of the file, made with its tables where it does not exist

    Raises
    ------
    InputError
        The file is no library, or one of a later release.
    OutputError
        It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._connected() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        if version > VERSION:
            raise InputError(
                path,
                f"is a library of a later release (version {version})",
                allowed=f"version {VERSION}",
                next_step="use that release, or name another folder with -o",
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the tables."""
        with self._connected() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are all made at the end of the block, or none after an error."""
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def forget(self) -> None:
        """Empty the write-ahead log, which holds copies of rows that were deleted since."""
        with self._connected() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self.path, timeout=_BUSY_MS / 1000.0, isolation_level=None)
            ) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")  # deleted rows are overwritten
                yield connection
        except (sqlite3.OperationalError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.errno != errno.EIO else str(error)
            raise OutputError(
                self.path, f"cannot be used ({reason})", next_step="check the folder and its free space"
            ) from error
        except sqlite3.DatabaseError as error:
            raise InputError(
                self.path, f"is no library ({error})", next_step="name another folder with -o"
            ) from error


def now() -> str:
    """The time, UTC, to the second, as the tables hold it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
