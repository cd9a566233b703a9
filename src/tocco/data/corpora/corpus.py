"""Common parts of the importers: corpus card, report, and the manifest.

tocco reads every corpus as a folder with `performances.jsonl` (the label schema of `tocco.data.records`, with
empty labels where there are no ratings), the copied files, `CORPUS.md` and `checksums.sha256`.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tocco.data.corpora.annotations import Annotation, annotation_bytes
from tocco.data.records import LabelRecord, write_labels
from tocco.errors import InputError, OutputError, ToccoError
from tocco.files import replacing, sha256_of, write_bytes
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.score import load_score

MANIFEST: Final = "performances.jsonl"
CARD: Final = "CORPUS.md"
CHECKSUMS: Final = "checksums.sha256"

MIN_DURATION_SEC: Final = 1.0
"""Minimum duration; shorter files are tests of the instrument, not performances."""

MAX_DURATION_SEC: Final = 3 * 3600.0
"""Maximum duration, as for `tocco assess`."""

MIN_NOTES: Final = 8

_GROUPED_FROM = 4
_SCORE_ROOT = re.compile(rb"<(?:\w+:)?score-(?:partwise|timewise)[\s>/]")
_HEAD_BYTES = 65_536


@dataclass(frozen=True)
class CorpusCard:
    """Source, licence and citation of a corpus.

    Attributes
    ----------
    name, version, url
    licence
        As the source states it, or that it states none.
    citation
    checksum
        SHA-256 of the content that was read (`content_sha256`).
    notes
        Further information for users, one line each.
    """

    name: str
    version: str
    licence: str
    citation: str
    url: str
    checksum: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A part of the source that was not imported, and the reason."""

    subject: str
    reason: str


@dataclass(frozen=True)
class ImportReport:
    """Result of an import.

    Attributes
    ----------
    manifest_path
        The JSONL with one record per performance.
    n_records, n_pieces, n_performers, n_clusters
    duration_sec : total duration
    skipped
        What was not imported, and why.
    """

    manifest_path: Path
    n_records: int
    n_pieces: int
    n_performers: int
    n_clusters: int
    duration_sec: float
    skipped: tuple[Skipped, ...]

    def lines(self) -> tuple[str, ...]:
        """What was written, and what was left out and why; one line each."""
        return (
            f"{self.manifest_path}: {self.n_records} performances of {self.n_pieces} pieces by "
            f"{self.n_performers} known performers, {self.duration_sec / 3600:.2f} h; "
            f"licence and citation in {CARD}",
            *(f"left out: {line}" for line in grouped(self.skipped)),
        )


@dataclass(frozen=True)
class Take:
    """One performance to be written to a corpus.

    Attributes
    ----------
    record
        Its paths are in the target folder.
    copies : target -> original
    duration_sec
    annotation
        Written to the record's `annotation_path`.
    """

    record: LabelRecord
    copies: Mapping[Path, Path]
    duration_sec: float
    annotation: Annotation | None = None


@dataclass(frozen=True)
class ReadFiles:
    """The files of a source that an import has read, for its checksum.

    Attributes
    ----------
    root
    sha256_of_file : path inside the source -> SHA-256
    """

    root: Path
    sha256_of_file: dict[str, str] = field(default_factory=dict)

    def add(self, path: Path) -> Path:
        """Register a file that is read; returns the same path."""
        name = path.relative_to(self.root).as_posix()
        if name not in self.sha256_of_file:
            self.sha256_of_file[name] = sha256_of(path)
        return path

    @property
    def checksum(self) -> str:
        """SHA-256 of the sorted `<sha256>  <path>` lines of what was read."""
        return content_sha256(self.sha256_of_file)


def content_sha256(sha256_of_file: Mapping[str, str]) -> str:
    """SHA-256 of the list of `<sha256>  <name>` lines, sorted by name: as of `sha256sum` on all the files."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sha256_of_file.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_table(path: Path, required: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV with a header: line number and cells of every row.

    Raises
    ------
    InputError
        The file is missing, not CSV, lacks a column or has one twice, or a row has a wrong number of cells.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            rows = [(reader.line_num, row) for row in reader]
            header = reader.fieldnames or []
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(path, f"is not valid CSV ({error})", next_step="save it as UTF-8 CSV") from error
    if not header:
        raise InputError(path, "is empty", allowed="a CSV with a line of column names")
    missing = [column for column in required if column not in header]
    if missing:
        raise InputError(
            path,
            f"has no column {missing[0]!r}, only {', '.join(map(repr, header))}",
            next_step="name the columns in the first line, with commas between them",
        )
    twice = [column for number, column in enumerate(header) if column in header[:number]]
    if twice:
        raise InputError(path, f"has the column {twice[0]!r} twice", next_step="keep one of them")
    for line, row in rows:
        if None in row or None in row.values():
            raise InputError(f"{path}, line {line}", f"does not have {len(header)} cells")
    return rows


def inside(root: Path, name: str, subject: str) -> Path:
    """A file named by a table of the source, checked to be inside the source.

    Raises
    ------
    InputError
        The path leaves the source, or is no file.
    """
    path = root / name
    if "\0" in name or not path.resolve().is_relative_to(root.resolve()):
        raise InputError(subject, f"names {name!r}, which lies outside the corpus")
    if not path.is_file():
        raise InputError(subject, f"names {name!r}, which does not exist", next_step="fetch the whole corpus")
    return path


def valid_performance(path: Path) -> Performance:
    """Read a performance MIDI and check its duration and number of notes.

    Raises
    ------
    InputError
        It cannot be parsed, or its duration or number of notes is out of range.
    """
    performance = load_midi(path)
    if not MIN_DURATION_SEC <= performance.duration_sec <= MAX_DURATION_SEC:
        raise InputError(
            path,
            f"lasts {performance.duration_sec:.1f} s",
            allowed=f"{MIN_DURATION_SEC:g} s to {MAX_DURATION_SEC / 3600:g} h",
        )
    if len(performance) < MIN_NOTES:
        raise InputError(path, f"has {len(performance)} notes", allowed=f"{MIN_NOTES} or more")
    return performance


def check_score(path: Path, *, parse: bool) -> None:
    """Refuse files that are not scores: by their first lines, or with `parse` by reading them.

    Parsing takes 0.1 to 1 s per score.

    Raises
    ------
    InputError
        It is empty, of another kind, or (with `parse`) cannot be parsed.
    """
    if parse:
        load_score(path)
        return
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})", next_step="check the path") from error
    is_xml = _SCORE_ROOT.search(head.replace(b"\0", b"")) is not None  # NULs: UTF-16
    if not (is_xml or head.startswith((b"MThd", b"PK"))):
        raise InputError(
            path,
            "is empty" if not head else "does not begin like a score",
            allowed="MusicXML, .mxl or score MIDI",
        )


def write_corpus(
    takes: Sequence[Take],
    card: CorpusCard,
    skipped: Sequence[Skipped],
    source: Path,
    target: Path,
    *,
    documents: Mapping[Path, Path] | None = None,
) -> ImportReport:
    """Copy the files and write annotations, card, checksums and, last, the manifest.

    The same source gives the same bytes; an interrupted import is continued.

    Parameters
    ----------
    takes, card, skipped, source, target
    documents : target -> original
        Further files to copy: a licence.

    Raises
    ------
    InputError
        There is no performance, or two have one id.
    OutputError
        The target lies inside the source, or cannot be written.
    """
    check_target(target, source)
    if not takes:
        first = f" ({skipped[0].subject}: {skipped[0].reason})" if skipped else ""
        raise InputError(source, f"has no usable performance{first}")
    takes = sorted(takes, key=lambda take: take.record.segment_id)
    _refuse_equal_names(takes)
    copies: dict[Path, Path] = dict(documents or {})
    for take in takes:
        copies |= take.copies
    for copy, original in sorted(copies.items()):
        copy_file(original, copy)
    for take in takes:
        if take.annotation is not None and take.record.annotation_path is not None:
            write_if_changed(take.record.annotation_path, annotation_bytes(take.annotation))
            copies[take.record.annotation_path] = take.record.annotation_path
    report = ImportReport(
        manifest_path=target / MANIFEST,
        n_records=len(takes),
        n_pieces=len({take.record.piece_id for take in takes}),
        n_performers=len({take.record.performer_id for take in takes} - {None}),
        n_clusters=len({take.record.cluster_id for take in takes} - {None}),
        duration_sec=sum(take.duration_sec for take in takes),
        skipped=tuple(skipped),
    )
    write_bytes(target / CHECKSUMS, checksums(target, copies).encode())
    write_bytes(target / CARD, card_text(card, report).encode())
    write_labels([take.record for take in takes], report.manifest_path)
    return report


def check_target(target: Path, source: Path) -> None:
    """Refuse a target inside the source or one that is not writable; creates nothing.

    Checked first, since an import reads for minutes before it writes.

    Raises
    ------
    OutputError
    """
    if source.is_dir() and target.resolve().is_relative_to(source.resolve()):
        raise OutputError(target, "lies inside the source", next_step="choose a folder outside of it")
    place = target.absolute()
    existing = next(folder for folder in (place, *place.parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        problem = "may not be written to" if existing.is_dir() else "is no folder"
        raise OutputError(existing, problem, next_step="choose a writable folder")


def _refuse_equal_names(takes: Sequence[Take]) -> None:
    """Refuse ids that differ only in case, which are the same file on many file systems."""
    name_of: dict[str, str] = {}
    for take in takes:
        name = take.record.segment_id
        other = name_of.setdefault(name.casefold(), name)
        if other != name:
            raise InputError(name, f"and {other!r} are one file name on many disks", next_step="rename one")


def copy_file(original: Path, copy: Path) -> None:
    """Copy a file, which may be a long recording, unless the target has the same bytes."""
    same_size = copy.is_file() and copy.stat().st_size == original.stat().st_size
    if not (same_size and sha256_of(copy) == sha256_of(original)):
        with replacing(copy) as temporary:
            shutil.copyfile(original, temporary)


def write_if_changed(path: Path, content: bytes) -> None:
    """Write a file, unless it has the same content."""
    if not path.is_file() or path.read_bytes() != content:
        write_bytes(path, content)


def checksums(target: Path, files: Iterable[Path]) -> str:
    """Checksums in the format of sha256sum, so that `sha256sum -c checksums.sha256` verifies the folder."""
    root = target.absolute()
    lines = sorted((path.absolute().relative_to(root).as_posix(), sha256_of(path)) for path in files)
    return "".join(f"{digest}  {name}\n" for name, digest in lines)


def reason_of(error: ToccoError, root: Path) -> str:
    """Problem of an error, without the name of the file and the path of the source."""
    allowed = f" (allowed: {error.allowed})" if error.allowed else ""
    return f"{error.problem}{allowed}".replace(f"{root}/", "")


def grouped(skipped: Iterable[Skipped], longest: int = 3) -> tuple[str, ...]:
    """Lines of a report on what was left out; items with the same reason share a line if there are many.

    >>> grouped([Skipped("a.mid", "is empty"), Skipped("b.mid", "has 2 notes")])
    ('a.mid: is empty', 'b.mid: has 2 notes')
    >>> grouped([Skipped(f"{n}.txt", "is no MIDI") for n in range(5)])
    ('5 x is no MIDI: 0.txt, 1.txt, 2.txt, ...',)
    """
    by_reason: dict[str, list[str]] = defaultdict(list)
    for item in skipped:
        by_reason[item.reason].append(item.subject)
    lines: list[str] = []
    for reason, subjects in by_reason.items():
        if len(subjects) < _GROUPED_FROM:
            lines += [f"{subject}: {reason}" for subject in subjects]
        else:
            lines.append(f"{len(subjects)} x {reason}: {', '.join(subjects[:longest])}, ...")
    return tuple(lines)


def card_text(card: CorpusCard, report: ImportReport) -> str:
    """`CORPUS.md`: description, licence and contents of the corpus."""
    left_out = grouped(report.skipped) or ("nothing",)
    kinds = Counter(item.reason for item in report.skipped)
    return _CARD.format(
        **{
            name: getattr(card, name)
            for name in ("name", "version", "licence", "citation", "url", "checksum")
        },
        n_records=report.n_records,
        n_pieces=report.n_pieces,
        n_performers=report.n_performers,
        n_clusters=report.n_clusters,
        hours=report.duration_sec / 3600,
        n_skipped=sum(kinds.values()),
        notes="".join(f"- {note}\n" for note in card.notes),
        left_out="\n".join(f"- {line}" for line in left_out),
    )


_CARD = """\
# {name}, in tocco's schema

{n_records} performances of {n_pieces} pieces, {hours:.2f} h, {n_performers} known performers, {n_clusters}
clusters of the same music. Split by cluster or by performer, never by performance.

## Source and licence
{name}, {version}. {url}

Licence: {licence}

Cite: {citation}

State all of this in the card of anything that is made from it.

SHA-256 of the files that were read (of their sorted `<sha256>  <path>` lines):
`{checksum}`

## Content
- `performances.jsonl`: one record a performance.
- `checksums.sha256`: of every file here (`sha256sum -c checksums.sha256`).
{notes}
## Left out, and why ({n_skipped})
{left_out}
"""
