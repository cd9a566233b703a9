"""Options of `tocco train`, `evaluate`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Option(help="Experiment, a YAML file.")],
    labels: Annotated[Path, typer.Option(help="Label file, JSONL.")],
    run: Annotated[Path, typer.Option("-o", "--run", help="Folder of the run.")],
    fold: Annotated[
        str, typer.Option(help="A fold to hold out, 'all' for each in turn, 'none' to train on everything.")
    ] = "none",
    inner: Annotated[
        bool, typer.Option("--inner", help="Validate on a part of the training data; for choosing settings.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="BLOCK.KEY=VALUE", help="Override a setting.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the parts of the run that are trained again.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
) -> None:
    """Train a network; checkpoints, config and split are written to the folder of the run."""
    from tocco.apps.commands import experiments

    experiments.train(
        config,
        labels,
        run,
        fold=fold,
        inner=inner,
        overrides=set_ or [],
        resume=resume,
        overwrite=overwrite,
        jobs=jobs,
    )


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run with all folds trained.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and figures.")],
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
) -> None:
    """Cross-validated metrics of a run and of the baselines, and the calibration of its intervals."""
    from tocco.apps.commands import experiments

    experiments.evaluate(run, labels, output, jobs=jobs)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained and evaluated run.")],
    evaluation: Annotated[Path, typer.Option(help="Folder that `tocco evaluate` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
) -> None:
    """Write the bundle of a run: weights, config, calibration, model card."""
    from tocco.apps.commands import experiments

    experiments.export(run, evaluation, labels, output)
