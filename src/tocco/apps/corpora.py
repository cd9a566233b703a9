"""`tocco data ...`: corpora into label files, MIDI into audio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.rendering import FluidSynthRenderer, write_flac
from tocco.data import percepiano
from tocco.errors import InputError, OutputError
from tocco.files import writable_folder
from tocco.music.midi import load_midi


def import_percepiano(source: Path, target: Path, *, render: bool, soundfont: Path | None) -> None:
    """Write label file, MIDI, scores and, with `render`, audio; say what was done and left out."""
    if render:
        with FluidSynthRenderer(soundfont) as renderer, progress_bar("rendering") as advance:
            report = percepiano.import_percepiano(
                source,
                target,
                render=lambda midi, audio: write_flac(audio, renderer.render(load_midi(midi))),
                on_progress=advance,
            )
    else:
        report = percepiano.import_percepiano(source, target, render=None)
    typer.echo(
        f"{report.labels_path}: {report.n_records} excerpts, {report.n_human} of them by pianists; "
        f"{report.n_rendered} rendered, {report.n_kept} kept from before"
    )
    for reason in report.skipped:
        typer.echo(f"left out: {reason}")


def render(midi: Sequence[Path], output: Path, *, soundfont: Path | None) -> None:
    """Render each MIDI to `output` (one .flac) or to `output`/NAME.flac."""
    one_file = output.suffix.lower() == ".flac"
    if one_file and len(midi) > 1:
        raise OutputError(output, f"is one file for {len(midi)} performances", next_step="name a folder")
    names = [path.stem for path in midi]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(twice, "names two of the MIDI files", next_step="render them into two folders")
    performances = [load_midi(path) for path in midi]
    writable_folder(output.parent if one_file else output)
    with FluidSynthRenderer(soundfont) as renderer, progress_bar("rendering") as advance:
        for n, (name, performance) in enumerate(zip(names, performances, strict=True), start=1):
            target = output if one_file else output / f"{name}.flac"
            write_flac(target, renderer.render(performance))
            advance(n, len(names))
