"""Options of `tocco calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def calibrate(
    marks: Annotated[
        Path,
        typer.Option(
            metavar="MARKS.csv",
            help="Table of one person's marks: id, then any of the ten dimensions and aggregate, piece; or "
            "of votes: better, worse.",
        ),
    ],
    assessments: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder that `tocco assess -o` wrote: one JSON an id.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="JSON file; the person is called by its name.")
    ],
    scale: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORST-BEST",
            help="Scale of the marks, as 0-30, or 6-1 where 1 is the best; of one column, as aggregate=0-30. "
            "By default the narrowest usual one that holds all marks.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is no personal calibration.")
    ] = False,
) -> None:
    """Learn from about 20 marked takes, or votes, how one person marks; for `tocco assess --as`."""
    from tocco.apps.commands import calibrate as command

    command.calibrate(marks, assessments, output, scale or [], overwrite=overwrite)
