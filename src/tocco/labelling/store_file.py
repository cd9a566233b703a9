"""The file of a store: made whole, and recognised before it is opened."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from pathlib import Path

from tocco.errors import InputError, OutputError
from tocco.files import writable_folder
from tocco.labelling.connections import plain_error
from tocco.labelling.store_schema import APPLICATION_ID, SCHEMA_VERSION, TABLES


def create_store(path: Path) -> None:
    """Make an empty store; it appears whole, and replaces nothing.

    Raises
    ------
    OutputError
        There is a file already, or it cannot be written.
    """
    writable_folder(path.parent)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with contextlib.closing(sqlite3.connect(temporary)) as db:
            db.executescript(
                f"BEGIN;{TABLES}PRAGMA application_id = {APPLICATION_ID};"
                f"PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"
            )
        os.link(temporary, path)
    except FileExistsError as error:
        raise OutputError(path, "is there already", next_step="choose another project folder") from error
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", next_step="choose another project folder"
        ) from error
    except sqlite3.Error as error:
        raise plain_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_header(path: Path) -> None:
    """Refuse what is no store of this version, before SQLite may write to it.

    Raises
    ------
    InputError
        Says what it is instead.
    """
    if not path.is_file():
        raise InputError(path, "does not exist", next_step="make a project with `tocco label prepare`")
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
        raise InputError(path, "is no store of ratings", next_step="check the path, or restore a backup")
    version, application = (int.from_bytes(head[at : at + 4], "big") for at in (60, 68))
    if application != APPLICATION_ID:
        raise InputError(path, "is no store of ratings", next_step="check the path")
    if version != SCHEMA_VERSION:
        raise InputError(
            path,
            f"is a store of version {version}",
            allowed=str(SCHEMA_VERSION),
            next_step="use the release of tocco that wrote it",
        )
