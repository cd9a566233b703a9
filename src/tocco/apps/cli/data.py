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
            metavar="N",
            min=1,
            help="Number of recordings, balanced over composer and year; default all 1,276.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the subset; a larger one contains a smaller.")
    ] = 0,
    source: Annotated[
        str | None,
        typer.Option(help="URL of a mirror, a folder, or a .zip; by default the publisher's site."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Parallel downloads or checks.")] = 4,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be downloaded, and its size.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Check the local files: bytes, length, audio against MIDI; download nothing."
        ),
    ] = False,
) -> None:
    """Download MAESTRO v3.0.0 (CC BY-NC-SA 4.0) or a balanced subset, resumable; or verify it."""
    from tocco.apps.commands import maestro as command

    if verify:
        if subset is not None or source is not None or dry_run:
            raise UsageError(
                "--verify",
                "checks everything in --output, and cannot be combined with --subset, --source or --dry-run",
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
        typer.Option(help="Render the MIDI of a label file, JSONL, and write a new label file."),
    ] = None,
    soundfont: Annotated[
        str | None, typer.Option(help="Instrument (musescore, timgm6mb:bright, ...), soundfont, or 'any'.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of instrument, level and room.")] = 0,
    level_db: Annotated[
        tuple[float, float], typer.Option(metavar="LOW HIGH", help="Level, in dB around -23 LUFS.")
    ] = (0.0, 0.0),
    room: Annotated[str, typer.Option(help="'none', 'any', or a room such as concert_hall.")] = "none",
    pedal: Annotated[str, typer.Option(help="'half': continuous; 'on-off': down from value 64.")] = "half",
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of cached renderings, shared by runs.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are not renderings.")
    ] = False,
) -> None:
    """Render performance MIDI to FLAC, 24 kHz; existing renderings are not made again."""
    from tocco.apps.commands import render as command
    from tocco.engines import engine_of

    if (labels is None) == (not midi):
        raise UsageError(
            "tocco data render",
            "needs either MIDI files or --labels",
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
        typer.Option("-o", "--output", help="Cache folder; `train -o RUNS/NAME` reads RUNS/prepared."),
    ],
    config: Annotated[
        Path | None, typer.Option(help="Experiment whose windows are prepared; default windows if not given.")
    ] = None,
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
) -> None:
    """Prepare training inputs: read, align and measure each record once; cached records are skipped."""
    from tocco.apps.commands import prepare as command
    from tocco.engines import engine_of

    machines = engine_of(engine, jobs=jobs, address=address)
    raise typer.Exit(command.prepare(labels, config, output, machines))
