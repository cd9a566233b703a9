"""`tocco assess`: one performance to a table, a JSON and a picture; or a manifest of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
import typer

from tocco.apps.progress import progress_bar
from tocco.apps.table import print_assessment
from tocco.data.records import ManifestRow, read_manifest
from tocco.errors import InputError, OutputError, ToccoError
from tocco.files import is_safe_name, writable_folder
from tocco.inference.assessment import (
    Assessment,
    read_assessment,
    write_assessment,
    write_assessment_table,
)
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import load_bundle
from tocco.inference.picture import draw_curve

SOME_FAILED = 1


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
    name = _safe_stem((audio or midi or Path()).stem)
    if output is not None:
        writable_folder(output)
    assessment = Assessor(bundle).assess(audio, midi, score)
    if output is not None:
        _refuse_other_take(output / f"{name}.json", assessment, overwrite=overwrite)
        written = write_assessment(assessment, output, name)
        draw_curve(assessment, output / f"{name}.png")
        print_assessment(assessment)
        typer.echo(f"{written}\n{written.with_suffix('.png')}")
    else:
        print_assessment(assessment)


def assess_manifest(manifest: Path, bundle: Path | None, output: Path, *, jobs: int) -> int:
    """Assess every row that has no assessment yet; a row that fails does not end the batch.

    Returns
    -------
    The exit code: 1 where a row failed, each of which is named on stderr.
    """
    rows = read_manifest(manifest)
    writable_folder(output)
    sha256 = load_bundle(bundle).sha256
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
    write_assessment_table(complete, output / "assessments.csv")
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
    with ProcessPoolExecutor(jobs, initializer=_start_worker, initargs=(bundle, threads)) as pool:
        yield from zip(rows, pool.map(_assess_row, rows, [output] * len(rows)), strict=True)


_worker: dict[str, Assessor] = {}


def _start_worker(bundle: Path | None, threads: int) -> None:
    torch.set_num_threads(threads)
    _worker["assessor"] = Assessor(bundle)


def _assess_row(row: ManifestRow, output: Path) -> str | None:
    """What went wrong, or None."""
    try:
        assessment = _worker["assessor"].assess(row.audio, row.midi, row.score)
        draw_curve(assessment, output / f"{row.id}.png")
        write_assessment(assessment, output, row.id)
    except ToccoError as error:
        return str(error)
    return None


def _kept(output: Path, row: ManifestRow, bundle_sha256: str) -> Assessment | None:
    """The assessment of a row from an earlier run, if it is of this bundle."""
    path = output / f"{row.id}.json"
    if not path.is_file():
        return None
    found = read_assessment(path)
    if found.bundle.sha256 != bundle_sha256:
        raise OutputError(
            path,
            f"was made by another bundle ({found.bundle.name} {found.bundle.version})",
            next_step="name another folder, or remove it",
        )
    return found


def _refuse_other_take(path: Path, assessment: Assessment, *, overwrite: bool) -> None:
    """The same inputs may be assessed again into the same file; other inputs may not take its place."""
    if overwrite or not path.exists():
        return
    before, now = read_assessment(path).inputs, assessment.inputs
    if [before.audio.sha256, before.midi.sha256] != [now.audio.sha256, now.midi.sha256]:
        raise OutputError(
            path, "is the assessment of another performance", next_step="name another folder, or --overwrite"
        )


def _safe_stem(stem: str) -> str:
    if not is_safe_name(stem):
        raise InputError(stem, "cannot name the output files", next_step="rename the recording")
    return stem
