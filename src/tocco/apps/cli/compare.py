"""Options of `tocco compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.given import takes_to_assess
from tocco.apps.cli.options import Transcriber
from tocco.errors import UsageError


def compare(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="TAKE...",
            help="Two takes of one piece or more, the earliest first: recordings, performance MIDI, and the "
            "score of all; or assessments (.json) of `tocco assess -o`.",
            show_default=False,
        ),
    ] = None,
    score: Annotated[list[Path] | None, typer.Option(help="Score of all takes.")] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="CSV of the takes, as for `tocco assess`; needs -o.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for comparison.html and .json, and for the assessments."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; by default the one of the package.")
    ] = None,
    transcribed: Annotated[
        bool, typer.Option("--transcribed", help="The MIDI was transcribed from a recording.")
    ] = False,
    transcriber: Transcriber = None,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Compare takes of one piece: what is better, by how much and how surely, bar by bar."""
    if not files and manifest is None:
        raise UsageError("compare", "got nothing to compare", next_step="give two takes of one piece")
    if manifest is not None and output is None:
        raise UsageError("--manifest", "needs -o", next_step="name a folder for the assessments with -o")
    from tocco.apps.commands.compare import compare_takes
    from tocco.apps.commands.given import divided

    assessed, others = divided(files or [])
    takes = takes_to_assess(others, score or [], manifest, transcribed=transcribed)
    raise typer.Exit(
        compare_takes(
            assessed,
            takes,
            [path.stem for path in files or []],
            bundle=bundle,
            output=output,
            transcriber=transcriber,
            jobs=jobs,
        )
    )
