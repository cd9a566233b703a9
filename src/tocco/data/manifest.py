"""Manifests of performances to assess: a CSV of files, or the label file of an imported corpus."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from tocco.csv_table import read_lines
from tocco.data.pairing import TakeFiles
from tocco.errors import InputError, short
from tocco.files import SAFE_NAME_RULE, file_name, is_safe_name

COLUMNS: Final = ("id", "audio", "midi", "score")
"""Columns of a manifest, in any order; each may be absent."""

LABEL_SUFFIXES: Final = frozenset((".jsonl", ".ndjson"))


def read_manifest(path: Path, *, must_exist: bool = False) -> tuple[TakeFiles, ...]:
    """Read the performances of a manifest, in order.

    Parameters
    ----------
    path
        A CSV, UTF-8, separated by commas, semicolons or tabs, whose header names some of the columns id,
        audio, midi, score, in any order. A missing column counts as empty; a performance without an id
        has the name of its recording, or of its MIDI. Other columns are ignored. Or a label file,
        .jsonl. Relative paths are relative to the folder of the manifest.
    must_exist
        Also check that every named file exists.

    Raises
    ------
    InputError
        Names the file and the line.
    """
    rows = _of_labels(path) if path.suffix.lower() in LABEL_SUFFIXES else _of_table(path)
    subject_of: dict[str, str] = {}
    for subject, take in rows:
        # Ids that differ only in case are the same file on many file systems.
        first = subject_of.setdefault(take.id.casefold(), subject)
        if first != subject:
            raise InputError(
                subject,
                f"id {take.id!r} is already used in {first.rpartition(', ')[2]}",
                next_step="give every performance an id of its own",
            )
        if must_exist:
            _check_files(subject, take)
    if not rows:
        raise InputError(path, "has no performances", allowed="one row per performance")
    return tuple(take for _, take in rows)


def _of_table(path: Path) -> list[tuple[str, TakeFiles]]:
    folder = path.absolute().parent
    rows = []
    for number, cells in _rows(path):
        subject = f"{path}, line {number}"
        files = {name: _located(subject, cells[name], folder) for name in COLUMNS[1:] if cells.get(name)}
        rows.append((subject, take_files(subject, cells.get("id"), files)))
    return rows


def take_files(subject: str, name: str | None, files: Mapping[str, Path]) -> TakeFiles:
    """Validate the files of one performance.

    Parameters
    ----------
    subject : for messages
    name : the id; if empty, the name of the recording, or of the MIDI
    files : "audio", "midi", "score" -> file

    Raises
    ------
    InputError
        There is neither recording nor MIDI, or the id cannot name a file.
    """
    played = files.get("audio", files.get("midi"))
    if played is None:
        raise InputError(
            subject,
            "audio and midi are both empty",
            allowed="a recording, a performance MIDI, or both",
            next_step="name one of them in this line",
        )
    name = name or file_name(played.stem)
    if not is_safe_name(name):
        raise InputError(
            subject,
            f"id {short(name)} cannot name a file",
            allowed=SAFE_NAME_RULE,
            next_step="give the performance another id",
        )
    return TakeFiles(name, files.get("audio"), files.get("midi"), files.get("score"))


def _of_labels(path: Path) -> list[tuple[str, TakeFiles]]:
    from tocco.data.records import read_labels

    rows = []
    for record in read_labels(path):
        subject = f"{path}, {record.segment_id}"
        if record.start_time > 0.0 or record.end_time is not None:
            raise InputError(
                subject,
                "describes a part of a performance (start_time, end_time)",
                allowed="whole performances",
                next_step="cut the recording, or assess all of it",
            )
        if not is_safe_name(record.segment_id):
            raise InputError(
                subject,
                f"segment_id {short(record.segment_id)} cannot name a file",
                allowed=SAFE_NAME_RULE,
                next_step="give the performance another segment_id",
            )
        files = {"audio": record.audio_path, "midi": record.midi_path, "score": record.score_path}
        rows.append((subject, TakeFiles(record.segment_id, **files, origin=record.origin)))
    return rows


def _rows(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    """Line number and cells, by column, of every row below the header; blank lines are skipped."""
    lines = read_lines(path)
    header = _header(path, [cell.strip().casefold() for cell in lines[0][1]] if lines else [])
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise InputError(
                f"{path}, line {number}",
                f"has {len(cells)} cells",
                allowed=f"{len(header)}, as the header {','.join(header)!r}",
                next_step="leave an empty cell for a missing value, and quote a name that contains a comma",
            )
        rows.append((number, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}))
    return rows


def _header(path: Path, header: list[str]) -> list[str]:
    allowed = f"columns named {', '.join(COLUMNS)}"
    if not header:
        raise InputError(path, "is empty", allowed=allowed, next_step="write one row per performance")
    twice = next((name for name in header if name in COLUMNS and header.count(name) > 1), None)
    if twice is not None:
        raise InputError(
            path, f"has the column {twice!r} twice", allowed=allowed, next_step="keep one of them"
        )
    for name in header:
        meant = get_close_matches(name, COLUMNS, n=1, cutoff=0.75)
        if name not in COLUMNS and meant and meant[0] not in header:
            raise InputError(
                path, f"has a column {short(name)}", allowed=allowed, next_step=f"call it {meant[0]!r}"
            )
    if not {"audio", "midi"} & set(header):
        raise InputError(
            path,
            f"begins with {short(','.join(header))}",
            allowed=allowed,
            next_step="give a table with a header that names 'audio', 'midi' or both, saved as UTF-8",
        )
    return header


def _located(subject: str, text: str, folder: Path) -> Path:
    if "\0" in text:
        raise InputError(subject, "has a path with a NUL byte", next_step="write the path as text")
    return folder / text


def _check_files(subject: str, take: TakeFiles) -> None:
    for name in COLUMNS[1:]:
        file = getattr(take, name)
        if file is not None and not file.is_file():
            raise InputError(subject, f"{name} {str(file)!r} is not a file", next_step="check the path")
