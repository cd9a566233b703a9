"""Options of `tocco train`, `export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocco.apps.cli.options import Address, EngineName


def train(
    config: Annotated[Path, typer.Option(help="Experiment, a YAML file.")],
    settings: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Override settings: training.max_epochs=5."),
    ] = None,
    labels: Annotated[
        list[Path] | None,
        typer.Option(
            help="Label file, JSONL; else data.train_path of the experiment. Several for masked_notes."
        ),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("-o", "--run", help="Folder of the run; else runs/NAME of the experiment.")
    ] = None,
    fold: Annotated[
        str | None,
        typer.Option(
            help="'split': training, validation and test; a fold to hold out; 'all' for each in turn; 'none' "
            "to train on everything. By default 'split' if the experiment has data.val_split, else 'none'."
        ),
    ] = None,
    inner: Annotated[
        bool, typer.Option("--inner", help="Validate on a part of the training data; for choosing settings.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting.")
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print the resolved settings as YAML, and end.")
    ] = False,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="Weights that this stage starts from: checkpoint of another, or a pre-trained MIDI encoder."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the last checkpoint.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the parts of the run that are trained again.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that prepare inputs.")] = 2,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that train together, one for each GPU.")
    ] = 1,
    engine: EngineName = "local",
    address: Address = None,
    estimate_memory: Annotated[
        bool, typer.Option("--estimate-memory", help="Print the GPU memory that is expected, and end.")
    ] = False,
) -> None:
    """Train a network; checkpoints, config and split are written to the folder of the run.

    SIGINT and SIGTERM end it after the next step with a checkpoint (exit codes 130 and 143); --resume goes on
    from there, to the same weights.
    """
    from tocco.apps.commands import experiment_config

    resolved = experiment_config.resolved(config, set_=set_ or [], settings=settings or [])
    if print_config:
        experiment_config.show(resolved)
        return
    from tocco.apps.commands import experiments

    if estimate_memory:
        experiments.estimate_memory(resolved)
        return
    experiments.train(
        resolved,
        labels or [experiment_config.labels_of(resolved, None, config)],
        run or experiment_config.run_of(resolved),
        fold=fold,
        inner=inner,
        resume=resume,
        overwrite=overwrite,
        jobs=jobs,
        start=checkpoint,
        launcher=experiments.launcher_of(engine, processes, address),
    )


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a trained and evaluated run.")],
    evaluation: Annotated[Path, typer.Option(help="Folder that `tocco evaluate` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the new bundle.")],
    labels: Annotated[Path, typer.Option(help="Label file that the run was trained on.")],
) -> None:
    """Write the bundle of a run: weights, config, calibration, model card."""
    from tocco.apps.commands import experiments

    experiments.export(run, evaluation, labels, output)
