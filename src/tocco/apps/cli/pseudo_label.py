"""Options of `tocco pseudo-label ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import (
    Address,
    EngineName,
    Jobs,
    PoolPieces,
    Scale,
    TranscribedScale,
    Transcriber,
    chosen,
)


def label(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="Performances with MIDI or a recording, JSONL.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The labels, a .jsonl file.")],
    corrupted: Annotated[
        int,
        typer.Option("--corrupt", metavar="N", min=0, help="Add N corrupted versions of each performance."),
    ] = 0,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help="A corruption to draw from; repeat the option for several; default all."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the corruptions and the spot checks.")] = 0,
    printed_scores: Annotated[
        bool,
        typer.Option(
            "--printed-scores/--given-scores",
            help="Use the MusicXML beside a score MIDI: it has markings that MIDI lacks.",
        ),
    ] = True,
    peers: Annotated[
        bool,
        typer.Option("--peers/--alone", help="Compare pianists of one piece with each other, or do not."),
    ] = True,
    transcribed: Annotated[
        bool,
        typer.Option(
            "--transcribed",
            help="The MIDI was transcribed from audio: omit ratings that a transcription does not support.",
        ),
    ] = False,
    transcriber: Transcriber = None,
    spot_checks: Annotated[int, typer.Option(min=0, help="Audio segments on the summary page.")] = 20,
    scale: Scale = None,
    transcribed_scale: TranscribedScale = None,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
) -> None:
    """Rate every 10 s segment of the performances of a manifest by rule; resumable, with a summary page."""
    from tocco.apps.commands import pseudo_label as command
    from tocco.data.pseudo_labelling import CorruptionPlan
    from tocco.engines import engine_of
    from tocco.music.corruption import CORRUPTIONS

    options = command.PseudoLabelOptions(
        scale=scale,
        transcribed_scale=transcribed_scale,
        plan=CorruptionPlan(corrupted, chosen(kinds, CORRUPTIONS, "--kind"), seed),
        printed_scores=printed_scores,
        peers=peers,
        spot_checks=spot_checks,
        is_transcribed=transcribed,
        transcriber=transcriber,
        soundfont=soundfont,
        engine=engine_of(engine, jobs=jobs, address=address),
    )
    raise typer.Exit(command.generate(manifest, output, options))


def fit_scale(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Performances with MIDI and score, JSONL.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The scale, a JSON file.")],
    share: Annotated[
        float, typer.Option(help="Share of every composer's pieces; the rest is for validation.")
    ] = 0.5,
    takes: Annotated[int, typer.Option(min=1, help="Maximum number of performances per piece.")] = 3,
    rendered: Annotated[int, typer.Option(min=0, help="Number of performances rendered to audio.")] = 24,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the choice of performances and of simulated transcription.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
    pieces: PoolPieces = None,
    transcribed: Annotated[
        bool,
        typer.Option(
            "--transcribed",
            help="Fit the scale for transcriptions: measure simulated transcriptions.",
        ),
    ] = False,
) -> None:
    """Fit the scale that maps measured components to ratings, from competent performances."""
    from tocco.apps.commands import fit_scale as command

    command.fit_reference_scale(
        labels,
        output,
        share=share,
        takes=takes,
        rendered=rendered,
        seed=seed,
        jobs=jobs,
        soundfont=soundfont,
        pieces=pieces,
        is_transcribed=transcribed,
    )


def fit_norms(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Performances with MIDI and score, JSONL.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The norms, a JSON file.")],
    share: Annotated[float, typer.Option(help="Share of every composer's pieces, as in fit-scale.")] = 0.5,
    takes: Annotated[int, typer.Option(min=1, help="Maximum number of performances per piece.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the choice of performances.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    pieces: PoolPieces = None,
) -> None:
    """Fit the norms of touch and level that the raters compare a performance with."""
    from tocco.apps.commands import fit_norms as command

    command.fit_reference_norms(labels, output, share=share, takes=takes, seed=seed, jobs=jobs, pieces=pieces)


def fit_damage(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Performances with MIDI and score, JSONL.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The anchors, a JSON file.")],
    share: Annotated[float, typer.Option(help="Share of every composer's pieces, as in fit-scale.")] = 0.5,
    takes: Annotated[int, typer.Option(min=1, help="Maximum number of performances per piece.")] = 1,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the choice, the windows, the damages and the transcriber.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
    pieces: PoolPieces = None,
) -> None:
    """Fit the anchors of the measures of damage, from competent performances and damaged ones."""
    from tocco.apps.commands import fit_damage as command

    command.fit_damage_anchors(labels, output, share=share, takes=takes, seed=seed, jobs=jobs, pieces=pieces)
