"""Options of `tocco align`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Transcriber


def align(
    played: Annotated[Path, typer.Argument(metavar="AUDIO|MIDI", help="The performance.")],
    score: Annotated[Path, typer.Argument(metavar="SCORE", help="MusicXML, .mxl or score MIDI.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for match file, JSON, picture.")],
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

    command.align(played, score, output, midi=midi, transcriber=transcriber, overwrite=overwrite)
