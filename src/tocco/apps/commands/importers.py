"""`tocco data asap | vienna | folder`: any corpus into one manifest."""

from __future__ import annotations

from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.data.corpora.corpus import CARD, ImportReport, told


def import_asap(source: Path, target: Path, *, check_scores: bool) -> None:
    """Write ASAP's performances, scores and beats; say what was left out."""
    from tocco.data.corpora import asap

    with progress_bar("reading") as advance:
        report = asap.import_asap(source, target, check_scores=check_scores, on_progress=advance)
    tell(report)


def import_vienna(source: Path, target: Path, *, check_scores: bool) -> None:
    """Write the performances, scores and note alignments of Vienna 4x22; say what was left out."""
    from tocco.data.corpora import vienna

    with progress_bar("reading") as advance:
        report = vienna.import_vienna(source, target, check_scores=check_scores, on_progress=advance)
    tell(report)


def import_folder(source: Path, target: Path, *, name: str | None, licence: str, check_scores: bool) -> None:
    """Write a user's own performances; say what was left out."""
    from tocco.data.corpora import folder

    with progress_bar("reading") as advance:
        report = folder.import_folder(
            source, target, name=name, licence=licence, check_scores=check_scores, on_progress=advance
        )
    tell(report)


def tell(report: ImportReport) -> None:
    """What an import did, and what it left out and why."""
    typer.echo(
        f"{report.manifest_path}: {report.n_records} performances of {report.n_pieces} pieces by "
        f"{report.n_performers} known performers, {report.duration_sec / 3600:.2f} h; "
        f"licence and citation in {CARD}"
    )
    for line in told(report.skipped):
        typer.echo(f"left out: {line}")
