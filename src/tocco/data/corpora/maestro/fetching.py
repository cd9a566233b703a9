"""Download of a part of MAESTRO: planned, checked for disk space, parallel, and resumable.

A file exists under its name only when it is complete and verified; it is then listed in a ledger with
its size and SHA-256. A second run reads the ledger and downloads only what is missing.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tocco.data.corpora.corpus import (
    CARD,
    CHECKSUMS,
    MANIFEST,
    ImportReport,
    card_text,
    content_sha256,
    write_if_changed,
)
from tocco.data.corpora.maestro.index import Recording, Release, card, label_records, metadata_csv
from tocco.data.corpora.maestro.sources import Server, Source, crc32_of
from tocco.data.downloading import part_of
from tocco.data.records import write_labels
from tocco.errors import InputError, OutputError
from tocco.files import sha256_of

LEDGER: Final = ".fetched.jsonl"
METADATA: Final = "metadata.csv"

_LOCK = ".fetching.lock"
_TEMPORARY = re.compile(r"\..*-[0-9a-f]{8}\.(wav|midi|json)")  # as `files.replacing` names them
_PART = re.compile(r"\.(.+)\.part(?:\.json)?")  # as `downloading.part_of` and `note_of` name them
_SPARE_BYTES = 64 << 20  # for the tables, and for a file system that is never quite full


@dataclass(frozen=True)
class MissingFile:
    """One file to download.

    Attributes
    ----------
    name : in the archive
    path : in the folder of the corpus
    max_bytes : maximum size of a file of its kind and duration
    size_bytes, transfer_bytes : unpacked and compressed size
    """

    name: str
    path: str
    max_bytes: int
    size_bytes: int
    transfer_bytes: int


@dataclass(frozen=True)
class Plan:
    """Files to download.

    Attributes
    ----------
    recordings : all chosen recordings
    missing : their files that are not in the folder
    shared_bytes : additional transfer: the archive of all MIDI files
    """

    recordings: tuple[Recording, ...]
    missing: tuple[MissingFile, ...]
    shared_bytes: int

    @property
    def transfer_bytes(self) -> int:
        """Total transfer."""
        return self.shared_bytes + sum(file.transfer_bytes for file in self.missing)

    @property
    def size_bytes(self) -> int:
        """Total size of the unpacked files."""
        return self.shared_bytes + sum(file.size_bytes for file in self.missing)

    def room_bytes(self, jobs: int) -> int:
        """Disk space of the run: the files, and the compressed parts that exist at the same time."""
        parts = sorted((file.transfer_bytes for file in self.missing), reverse=True)
        return self.size_bytes + sum(parts[:jobs])


@dataclass(frozen=True)
class LedgerEntry:
    """A downloaded and verified file."""

    path: str
    size_bytes: int
    sha256: str


class Ledger:
    """Downloaded files, one line each; a line truncated by a crash is ignored.

    Parameters
    ----------
    folder : of the corpus
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / LEDGER
        self._lock = threading.Lock()
        self._entries = {entry.path: entry for entry in self._read()}

    def has(self, path: str) -> bool:
        """Whether a file was downloaded and still has its size."""
        entry, file = self._entries.get(path), self._folder / path
        return entry is not None and file.is_file() and file.stat().st_size == entry.size_bytes

    def sha256(self, path: str) -> str | None:
        """Checksum of a downloaded file; None for other files."""
        return self._entries[path].sha256 if path in self._entries else None

    def add(self, path: str, sha256: str) -> None:
        """Add a file; the entry is flushed to the disk."""
        entry = LedgerEntry(path, (self._folder / path).stat().st_size, sha256)
        with self._lock, self._path.open("a+b") as stream:
            if stream.seek(0, os.SEEK_END) > 0:
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    stream.write(b"\n")
            stream.write(json.dumps(asdict(entry)).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
            self._entries[path] = entry

    def _read(self) -> Iterator[LedgerEntry]:
        if not self._path.is_file():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                yield LedgerEntry(**json.loads(line))
            except (ValueError, TypeError):
                continue


def make_plan(source: Source, recordings: Sequence[Recording], folder: Path) -> Plan:
    """Missing files of the chosen recordings, with their sizes; no request if nothing is missing.

    Raises
    ------
    InputError
        The source cannot be reached or lacks a file.
    """
    ledger = Ledger(folder)
    missing = [
        MissingFile(name, path, max_bytes, source.size_bytes(name), source.transfer_bytes(name))
        for recording in recordings
        for name, path, max_bytes in _files(recording)
        if not ledger.has(path)
    ]
    needs_midi = any(file.name.endswith(".midi") for file in missing)
    shared = source.midi_archive_bytes() if needs_midi and isinstance(source, Server) else 0
    return Plan(tuple(recordings), tuple(missing), shared)


def check_room(plan: Plan, folder: Path, jobs: int) -> None:
    """Refuse a run without enough disk space, before it begins.

    Raises
    ------
    OutputError
        There is less space than the files need.
    """
    begun = [part_of(folder / file.path) for file in plan.missing]
    here = sum(part.stat().st_size for part in begun if part.is_file())
    needed = plan.room_bytes(jobs) - here + (_SPARE_BYTES if plan.missing else 0)
    existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise OutputError(
            folder,
            f"has room for {free / 1e9:.1f} GB, and {needed / 1e9:.1f} GB are needed",
            next_step="choose a smaller --subset or another disk",
        )


def fetch(
    source: Source,
    plan: Plan,
    folder: Path,
    *,
    jobs: int = 4,
    stop: Callable[[], object] = lambda: None,
    on_file: Callable[[MissingFile], object] = lambda file: None,
) -> None:
    """Download all missing files; finished files remain if the run fails.

    Parameters
    ----------
    source, plan, folder
    jobs : parallel downloads
    stop
        Makes the source cancel its downloads.
    on_file
        Called for every finished file, from any thread.

    Raises
    ------
    InputError, OutputError
        The first file that failed; no further downloads are started.
    """
    ledger = Ledger(folder)

    def fetch_one(file: MissingFile) -> None:
        target = folder / file.path
        sha256 = _adopted(source, file, target) or source.fetch(file.name, target, file.max_bytes)
        ledger.add(file.path, sha256)
        on_file(file)

    pool = ThreadPoolExecutor(jobs, thread_name_prefix="fetch")
    try:
        for done in as_completed([pool.submit(fetch_one, file) for file in plan.missing]):
            done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        stop()
        raise
    finally:
        pool.shutdown(wait=True)


def describe_folder(index: Sequence[Recording], release: Release, folder: Path) -> ImportReport:
    """Write metadata, manifest, checksums and card of every recording with both files.

    Raises
    ------
    InputError
        There is none.
    OutputError
        They cannot be written.
    """
    ledger = Ledger(folder)
    here = [r for r in index if ledger.has(r.audio_path) and ledger.has(r.midi_path)]
    if not here:
        raise InputError(folder, "has no recording of MAESTRO", next_step="fetch some first")
    paths = sorted(path for r in here for path in (r.audio_path, r.midi_path))
    sha256 = {path: ledger.sha256(path) or "" for path in paths}
    report = ImportReport(
        manifest_path=folder / MANIFEST,
        n_records=len(here),
        n_pieces=len({r.piece_id for r in here}),
        n_performers=0,
        n_clusters=len({r.piece_id for r in here}),
        duration_sec=sum(r.duration_sec for r in here),
        skipped=(),
    )
    write_if_changed(folder / METADATA, metadata_csv(here))
    write_if_changed(folder / CHECKSUMS, "".join(f"{sha256[path]}  {path}\n" for path in paths).encode())
    write_if_changed(folder / CARD, card_text(card(release, content_sha256(sha256)), report).encode())
    write_labels(label_records(here, folder), report.manifest_path)
    return report


def sweep(folder: Path) -> None:
    """Remove temporary files of a run that was killed; partial downloads remain, to be continued.

    A partial download of a complete file is removed too: the run was killed between rename and removal.
    The caller must have exclusive access to the folder.
    """
    for path in folder.glob("[0-9]*/*/.*"):
        part = _PART.fullmatch(path.name)
        if _TEMPORARY.fullmatch(path.name) or (part and path.with_name(part[1]).is_file()):
            path.unlink()


@contextmanager
def exclusive_access(folder: Path) -> Iterator[None]:
    """Lock the folder against a second run; the lock is released with the process, however it ends.

    Raises
    ------
    OutputError
        Another run has the lock.
    """
    with (folder / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(
                folder, "is in use by another run", next_step="wait for it, or choose another folder"
            ) from error
        yield


def _files(recording: Recording) -> tuple[tuple[str, str, int], ...]:
    return (
        (recording.audio_name, recording.audio_path, recording.max_audio_bytes),
        (recording.midi_name, recording.midi_path, recording.max_midi_bytes),
    )


def _adopted(source: Source, file: MissingFile, target: Path) -> str | None:
    """SHA-256 of a file without a ledger entry, if it matches the source."""
    if not target.is_file() or target.stat().st_size != file.size_bytes:
        return None
    return sha256_of(target) if crc32_of(target) == source.crc32(file.name) else None
