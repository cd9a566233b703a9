"""`tocco data ...`: corpora into label files."""

from __future__ import annotations

from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.audio.rendering import FluidSynthRenderer, write_flac
from tocco.data.corpora import percepiano
from tocco.music.midi import load_midi


def import_percepiano(
    source: Path, target: Path, *, render: bool, soundfont: Path | None, labels: percepiano.LabelsKind
) -> None:
    """Write label file, MIDI, scores and, with `render`, audio; say what was done and left out."""
    if render:
        with FluidSynthRenderer(soundfont) as renderer, progress_bar("rendering") as advance:
            report = percepiano.import_percepiano(
                source,
                target,
                render=lambda midi, audio: write_flac(audio, renderer.render(load_midi(midi))),
                labels=labels,
                on_progress=advance,
            )
    else:
        report = percepiano.import_percepiano(source, target, render=None, labels=labels)
    typer.echo(
        f"{report.labels_path}: {report.n_records} excerpts, {report.n_human} of them by pianists; "
        f"{report.n_rendered} rendered, {report.n_kept} kept from before"
    )
    for reason in report.skipped:
        typer.echo(f"left out: {reason}")
