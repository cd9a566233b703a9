"""Files that were sent and wait to become a take: what they are, by their content."""

from __future__ import annotations

import sqlite3
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from tocco.apps.web.library.takes import StoredFile
from tocco.apps.web.refusals import RefusedError
from tocco.audio.containers import READABLE, identify_container
from tocco.data.pairing import (
    AUDIO_SUFFIXES,
    MIDI_SUFFIXES,
    NOTATION_SUFFIXES,
    SCORE_MARK,
    SCORE_SUFFIXES,
    Kind,
    kind_by_content,
    kind_by_name,
)
from tocco.errors import InputError
from tocco.music.notation_programs import SCORE_KINDS, refuse_program_file

Role = Literal["auto", "score"]
"""What a MIDI file is taken for: a performance unless its name says "score", or a score."""

FORGOTTEN_AFTER: Final = timedelta(days=1)
"""Files that did not become a take by then are deleted."""

LONGEST_NAME: Final = 255

_SUFFIXES: Final = AUDIO_SUFFIXES | MIDI_SUFFIXES | SCORE_SUFFIXES | NOTATION_SUFFIXES
_STEMS: Final[dict[Kind, str]] = {"audio": "recording", "midi": "performance", "score": "written"}


@dataclass(frozen=True)
class Upload:
    """A file that was sent.

    Attributes
    ----------
    id
    file
    """

    id: str
    file: StoredFile


def shown_name(given: str) -> str:
    r"""What a file is called: the last part of the name that its owner's machine gave it.

    Raises
    ------
    RefusedError
        It is empty, too long, or has characters that nobody sees.

    >>> shown_name("C:\\music\\Für Elise.wav"), shown_name("../../etc/passwd")
    ('Für Elise.wav', 'passwd')
    """
    name = unicodedata.normalize("NFC", given.replace("\\", "/").rsplit("/", 1)[-1]).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise RefusedError(
            422,
            "name",
            "cannot be shown",
            allowed=f"1 to {LONGEST_NAME} visible characters",
            next_step="rename the file",
        )
    return name


def received_name(name: str) -> str:
    """Name under which a file is received: nothing of the given name but its suffix, out of a fixed list.

    >>> received_name("my take.WAV"), received_name("minuet_score.mid"), received_name("x.exe")
    ('received.wav', 'received_score.mid', 'received')
    """
    path = Path(name)
    suffix = path.suffix.lower() if path.suffix.lower() in _SUFFIXES else ""
    is_score = kind_by_name(path)[0] == "score" and suffix in MIDI_SUFFIXES
    return f"received{SCORE_MARK if is_score else ''}{suffix}"


def identified(path: Path, name: str, role: Role) -> StoredFile:
    """What a received file is, by its first bytes.

    Parameters
    ----------
    path : of the file, named by `received_name`
    name : as its owner calls it
    role

    Raises
    ------
    RefusedError
        It is neither recording nor MIDI nor score; with the sentence of the terminal.
    """
    try:
        kind = kind_by_content(path)
        if kind == "audio":
            identify_container(path)
        elif kind == "midi" and role == "score":
            kind = "score"
        elif kind == "score":
            _check_score(path)
    except InputError as error:
        raise RefusedError(
            415,
            name,
            error.problem,
            allowed=error.allowed or f"{READABLE}; MIDI; {SCORE_KINDS}",
            next_step=error.next_step,
        ) from error
    n_bytes = path.stat().st_size
    return StoredFile(kind=kind, name=name, stored=f"{_STEMS[kind]}{path.suffix}", n_bytes=n_bytes)


def _check_score(path: Path) -> None:
    """Refuse files of notation programs, and what is no score by its content."""
    content = path.read_bytes()
    if content.startswith(b"MThd") or (content.startswith(b"RIFF") and content[8:12] == b"RMID"):
        return
    is_xml = content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")
    if not is_xml:
        refuse_program_file(content, str(path))
    if not is_xml and not content.startswith(b"PK"):
        raise InputError(path, "is no score", allowed=SCORE_KINDS, next_step="export the score as MusicXML")


def insert_upload(connection: sqlite3.Connection, upload: Upload, created_at: str) -> None:
    """Add a file that was received."""
    file = upload.file
    connection.execute(
        "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
        (upload.id, file.kind, file.name, file.stored, file.n_bytes, created_at),
    )


def find_upload(connection: sqlite3.Connection, upload_id: str) -> Upload | None:
    """A file by its id."""
    row = connection.execute("SELECT * FROM uploads WHERE id = ?", (upload_id,)).fetchone()
    if row is None:
        return None
    file = StoredFile(kind=row["kind"], name=row["name"], stored=row["stored"], n_bytes=row["n_bytes"])
    return Upload(row["id"], file)


def remove_upload(connection: sqlite3.Connection, upload_id: str) -> None:
    """Delete the row of a file."""
    connection.execute("DELETE FROM uploads WHERE id = ?", (upload_id,))


def count_uploads(connection: sqlite3.Connection) -> int:
    """How many files wait."""
    return connection.execute("SELECT count(*) FROM uploads").fetchone()[0]


def forgotten_uploads(connection: sqlite3.Connection) -> list[str]:
    """Ids of the files that have waited longer than `FORGOTTEN_AFTER`."""
    before = (datetime.now(UTC) - FORGOTTEN_AFTER).isoformat(timespec="seconds")
    rows = connection.execute("SELECT id FROM uploads WHERE created_at < ?", (before,))
    return [row["id"] for row in rows]
