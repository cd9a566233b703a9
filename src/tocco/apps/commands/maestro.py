"""`tocco data maestro`: download, describe and verify a part of MAESTRO."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import typer

from tocco.data.corpora.maestro.checks import check_recordings, read_expected
from tocco.data.corpora.maestro.fetching import (
    METADATA,
    MissingFile,
    Plan,
    check_room,
    describe_folder,
    exclusive_access,
    fetch,
    make_plan,
    sweep,
)
from tocco.data.corpora.maestro.index import MAESTRO_V3, Release, parse_index, select
from tocco.data.corpora.maestro.sources import Source, open_source
from tocco.data.downloading import Downloader
from tocco.errors import InputError, OutputError
from tocco.files import writable_folder, write_bytes

_SOME_FAILED = 1


def maestro(
    output: Path,
    *,
    subset: int | None,
    seed: int,
    source: str | None,
    jobs: int,
    dry_run: bool,
    release: Release = MAESTRO_V3,
    downloader: Downloader | None = None,
) -> None:
    """Download the missing files of the chosen recordings, and describe all local ones."""
    counted = _Counter()
    downloader = downloader or Downloader(on_bytes=counted.add)
    opened = open_source(source or release.base_url, release, downloader, output, counted.add)
    _refuse_source_as_output(source, output)
    text, is_new = _index_text(opened, release, output)
    index = parse_index(text, release.index_name)
    chosen = select(index, subset if subset is not None else len(index), np.random.default_rng(seed))
    plan = make_plan(opened, chosen, output)
    if dry_run:
        _show(plan, output, jobs)
        return
    check_room(plan, output, jobs)
    writable_folder(output)
    with exclusive_access(output):
        sweep(output)
        if is_new:
            write_bytes(output / release.index_name, text.encode())
        _fetch(opened, plan, output, jobs, downloader, counted)
        report = describe_folder(index, release, output)
    typer.echo(
        f"{output / METADATA}: {report.n_records} recordings of {report.n_pieces} pieces, "
        f"{report.duration_sec / 3600:.1f} h; {len(plan.missing)} files fetched now"
    )
    typer.echo("licence CC BY-NC-SA 4.0: not for commercial use; CORPUS.md has the citation")


def verify(output: Path, *, jobs: int) -> int:
    """Print one line per recording; the exit code is 1 if any failed."""
    recordings = read_expected(output)
    n_failed = 0
    for finding in check_recordings(recordings, output, jobs):
        n_failed += not finding.is_valid
        typer.echo(f"{'ok    ' if finding.is_valid else 'FAILED'} {finding.audio_path}: {finding.text}")
    typer.echo(f"{len(recordings) - n_failed} of {len(recordings)} recordings are valid")
    return _SOME_FAILED if n_failed else 0


class _Counter:
    """Bytes received so far, from any thread, reported to a listener."""

    def __init__(self) -> None:
        self._n_bytes = 0
        self._lock = threading.Lock()
        self.listener: Callable[[int], object] = lambda n_bytes: None

    def add(self, n_bytes: int) -> None:
        with self._lock:
            self._n_bytes += n_bytes
            self.listener(self._n_bytes)


def _fetch(
    source: Source, plan: Plan, output: Path, jobs: int, downloader: Downloader, counted: _Counter
) -> None:
    """Download with a progress bar on a terminal, else with a line for every hundredth file."""
    if not plan.missing:
        return
    n_done, lock = 0, threading.Lock()

    def on_file(file: MissingFile) -> None:
        nonlocal n_done
        with lock:
            n_done += 1
            if not sys.stderr.isatty() and (n_done % 100 == 0 or n_done == len(plan.missing)):
                typer.echo(f"{n_done} of {len(plan.missing)} files", err=True)

    with _byte_bar("MAESTRO", plan.transfer_bytes) as moved:
        counted.listener = moved
        try:
            fetch(source, plan, output, jobs=jobs, stop=downloader.stop, on_file=on_file)
        finally:
            counted.listener = lambda n_bytes: None


@contextmanager
def _byte_bar(what: str, total: int) -> Iterator[Callable[[int], object]]:
    """Progress bar in bytes with speed and remaining time on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda n_bytes: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda n_bytes: bar.update(task, completed=min(n_bytes, total))


def _index_text(source: Source, release: Release, output: Path) -> tuple[str, bool]:
    """Text of the index, and whether it is not yet in the folder."""
    present = output / release.index_name
    if present.is_file():
        content = present.read_bytes()
        if hashlib.sha256(content).hexdigest() == release.index_sha256:
            return content.decode("utf-8"), False
    text = source.index()
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != release.index_sha256:
        raise InputError(
            release.index_name,
            f"has the SHA-256 {found}, not {release.index_sha256} of {release.version}",
            next_step="choose another --source",
        )
    return text, True


def _show(plan: Plan, output: Path, jobs: int) -> None:
    for file in plan.missing:
        typer.echo(f"{file.path}  {file.size_bytes / 1e6:.1f} MB")
    hours = sum(recording.duration_sec for recording in plan.recordings) / 3600
    typer.echo(
        f"{len(plan.recordings)} recordings, {hours:.1f} h; {len(plan.missing)} files to fetch: "
        f"{plan.transfer_bytes / 1e9:.2f} GB to transfer, {plan.room_bytes(jobs) / 1e9:.2f} GB of room needed"
    )
    check_room(plan, output, jobs)


def _refuse_source_as_output(source: str | None, output: Path) -> None:
    if source is None or source.startswith(("http://", "https://")):
        return
    if Path(source).is_dir() and output.resolve().is_relative_to(Path(source).resolve()):
        raise OutputError(output, "lies inside the source", next_step="choose a folder outside of it")
