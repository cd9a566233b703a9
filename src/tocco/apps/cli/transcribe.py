"""Options of `tocco transcribe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Transcriber


def transcribe(
    audio: Annotated[list[Path], typer.Argument(metavar="AUDIO...", help="Recordings of a piano.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .mid file for one recording, else a folder.")
    ],
    transcriber: Transcriber = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace MIDI that is there.")] = False,
) -> None:
    """Transcribe recordings to MIDI: notes with velocity, and the pedals."""
    from tocco.audio.containers import identify_container
    from tocco.files import assert_plain_file

    if len(audio) == 1:  # a file that is no recording is named before anything is loaded
        assert_plain_file(audio[0])
        identify_container(audio[0])
    from tocco.apps.commands import transcribe as command

    raise typer.Exit(command.transcribe(audio, output, transcriber, overwrite=overwrite))
