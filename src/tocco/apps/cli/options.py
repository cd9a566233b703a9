"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

EngineName = Annotated[
    Literal["local", "ray"], typer.Option(help="'local': processes on this machine; 'ray': a cluster.")
]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Parallel processes on this machine, default 1; a cluster uses all its cores."),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", help="Address of a Ray cluster; by default Ray starts on this machine."
    ),
]
Scale = Annotated[Path | None, typer.Option(help="Scale for recorded MIDI; the one that ships if not given.")]
TranscribedScale = Annotated[
    Path | None, typer.Option(help="Scale for transcribed MIDI; the one that ships if not given.")
]
Transcriber = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Transcribe recordings without MIDI by this command, in which {audio} and {midi} stand for the "
        "two files; by default with the built-in transcriber.",
    ),
]
As = Annotated[
    Path | None,
    typer.Option(
        "--as",
        metavar="CALIBRATION.json",
        help="Show beside the ratings how one person would mark them; `tocco calibrate` makes the file.",
    ),
]
MarkingSchemeName = Annotated[
    str | None,
    typer.Option(
        "--rubric",
        metavar="abrsm|rcm|trinity|FILE.yaml",
        help="Show beside the ratings the criteria of an examination board. No examination result.",
    ),
]
PoolPieces = Annotated[
    Path | None,
    typer.Option("--pieces", help="File of the pool's pieces, one per line, in place of a share of all."),
]


def chosen(given: list[str] | None, known: Iterable[str], option: str) -> tuple[str, ...]:
    """The selected names, in the order of the known ones; all of them if none is given."""
    names = tuple(known)
    for name in given or names:
        if name not in names:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(names)}.", param_hint=f"'{option}'")
    return tuple(name for name in names if not given or name in given)
