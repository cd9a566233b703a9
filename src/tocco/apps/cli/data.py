"""Options of `tocco data ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Address, EngineName, Jobs
from tocco.errors import UsageError


def maestro(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the corpus.")] = Path(
        "data/maestro"
    ),
    subset: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="That many recordings, balanced over composer and year; else all 1,276."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Chooses among equals; more with the same seed adds.")] = 0,
    source: Annotated[
        str | None,
        typer.Option(help="Address of a mirror, a folder, or a .zip; the publisher's if not given."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Files, or checks, at once.")] = 4,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched, and its size.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Check what is here: bytes, length, audio against MIDI; fetch nothing."
        ),
    ] = False,
) -> None:
    """Fetch MAESTRO v3.0.0 (CC BY-NC-SA 4.0) or a balanced part of it, resumable; or check it."""
    from tocco.apps.commands import maestro as command

    if verify:
        if subset is not None or source is not None or dry_run:
            raise UsageError(
                "--verify",
                "checks all that is in --output, and --subset, --source or --dry-run is given beside it",
                next_step="leave them out",
            )
        raise typer.Exit(command.verify(output, jobs=jobs))
    command.maestro(output, subset=subset, seed=seed, source=source, jobs=jobs, dry_run=dry_run)


def render(
    output: Annotated[Path, typer.Option("-o", "--output", help="A .flac file for one MIDI, else a folder.")],
    midi: Annotated[
        list[Path] | None,
        typer.Argument(metavar="MIDI...", help="Performance MIDI files.", show_default=False),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Render the MIDI of a label file, JSONL, and write it anew."),
    ] = None,
    soundfont: Annotated[
        str | None, typer.Option(help="A piano (musescore, timgm6mb:bright, ...), a file, or 'any'.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws piano, level and room, by what is played.")] = 0,
    level_db: Annotated[
        tuple[float, float], typer.Option(metavar="LOW HIGH", help="Level, in dB around -23 LUFS.")
    ] = (0.0, 0.0),
    room: Annotated[str, typer.Option(help="'none', 'any', or a room such as concert_hall.")] = "none",
    pedal: Annotated[str, typer.Option(help="'half': continuous; 'on-off': down from 64 on.")] = "half",
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of renderings to share between runs.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are no renderings.")
    ] = False,
) -> None:
    """Render performance MIDI to FLAC, 24 kHz; what is there already is kept."""
    from tocco.apps.commands import render as command
    from tocco.engines import engine_of

    if (labels is None) == (not midi):
        raise UsageError(
            "tocco data render",
            "wants either MIDI files or --labels",
            next_step="give one of the two",
        )
    machines = engine_of(engine, jobs=jobs, address=address)
    options = command.RenderOptions(soundfont, seed, level_db, room, pedal, machines, cache, overwrite)
    if labels is not None:
        raise typer.Exit(command.render_labels(labels, output, options))
    raise typer.Exit(command.render_midi(midi or [], output, options))


def prepare(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL, of performances with audio and MIDI.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Folder of kept files; `train -o RUNS/NAME`: RUNS/prepared."),
    ],
    config: Annotated[
        Path | None, typer.Option(help="Experiment whose windows are wanted; the default's if not given.")
    ] = None,
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
) -> None:
    """Read, align and measure what is to be learned from, once; what is kept already is not made again."""
    from tocco.apps.commands import prepare as command
    from tocco.engines import engine_of

    machines = engine_of(engine, jobs=jobs, address=address)
    raise typer.Exit(command.prepare(labels, config, output, machines))
