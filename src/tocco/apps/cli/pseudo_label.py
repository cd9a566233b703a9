"""Options of `tocco pseudo-label ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Address, EngineName, Jobs, PoolPieces, Scale, TranscribedScale, chosen


def label(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="Performances with MIDI, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The labels, a .jsonl file.")],
    corrupted: Annotated[
        int,
        typer.Option(
            "--corrupt", metavar="N", min=0, help="Add N versions of each performance made worse on purpose."
        ),
    ] = 0,
    kinds: Annotated[
        list[str] | None,
        typer.Option("--kind", help="A corruption to draw from; repeat it; all if not given."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the corruptions and the spot check.")] = 0,
    printed_scores: Annotated[
        bool,
        typer.Option(
            "--printed-scores/--given-scores",
            help="Take the MusicXML beside a score MIDI: it has the signs that MIDI lacks.",
        ),
    ] = True,
    peers: Annotated[
        bool,
        typer.Option("--peers/--alone", help="Compare pianists of one piece with each other, or rate alone."),
    ] = True,
    transcribed: Annotated[
        bool,
        typer.Option(
            "--transcribed",
            help="The MIDI was read off recordings by a transcriber: rate only what can be heard.",
        ),
    ] = False,
    spot_checks: Annotated[int, typer.Option(min=0, help="Segments to listen to on the summary page.")] = 20,
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
    takes: Annotated[int, typer.Option(min=1, help="Performances of one piece at most.")] = 3,
    rendered: Annotated[int, typer.Option(min=0, help="Performances to render and listen to.")] = 24,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the choice of pieces and takes, and of a transcriber's errors.")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that align and measure.")] = 1,
    soundfont: Annotated[Path | None, typer.Option(help="Soundfont; else TOCCO_SOUNDFONT or system.")] = None,
    pieces: PoolPieces = None,
    transcribed: Annotated[
        bool,
        typer.Option(
            "--transcribed",
            help="The scale for transcriptions: measure the performances through a transcriber's noise.",
        ),
    ] = False,
) -> None:
    """Fit the scale that turns measured components into ratings to competent performances."""
    from tocco.apps.commands import fit_scale as pseudo_scale

    pseudo_scale.fit_reference_scale(
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
    share: Annotated[float, typer.Option(help="Share of every composer's pieces, as of fit-scale.")] = 0.5,
    takes: Annotated[int, typer.Option(min=1, help="Performances of one piece at most.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the choice of pieces and takes.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that align and read.")] = 1,
    pieces: PoolPieces = None,
) -> None:
    """Fit the norms of touch and level that the raters hold a performance against."""
    from tocco.apps.commands import fit_norms as pseudo_norms

    pseudo_norms.fit_reference_norms(
        labels, output, share=share, takes=takes, seed=seed, jobs=jobs, pieces=pieces
    )
