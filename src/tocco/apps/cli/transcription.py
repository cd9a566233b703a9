"""Options of `tocco transcription ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def pairs(
    labels: Annotated[Path, typer.Argument(help="Label file of performances with MIDI and score, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for recordings and MIDI.")],
    pieces: Annotated[
        Path | None, typer.Option(help="Pieces that may be used, one piece_id per line; all if not given.")
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Number of recordings.")] = 40,
    seconds: Annotated[float, typer.Option(min=10.0, help="Length of a recording.")] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of pieces, excerpts, pianos and rooms.")] = 20261201,
    transcriber: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND", help="Program in place of the built-in one, as 'name {audio} {midi}'."
        ),
    ] = None,
) -> None:
    """Record known keys on sampled pianos in rooms and by phones, and transcribe the recordings."""
    from tocco.apps.commands import transcription as command
    from tocco.evaluation.transcription.pairs import PairTask

    command.make(labels, output, pieces, n=n, task=PairTask(seconds, seed), transcriber=transcriber)


def fit(
    recordings: Annotated[list[Path], typer.Argument(help="Folders that `tocco transcription pairs` wrote.")],
    bundle: Annotated[Path, typer.Option(help="Bundle whose calibration is to know it.")],
) -> None:
    """Find what transcription takes from ratings, and write it into the calibration of a bundle."""
    from tocco.apps.commands import transcription as command

    command.fit(recordings, bundle)


def report(
    recordings: Annotated[list[Path], typer.Argument(help="Folders that `tocco transcription pairs` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the report.")],
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; by default the one of the package.")
    ] = None,
) -> None:
    """Compare ratings by transcription with ratings by the keys, and planted note errors with found ones."""
    from tocco.apps.commands import transcription as command

    command.report(recordings, output, bundle)
