"""Options of `tocco benchmark ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Address, EngineName, Jobs, Scale, TranscribedScale, chosen


def trees(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    protocol: Annotated[
        str, typer.Option(help="cv4_cluster: new music; cv4_performer: new pianists; leave_one_work_out.")
    ] = "cv4_cluster",
    as_published: Annotated[
        bool,
        typer.Option(
            "--as-published",
            help="Also test score renderings, despite the leaks: to compare with published figures.",
        ),
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 2,
) -> None:
    """Cross-validate boosted trees on statistics of whole excerpts, with baselines."""
    from tocco.apps.commands import shallow_models as command

    command.benchmark_trees(labels, output, protocol=protocol, as_published=as_published, jobs=jobs)


def statistics(
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    norms: Annotated[Path, typer.Option(help="Folder that `tocco statistics fit-norms` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    protocol: Annotated[
        str, typer.Option(help="cv4_cluster: new music; cv4_performer: new pianists; leave_one_work_out.")
    ] = "cv4_cluster",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the inner folds and the bootstrap.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Cross-validate trees and a kernel regression on statistics, and their blend."""
    from tocco.apps.commands import statistics_models as command

    command.benchmark(labels, norms, output, protocol=protocol, seed=seed, jobs=jobs)


def pseudo_labels(
    performances: Annotated[
        Path,
        typer.Option(
            help="Performances with MIDI and score, JSONL; pieces of the scale's pool are left out."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for report, tables and figures.")],
    percepiano: Annotated[
        Path | None, typer.Option(help="Label file of PercePiano: human ratings to compare with.")
    ] = None,
    leave_out: Annotated[
        Path | None,
        typer.Option(help="Pieces used in development or in an earlier validation, one piece_id per line."),
    ] = None,
    pieces: Annotated[int, typer.Option(min=2, help="Held-out pieces to corrupt.")] = 24,
    takes: Annotated[
        int, typer.Option(min=0, help="Maximum number of performances per piece to compare.")
    ] = 5,
    rendered: Annotated[
        int, typer.Option(min=0, help="Number of corrupted pieces that are also rated with rendered audio.")
    ] = 8,
    transcribed: Annotated[
        int, typer.Option(min=0, help="Number of corrupted pieces that are also rated from transcription.")
    ] = 8,
    transcriber: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Transcribes the rendering, as in 'transkun {audio} {midi}'; simulated if not given.",
        ),
    ] = None,
    excerpt_sec: Annotated[float, typer.Option(min=20.0, help="Length of the corrupted excerpts.")] = 60.0,
    transcribed_sec: Annotated[
        float, typer.Option(min=20.0, help="Length of the transcribed excerpts.")
    ] = 60.0,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the choice of pieces and of every corruption.")
    ] = 0,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            help="A corruption to make; repeat the option for several; all if not given. (d) and (e) do not "
            "depend on it: `--takes 0` skips (d).",
        ),
    ] = None,
    scale: Scale = None,
    transcribed_scale: TranscribedScale = None,
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
) -> None:
    """Validate the pseudo-labels: each responds to changes of its own aspect, and only to those."""
    from tocco.apps.commands import validate_pseudo_labels as command
    from tocco.engines import engine_of
    from tocco.music.corruption import CORRUPTIONS

    if transcriber is not None and not transcribed:
        raise typer.BadParameter(
            "--transcribed 0 leaves nothing to transcribe.", param_hint="'--transcriber'"
        )
    options = command.ValidationOptions(
        scale=scale,
        transcribed_scale=transcribed_scale,
        leave_out=leave_out,
        n_pieces=pieces,
        n_takes=takes,
        n_rendered=rendered,
        n_transcribed=transcribed,
        transcriber=transcriber,
        excerpt_sec=excerpt_sec,
        transcribed_sec=transcribed_sec,
        seed=seed,
        engine=engine_of(engine, jobs=jobs, address=address),
        kinds=chosen(kinds, CORRUPTIONS, "--kind"),
    )
    command.validate(performances, output, percepiano, options)


def validity(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for page, figures and rows.")],
    takes: Annotated[Path, typer.Option(help="Pianists' takes with MIDI and score, JSONL.")],
    pieces: Annotated[
        Path | None,
        typer.Option(help="Pieces of the takes that may be used, one piece_id per line; all if not given."),
    ] = None,
    graded: Annotated[
        Path | None,
        typer.Option(help="Graded takes, CSV with the columns id, midi, score, piece, instructor1, ..."),
    ] = None,
    passages: Annotated[
        Path | None, typer.Option(help="Label file with renderings of the score beside pianists, JSONL.")
    ] = None,
    before: Annotated[
        Path | None, typer.Option(help="validity.json of an earlier run, to be shown beside this one.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Folder of a bundle; the one inside tocco if not given.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer pieces and severities: minutes in place of an hour.")
    ] = False,
    excerpts: Annotated[
        int | None, typer.Option(min=1, help="Pieces whose excerpt is damaged; 12, or 2 with --quick.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=20.0, max=30.0, help="Length of the excerpts.")] = 24.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every choice and every damage.")] = 0,
    cached_only: Annotated[
        bool, typer.Option("--cached-only", help="Report on what is cached already, and assess nothing.")
    ] = False,
    engine: EngineName = "local",
    jobs: Jobs = None,
    address: Address = None,
) -> None:
    """Ask whether the ratings that people see are true: damage, skill, invariance, abstention."""
    from dataclasses import replace

    from tocco.apps.commands import validity as command
    from tocco.engines import engine_of
    from tocco.evaluation.validity.plan import FULL, QUICK

    size = QUICK if quick else FULL
    if excerpts is not None:
        size = replace(size, n_excerpts=excerpts, n_others=min(size.n_others, excerpts))
    options = command.ValidityOptions(
        takes=takes,
        pieces=pieces,
        graded=graded,
        passages=passages,
        before=before,
        bundle=bundle,
        size=size,
        seconds=seconds,
        seed=seed,
        engine=engine_of(engine, jobs=jobs, address=address),
        is_cached_only=cached_only,
    )
    command.validity(output, options)


def calibration(
    predictions: Annotated[
        Path,
        typer.Option(
            help="Held-out predictions, CSV with the columns segment, dimension, label, mean, sd, cluster, "
            "work, fold; if wanted split, input."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables, page and picture.")],
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the bootstrap and of the simulated perfect models.")
    ] = 0,
) -> None:
    """Compare ways to calibrate intervals: temperature, isotonic, conformal; which hold their level."""
    from tocco.apps.commands.interval_calibration import compare_calibration

    compare_calibration(predictions, output, seed=seed)


def differences(
    takes: Annotated[Path, typer.Option(help="Pianists' takes with MIDI and score, JSONL.")],
    results: Annotated[Path, typer.Option(help="Folder of the report.")],
    pieces: Annotated[
        Path | None,
        typer.Option(help="Pieces of the takes that may be used, one piece_id per line; all if not given."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Folder of a bundle; the one inside tocco if not given.")
    ] = None,
    excerpts: Annotated[int, typer.Option(min=1, help="Pieces whose excerpt is damaged.")] = 8,
    seconds: Annotated[float, typer.Option(min=20.0, max=30.0, help="Length of the excerpts.")] = 24.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every choice and every damage.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Ask whether a comparison tells damaged copies from their originals."""
    from tocco.apps.commands.differences import damaged_copies

    damaged_copies(
        takes,
        pieces,
        results,
        bundle=bundle,
        n_excerpts=excerpts,
        seconds=seconds,
        seed=seed,
        jobs=jobs,
    )
