"""Options of `tocco align`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Transcriber
from tocco.errors import UsageError


def align(
    played: Annotated[Path, typer.Argument(metavar="AUDIO|MIDI", help="The performance.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for match file, JSON, picture.")],
    score: Annotated[
        Path | None, typer.Argument(metavar="SCORE", help="MusicXML, .mxl or score MIDI.", show_default=False)
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of scores, in place of SCORE: the one played is found."),
    ] = None,
    midi: Annotated[Path | None, typer.Option(help="Performance MIDI of the recording.")] = None,
    transcriber: Transcriber = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results of other inputs under the same name.")
    ] = False,
) -> None:
    """Align a performance with its score: match file, JSON, and a picture of mistakes and tempo.

    A recording without MIDI is transcribed.
    """
    from tocco.apps.commands import align as command

    if (score is None) == (scores is None):
        raise UsageError(
            "align",
            "got no score" if score is None else f"got the score {score} and --scores {scores}",
            allowed="one of the two",
            next_step="name the score behind the performance, or a folder of scores with --scores",
        )
    command.align(
        played, score, output, scores=scores, midi=midi, transcriber=transcriber, overwrite=overwrite
    )
