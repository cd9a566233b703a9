"""Options of `tocco report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tocco.apps.cli.options import As, MarkingSchemeName


def report(
    assessment: Annotated[
        Path, typer.Argument(metavar="ASSESSMENT.json", help="An assessment that tocco wrote.")
    ],
    audio: Annotated[
        Path | None, typer.Option(help="The recording that was assessed; it is put into the report.")
    ] = None,
    midi: Annotated[Path | None, typer.Option(help="The performance MIDI that was assessed.")] = None,
    score: Annotated[
        Path | None, typer.Option(help="The score that it was assessed with, for its dynamic signs.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="HTML file; by default beside the assessment, of its name."),
    ] = None,
    sound: Annotated[
        Literal["inside", "beside"],
        typer.Option(help="Whether the sound is in the report or in a file beside it."),
    ] = "inside",
    as_: As = None,
    rubric: MarkingSchemeName = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is no report of this performance.")
    ] = False,
) -> None:
    """Write the report of an assessment: one HTML file to read, hear and print."""
    from tocco.apps.commands import report as command

    command.report(
        assessment,
        audio=audio,
        midi=midi,
        score=score,
        output=output,
        sound=sound,
        calibration=as_,
        rubric=rubric,
        overwrite=overwrite,
    )
