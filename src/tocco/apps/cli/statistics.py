"""Options of `tocco statistics ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import PoolPieces


def fit_norms(
    manifest: Annotated[
        Path,
        typer.Argument(
            metavar="MANIFEST", help="Beat-annotated performances with MIDI and score MIDI, JSONL."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the norms.")],
    pieces: PoolPieces = None,
    windows: Annotated[int, typer.Option(min=1, help="Maximum number of windows per performance.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the windows.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Fit the norms that statistics are expressed against, from unrated performances; resumable."""
    from tocco.apps.commands import statistics_models as command

    command.fit_norms(manifest, output, pieces=pieces, per_performance=windows, seed=seed, jobs=jobs)


def fit(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle whose network is taken over.")],
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    norms: Annotated[Path, typer.Option(help="Folder that `tocco statistics fit-norms` wrote.")],
    evaluation: Annotated[
        Path, typer.Option(help="Folder that `tocco benchmark statistics` wrote for the same labels.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    network_weight: Annotated[
        float, typer.Option(min=0.0, help="Of the network's rating; each other predictor has 1.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the inner folds.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Fit the predictors of whole performances to every excerpt, and write them into a bundle."""
    from tocco.apps.commands import statistics_models as command

    command.fit(
        bundle,
        labels,
        norms,
        evaluation,
        output,
        network_weight=network_weight,
        seed=seed,
        jobs=jobs,
    )


def fit_perception(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle that the predictor is added to.")],
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    results: Annotated[Path, typer.Option(help="Folder of tables and figures.")],
    cache: Annotated[Path, typer.Option(help="Folder of what is measured; a later run reads it.")] = Path(
        "data/perception"
    ),
    version: Annotated[
        str | None, typer.Option(help="Version of the new bundle; by default that of the old one.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the damaged copies.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Fit perception without damage to every excerpt, cross-validate the ratings, and write a bundle."""
    from tocco.apps.commands.perception import fit_perception_into

    fit_perception_into(bundle, labels, output, results, cache=cache, seed=seed, jobs=jobs, version=version)


def fit_differences(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle whose calibration is replaced.")],
    labels: Annotated[Path, typer.Option(help="Label file, JSONL: means of the raters.")],
    ratings: Annotated[Path, typer.Option(help="Label file, JSONL: single raters.")],
    predictions: Annotated[
        Path,
        typer.Option(help="Held-out ratings that `fit-perception` wrote: RESULTS/predictions, no suffix."),
    ],
    results: Annotated[Path, typer.Option(help="Folder of the report.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the pairs of other music.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Number of parallel processes.")] = 1,
) -> None:
    """Find how far differences of a bundle's ratings can be trusted, and test it on other music."""
    from tocco.apps.commands.differences import fit_differences as command

    command(bundle, labels, ratings, predictions, results, seed=seed, jobs=jobs)
