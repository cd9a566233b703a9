"""Parts of a run, for the commands that read them: settings, prepared records, what is not trained yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import LabelRecord, read_labels
from tocco.data.splits import fold_indices
from tocco.errors import InputError
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.run_folder import CHECKPOINT, CONFIG, WEIGHTS_FILE, is_begun


def prepare(config: ExperimentConfig, labels: Path, run: Path, jobs: int) -> list[PreparedRecord]:
    """Read the labels and prepare every record; prepared inputs are cached beside the runs."""
    return prepare_some(config, read_labels(labels, must_exist=True), run, jobs)


def prepare_some(
    config: ExperimentConfig, records: Sequence[LabelRecord], run: Path, jobs: int
) -> list[PreparedRecord]:
    """Prepare records; prepared inputs are cached beside the runs."""
    with progress_bar("preparing") as advance:
        prepared = prepare_records(
            records,
            window_sec=config.data.window_sec,
            overlap=config.data.overlap,
            cache_dir=run.parent / "prepared",
            jobs=jobs,
            missing_midi=config.data.missing_midi,
            transcriber=config.data.transcriber,
            progress=advance,
        )
    refused = [record.record.segment_id for record in prepared if record.score_refusal]
    if refused:
        ids = ", ".join(refused)
        typer.echo(
            f"used without score, since it is the score of other music: {len(refused)}: {ids}", err=True
        )
    return prepared


def config_of(run: Path, part: str, labels: Path) -> ExperimentConfig:
    """Settings of a part of a run.

    Raises
    ------
    InputError
        The part is not begun; the message names the command that trains it.
    """
    path = run / part / CONFIG
    if not path.is_file():
        raise not_trained(run, part, labels)
    return load_config(path)


def assert_folds_trained(config: ExperimentConfig, run: Path, labels: Path) -> None:
    """Refuse to evaluate a run that lacks a fold, before any preparation.

    Raises
    ------
    InputError
        A fold has no weights; the message names the command that trains it.
    """
    folds = fold_indices(read_labels(labels, must_exist=True), config.data.protocol)
    for k in range(len(folds)):
        if not (run / f"fold{k}" / WEIGHTS_FILE).is_file():
            raise not_trained(run, f"fold{k}", labels)


def not_trained(run: Path, part: str, labels: Path) -> InputError:
    """Error for a part of a run that is not trained, with the command that trains it."""
    configs = sorted(run.glob(f"*/{CONFIG}"))
    config = configs[0] if configs else "CONFIG"
    any_fold_begun = any(is_begun(folder) for folder in run.glob("fold*"))
    fold = "none" if part == "full" else part.removeprefix("fold") if any_fold_begun else "all"
    resumed = " --resume" if (run / part / CHECKPOINT).is_file() else ""
    return InputError(
        run / part,
        "is not trained yet",
        next_step=f"tocco train --config {config} --labels {labels} -o {run} --fold {fold}{resumed}",
    )
