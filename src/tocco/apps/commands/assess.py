"""`tocco assess`: one performance to a table, a JSON and a picture; or a manifest of them."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import torch
import typer

from tocco.apps.progress import progress_bar
from tocco.data.records import ManifestRow, read_manifest
from tocco.errors import InputError, OutputError, ToccoError
from tocco.files import file_name, sha256_of, writable_folder
from tocco.inference.assessment import (
    Assessment,
    read_assessment,
    write_assessment,
    write_assessment_table,
)
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import load_bundle
from tocco.report.curve_picture import draw_curve
from tocco.report.terminal import print_assessment

SOME_FAILED = 1
TABLE = "assessments.csv"
_TABLE_HEAD = b"id,aggregate,"


def assess_one(
    audio: Path | None,
    midi: Path | None,
    score: Path | None,
    bundle: Path | None,
    output: Path | None,
    *,
    overwrite: bool,
) -> None:
    """Assess one performance, print its table and, with `output`, write JSON and picture."""
    name = file_name((audio or midi or Path()).stem)
    if output is not None:
        writable_folder(output)
        _earlier(output, name, (audio, midi, score), overwrite=overwrite)
    assessment = Assessor(bundle).assess(audio, midi, score)
    written = None if output is None else write_assessment(assessment, output, name)
    if written is not None:
        draw_curve(assessment, written.with_suffix(".png"))
    print_assessment(assessment)
    if written is not None:
        typer.echo(f"{written}\n{written.with_suffix('.png')}")


def assess_manifest(manifest: Path, bundle: Path | None, output: Path, *, jobs: int) -> int:
    """Assess every row that has no assessment yet; a row that fails does not end the batch.

    Returns
    -------
    The exit code: 1 where a row failed, each of which is named on stderr.
    """
    rows = read_manifest(manifest)
    sha256 = load_bundle(bundle).sha256
    writable_folder(output)
    _refuse_other_table(output / TABLE)
    done = {row.id: found for row in rows if (found := _kept(output, row, sha256)) is not None}
    waiting = [row for row in rows if row.id not in done]
    failed: dict[str, str] = {}
    with progress_bar("assessing") as advance:
        results = _assess_rows(waiting, bundle, output, jobs)
        for n, (row, problem) in enumerate(results, start=len(done) + 1):
            if problem is not None:
                failed[row.id] = problem
                typer.echo(f"tocco: row {row.id}: {problem}", err=True)
            advance(n, len(rows))
    complete = {row.id: read_assessment(output / f"{row.id}.json") for row in rows if row.id not in failed}
    write_assessment_table(complete, output / TABLE)
    counts = f"{len(complete)} assessed, {len(done)} of them before, {len(failed)} failed"
    typer.echo(f"{output / 'assessments.csv'}: {counts}")
    return SOME_FAILED if failed else 0


def _assess_rows(
    rows: list[ManifestRow], bundle: Path | None, output: Path, jobs: int
) -> Iterator[tuple[ManifestRow, str | None]]:
    if jobs == 1:
        _start_worker(bundle, torch.get_num_threads())
        yield from ((row, _assess_row(row, output)) for row in rows)
        return
    threads = max(1, torch.get_num_threads() // jobs)
    # Fresh processes: torch's own threads do not survive a fork.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, fresh, initializer=_start_worker, initargs=(bundle, threads)) as pool:
        with _keyboard_unheard():
            outcomes = [(row, pool.submit(_assess_row, row, output)) for row in rows]
        try:
            yield from ((row, _outcome(future)) for row, future in outcomes)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _keyboard_unheard() -> Iterator[None]:
    """Processes started here do not hear the keyboard: the parent does, and lets them end their rows."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _outcome(future: Future[str | None]) -> str | None:
    try:
        return future.result()
    except BrokenProcessPool:
        return "its process was ended from outside, for want of memory perhaps. Next: try with fewer --jobs."


_worker: dict[str, Assessor] = {}


def _start_worker(bundle: Path | None, threads: int) -> None:
    torch.set_num_threads(threads)
    _worker["assessor"] = Assessor(bundle)


def _assess_row(row: ManifestRow, output: Path) -> str | None:
    """What went wrong, or None."""
    try:
        assessment = _worker["assessor"].assess(row.audio, row.midi, row.score)
        written = write_assessment(assessment, output, row.id)
        draw_curve(assessment, written.with_suffix(".png"))
    except ToccoError as error:
        return str(error)
    return None


def _kept(output: Path, row: ManifestRow, bundle_sha256: str) -> Assessment | None:
    """The assessment of a row from an earlier run, if it is of these inputs and of this bundle."""
    found = _earlier(output, row.id, (row.audio, row.midi, row.score))
    if found is None:
        return None
    path = output / f"{row.id}.json"
    if found.bundle.sha256 != bundle_sha256:
        raise OutputError(
            path,
            f"was made by another bundle ({found.bundle.name} {found.bundle.version})",
            next_step="name another folder, or remove it",
        )
    if not path.with_suffix(".png").exists():  # a run that was killed between the two
        draw_curve(found, path.with_suffix(".png"))
    return found


def _earlier(
    output: Path, name: str, files: tuple[Path | None, ...], *, overwrite: bool = False
) -> Assessment | None:
    """The assessment that these inputs left under this name.

    The same inputs may be assessed again into the same file; other inputs may not take its place, and
    nothing may take the place of a file that is no assessment.

    Raises
    ------
    OutputError
        The name is taken.
    """
    path = output / f"{name}.json"
    other = "name another folder, or remove it"
    if not path.exists():
        if (picture := path.with_suffix(".png")).exists():
            raise OutputError(picture, "exists, and is no picture of an assessment", next_step=other)
        return None
    try:
        found = read_assessment(path)
    except InputError as error:
        raise OutputError(path, f"is in the way: no assessment ({error.problem})", next_step=other) from error
    if not all(file is None or file.is_file() for file in files):
        return None  # the inputs themselves are at fault; reading them says how
    given = [None if file is None else sha256_of(file) for file in files]
    if not overwrite and given != _given_sha256(found):
        raise OutputError(
            path, "is the assessment of another performance", next_step="name another folder, or --overwrite"
        )
    return found


def _given_sha256(assessment: Assessment) -> list[str | None]:
    inputs = (assessment.inputs.audio, assessment.inputs.midi, assessment.inputs.score)
    return [file.sha256 if file is not None and file.origin == "given" else None for file in inputs]


def _refuse_other_table(path: Path) -> None:
    """A table of an earlier run may be written again; another file of its name may not be lost."""
    if not path.exists():
        return
    try:
        with path.open("rb") as stream:
            ours = stream.read(len(_TABLE_HEAD)) == _TABLE_HEAD
    except OSError as error:
        raise OutputError(path, f"cannot be replaced ({error.strerror})") from error
    if not ours:
        raise OutputError(path, "exists, and is no table of assessments", next_step="name another folder")
