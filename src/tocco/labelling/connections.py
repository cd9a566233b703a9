"""Connections to one SQLite file: durable settings, short transactions, errors in one line.

A transaction that returned is on the disk: the log is written through (WAL, synchronous=FULL). Not for files
on network drives, where SQLite's locks do not hold.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tocco.errors import InputError, OutputError, ToccoError

BUSY_SEC: Final = 20.0
"""Time to wait for another process that is writing."""

_FULL: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def connect(path: Path, busy_sec: float = BUSY_SEC) -> sqlite3.Connection:
    """Connection with durable settings; transactions are begun by hand."""
    connection = sqlite3.connect(path, timeout=busy_sec, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class Connections:
    """Connections to one file for the threads of one process. Not to be used across a fork.

    Parameters
    ----------
    path
    busy_sec
    """

    def __init__(self, path: Path, busy_sec: float = BUSY_SEC) -> None:
        self.path = path
        self._busy_sec = busy_sec
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        # SQLite polls for its lock; threads that queue here instead are served in turn and at once.
        self._writing = threading.Lock()
        self._is_closed = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Connection with one consistent view of the file."""
        with self._lent() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Connection in a write transaction: at the end of the block its changes are on the disk.

        After an error nothing of the block is.
        """
        with self._writing, self._lent() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the idle connections; those in use are closed when they return."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextlib.contextmanager
    def lent(self) -> Iterator[sqlite3.Connection]:
        """Connection without a transaction, for SQLite's backup."""
        with self._writing, self._lent() as connection:
            yield connection

    @contextlib.contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = connect(self.path, self._busy_sec)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            with self._lock:
                if not self._is_closed:
                    self._idle.append(connection)
                    return
            connection.close()
        except sqlite3.Error as error:
            raise plain_error(self.path, error) from error


def plain_error(path: Path, error: sqlite3.Error) -> ToccoError:
    """The error of SQLite as one that a user can act on."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _FULL:
        return OutputError(
            path,
            f"cannot be written ({error}); this change was not saved, everything before it was",
            next_step="free space on the disk and send it again",
        )
    if code in _BUSY:
        return OutputError(path, "is in use by another process for too long", next_step="try again")
    if code in _DAMAGED:
        return InputError(
            path, f"is not a readable store of ratings ({error})", next_step="restore a backup of it"
        )
    return OutputError(path, f"cannot be used ({error})", next_step="check the file and its folder")
