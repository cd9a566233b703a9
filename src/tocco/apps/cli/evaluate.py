"""Options of `tocco evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def evaluate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for tables and pictures.")],
    run: Annotated[
        Path | None,
        typer.Argument(metavar="[RUN]", help="Folder of a run; with --checkpoint, that of the checkpoint."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Checkpoint of a run, or a copy of it such as checkpoints/NAME_best.ckpt."),
    ] = None,
    split: Annotated[
        Literal["folds", "test", "validation"] | None,
        typer.Option(
            help="'folds': every excerpt by the fold that held it out; 'test' or 'validation': that part of "
            "a run trained with --fold split. By default the folds of a run, the test part of a checkpoint."
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Label file that the run was trained on; by default the one that it names."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
    examples: Annotated[int, typer.Option(min=0, max=1000, help="Heat maps of attention.")] = 10,
) -> None:
    """Metrics of a run on excerpts that it was not trained on, beside the baselines and the raters.

    Writes tables (metrics, predictions, errors), pictures and the worst cases with sound and notes. Of folds
    also the calibration of the intervals, which `tocco export` needs.

    Exit codes: 2 wrong usage; 3 the checkpoint is missing or damaged, its run is not found, or the run has no
    such part; 4 the labels are not those that the run was trained on; 7 the folder cannot be written to.
    """
    from tocco.apps.commands import evaluate as command

    command.evaluate(run, checkpoint, split, labels, output, jobs=jobs, examples=examples)
