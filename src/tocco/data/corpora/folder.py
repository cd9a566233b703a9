"""Import of a user's own files: a folder with files paired by name, or a CSV."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocco.audio.decoding import open_sound
from tocco.data.corpora.corpus import (
    MIN_DURATION_SEC,
    CorpusCard,
    ImportReport,
    Skipped,
    Take,
    check_score,
    check_target,
    content_sha256,
    read_table,
    reason_of,
    valid_performance,
    write_corpus,
)
from tocco.data.corpora.registry import OnProgress
from tocco.data.duplicates import SAME_TAKE_SHARE, clusters, overlaps
from tocco.data.manifest import COLUMNS, take_files
from tocco.data.pairing import TakeFiles, subject_of, takes_in
from tocco.data.records import LabelRecord
from tocco.data.splits import fingerprint
from tocco.errors import InputError, ToccoError
from tocco.files import sha256_of
from tocco.rubrics import TARGETS
from tocco.schema import nearest
from tocco.units import IntArray

CSV_COLUMNS: Final = (*COLUMNS, "piece", "performer")

_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class _Found:
    """One performance and its files, not yet read."""

    row: TakeFiles
    subject: str
    piece: str | None = None
    performer: str | None = None
    labels: Mapping[str, float] | None = None


@dataclass(frozen=True)
class _Checked:
    """One performance whose files are valid."""

    found: _Found
    duration_sec: float
    runs: IntArray | None
    score_sha256: str | None


def import_folder(
    source: Path,
    target: Path,
    *,
    name: str | None = None,
    licence: str = "not stated",
    check_scores: bool = False,
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Import a user's own recordings, MIDI files and scores as one manifest.

    From a folder, files of one folder and one name, case aside, are one performance: a recording
    (`AUDIO_SUFFIXES`), a performance MIDI (.mid, .midi) and a score (.musicxml, .mxl, .xml, or a MIDI whose
    name ends in "_score"). A score's name may end in "_score" in every format. Two files of one kind under
    one name are ambiguous: the performance is left out and both are named. A score alone is left out.

    From a CSV with the columns id, audio, midi, score and optionally piece, performer and any dimension
    (0 to 100, empty where not rated), every row is one performance; a problem with a row is an error
    that names its line.

    Parameters
    ----------
    source : a folder, or a .csv file
    target
        Output folder; not inside the source.
    name
        Name of the corpus; that of the source if not given.
    licence
        Licence of the files, for the card.
    check_scores
        Parse every score; otherwise only its first lines are checked.
    on_progress
        Called after each performance.

    Raises
    ------
    InputError
        The source or a row of the CSV cannot be used, or no performance is left.
    OutputError
        The target cannot be written.
    """
    check_target(target, source)
    if not source.exists():
        raise InputError(source, "does not exist", next_step="check the path")
    skipped: list[Skipped] = []
    is_table = not source.is_dir()
    root = source.parent if is_table else source
    found = _rows(source) if is_table else _paired(source, skipped)
    checked: list[_Checked] = []
    for done, performance in enumerate(found, start=1):
        try:
            checked.append(_check(performance, parse=check_scores))
        except ToccoError as error:
            if is_table:
                raise type(error)(
                    f"{performance.subject}, {error.subject}",
                    error.problem,
                    allowed=error.allowed,
                    next_step=error.next_step,
                ) from error
            skipped.append(Skipped(performance.subject, reason_of(error, root)))
        if on_progress is not None:
            on_progress(done, len(found))
    unique = _without_duplicates(checked, skipped)
    takes = _takes(unique, target.absolute(), source=name or source.stem)
    return write_corpus(takes, _card(name or source.stem, licence, unique, source), skipped, source, target)


def _paired(folder: Path, skipped: list[Skipped]) -> list[_Found]:
    """The performances of a folder, by the names of its files."""
    takes, left_out = takes_in(folder)
    skipped += [Skipped(one.subject, one.reason) for one in left_out]
    return [_Found(take, subject_of(take, folder)) for take in takes]


def _rows(path: Path) -> list[_Found]:
    """The performances of a CSV, each row checked."""
    table = read_table(path, ["id"])
    known = (*CSV_COLUMNS, *TARGETS)
    for column in table[0][1] if table else ():
        if column not in known:
            raise InputError(path, f"has an extra column: {nearest(column, known)}")
    line_of: dict[str, int] = {}
    found: list[_Found] = []
    for line, cells in table:
        subject = f"{path}, line {line}"
        item = _row(subject, {column: text.strip() for column, text in cells.items()}, path.absolute().parent)
        first = line_of.setdefault(item.row.id.casefold(), line)
        if first != line:
            raise InputError(subject, f"id {item.row.id!r} is already used in line {first}")
        found.append(item)
    return found


def _row(subject: str, cells: Mapping[str, str], folder: Path) -> _Found:
    files = {kind: folder / cells[kind] for kind in COLUMNS[1:] if cells.get(kind)}
    for kind, file in files.items():
        if "\0" in str(file) or not file.is_file():
            raise InputError(subject, f"{kind} {str(file)!r} is not a file", next_step="check the path")
    row = take_files(subject, cells["id"], files)
    labels = {name: _rating(subject, name, cells[name]) for name in TARGETS if cells.get(name)}
    return _Found(row, subject, cells.get("piece") or None, cells.get("performer") or None, labels)


def _rating(subject: str, name: str, text: str) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else -1.0
    if not 0.0 <= value <= 100.0:
        raise InputError(
            subject,
            f"{name} is {text!r}",
            allowed="0 to 100",
            next_step="leave it empty where there is no rating",
        )
    return value


def _check(found: _Found, *, parse: bool) -> _Checked:
    """Read a performance's files; the recording is decoded completely."""
    row, seconds, runs = found.row, 0.0, None
    if row.midi is not None:
        performance = valid_performance(row.midi)
        seconds, runs = performance.duration_sec, fingerprint(performance)
    if row.audio is not None:
        with open_sound(row.audio) as sound:
            seconds = sum(len(block) for block in sound.blocks) / sound.header.sample_rate_hz
        if seconds < MIN_DURATION_SEC:
            raise InputError(row.audio, f"lasts {seconds:.2f} s", allowed=f"{MIN_DURATION_SEC:g} s and more")
    if row.score is not None:
        check_score(row.score, parse=parse)
    return _Checked(found, seconds, runs, sha256_of(row.score) if row.score is not None else None)


def _without_duplicates(checked: Sequence[_Checked], skipped: list[Skipped]) -> list[_Checked]:
    """Every take once: of takes with the same notes, the first by id."""
    runs = {item.found.row.id: item.runs for item in checked if item.runs is not None}
    again = {pair.second: pair for pair in overlaps(runs, SAME_TAKE_SHARE)}
    skipped += [
        Skipped(
            name, f"shares {100 * pair.share:.0f} % of its notes and their times with {pair.first}: one take"
        )
        for name, pair in sorted(again.items())
    ]
    return [item for item in checked if item.found.row.id not in again]


def _takes(unique: Sequence[_Checked], target: Path, *, source: str) -> list[Take]:
    """Records and copies; performances of one piece or with the same score file form a cluster."""
    piece_of = {item.found.row.id: item.found.piece or item.found.row.id for item in unique}
    first_with: dict[str, str] = {}
    links = [
        (first_with.setdefault(item.score_sha256, piece_of[item.found.row.id]), piece_of[item.found.row.id])
        for item in unique
        if item.score_sha256 is not None
    ]
    cluster_of = clusters(piece_of.values(), links)
    takes = []
    for item in unique:
        row = item.found.row
        paths = {
            kind: target / folder / f"{row.id}{original.suffix.lower()}"
            for kind, folder in (("audio", "audio"), ("midi", "midi"), ("score", "score"))
            if (original := getattr(row, kind)) is not None
        }
        piece = piece_of[row.id]
        record = LabelRecord(
            segment_id=row.id,
            piece_id=piece,
            performer_id=item.found.performer,
            source=source,
            audio_path=paths.get("audio"),
            midi_path=paths.get("midi"),
            score_path=paths.get("score"),
            labels=dict(item.found.labels or {}),
            cluster_id=cluster_of[piece],
        )
        takes.append(
            Take(record, {path: getattr(row, kind) for kind, path in paths.items()}, item.duration_sec)
        )
    return takes


def _card(name: str, licence: str, unique: Sequence[_Checked], source: Path) -> CorpusCard:
    read = {
        f"{item.found.row.id}.{kind}": sha256_of(path)
        for item in unique
        for kind in COLUMNS[1:]
        if (path := getattr(item.found.row, kind)) is not None
    }
    if source.is_file():
        read[source.name] = sha256_of(source)
    return CorpusCard(
        name=name,
        version="files of a user; the checksum tells which state",
        licence=licence,
        citation="none",
        url="none",
        checksum=content_sha256(read),
        notes=(
            "`audio/`, `midi/`, `score/`: copies, renamed to the performance's id.",
            "`labels` holds the ratings of the CSV, where it has any; nothing is filled in.",
            "Performances of one piece's name, or with the very same score file, have one `cluster_id`.",
        ),
    )
