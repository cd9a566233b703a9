"""Copies of a store, made while it is in use."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path

from tocco.errors import InputError, ToccoError
from tocco.files import replacing
from tocco.labelling.connections import plain_error
from tocco.labelling.store import RatingStore
from tocco.labelling.store_file import create_store


def check_store(path: Path) -> int:
    """Check every page of a store; returns the number of its events.

    Raises
    ------
    InputError
        It is no store, or is damaged.
    """
    with RatingStore(path) as store, store.connections.reading() as db:
        problems = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
        if problems != ["ok"]:
            raise InputError(path, f"is damaged ({problems[0]})", next_step="restore a backup of it")
        return db.execute("SELECT count(*) FROM events").fetchone()[0]


def backup(store: RatingStore, path: Path) -> int:
    """Write a copy of a store to one file, while others may write to it; returns the number of its events.

    Raises
    ------
    OutputError
        The copy cannot be written.
    """
    with replacing(path) as temporary:
        try:
            with contextlib.closing(sqlite3.connect(temporary)) as copy:
                with store.connections.lent() as db:
                    db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        except sqlite3.Error as error:
            raise plain_error(path, error) from error
    count = check_store(path)
    store.note("admin", "backup", {"events": count})
    return count


def restore(copy: Path, path: Path) -> Path | None:
    """Replace what a store has by a backup of it, in one transaction.

    What was there is first copied beside it.

    Parameters
    ----------
    copy
        A file that `backup` wrote.
    path
        The store; it may be missing, damaged or in use.

    Returns
    -------
    Where the former content is now; None where there was none.

    Raises
    ------
    InputError
        `copy` is no readable store.
    """
    check_store(copy)
    former = _set_aside(path)
    if not path.exists():
        create_store(path)
    with RatingStore(path) as store:
        try:
            with contextlib.closing(sqlite3.connect(copy)) as source, store.connections.lent() as db:
                source.backup(db)
        except sqlite3.Error as error:
            raise plain_error(path, error) from error
        store.note("admin", "restore", {"from": copy.name})
    check_store(path)
    return former


def _set_aside(path: Path) -> Path | None:
    """Copy a readable store beside itself; move an unreadable one, with its log, out of the way."""
    if not path.exists():
        return None
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    former = path.with_name(f"{path.stem}-before-restore-{stamp}{path.suffix}")
    try:
        with RatingStore(path) as store:
            backup(store, former)
    except ToccoError:
        for ending in ("", "-wal", "-shm"):
            part = path.with_name(path.name + ending)
            if part.exists():
                part.rename(former.with_name(former.name + ending))
    return former
