"""Options of `tocco ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def ablate(
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Override settings of every experiment."),
    ] = None,
    configs: Annotated[
        Path, typer.Option(help="Folder of experiments: full.yaml, and one YAML file for each ablation.")
    ] = Path("configs/ablations"),
    labels: Annotated[
        Path | None, typer.Option(help="Label file, JSONL; else data.train_path of full.yaml.")
    ] = None,
    runs: Annotated[
        Path, typer.Option("--run", help="Folder of the trained networks, one sub-folder each.")
    ] = Path("runs/ablations"),
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for ablations.csv, ablations.md, ablations.png.")
    ] = Path("results"),
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="NAME", help="An ablation to train; repeat for several. `full` always is."
        ),
    ] = None,
    fold: Annotated[
        str, typer.Option(help="A fold to hold out, or 'all' for each in turn; the tables are of these.")
    ] = "all",
    epochs: Annotated[int | None, typer.Option(min=1, help="In place of training.max_epochs.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="Weights to start from, in place of those that the experiments name."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Train again what is trained already.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that train together, one for each GPU.")
    ] = 1,
) -> None:
    """Train every experiment of a folder alike, and compare each with full.yaml on held-out music.

    What is trained is not trained again, and what was interrupted goes on: give the same command.
    """
    from tocco.apps.commands import ablate as command
    from tocco.apps.commands import experiments

    command.ablate(
        command.AblationOptions(
            configs=configs,
            labels=labels,
            runs=runs,
            output=output,
            only=tuple(only or ()),
            fold=fold,
            epochs=epochs,
            checkpoint=checkpoint,
            overwrite=overwrite,
            jobs=jobs,
            settings=tuple(settings or ()),
        ),
        experiments.launcher_of("local", processes, None),
    )
