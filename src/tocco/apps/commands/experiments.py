"""`tocco train`, `tocco export`: from labels to a bundle."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from tocco.apps.commands.masked_notes import pretrain
from tocco.apps.commands.run_parts import config_of, not_trained, prepare
from tocco.data.partition import PART_SHARES, partition
from tocco.data.prepared import PreparedRecord, prepared_folds
from tocco.data.records import LabelRecord
from tocco.data.splits import inner_split
from tocco.errors import InputError, UsageError
from tocco.evaluation.export import FIGURES, bundle_config, model_card, training_range
from tocco.files import replacing, sha256_of
from tocco.inference.bundle import CALIBRATION, BundleCalibration, save_bundle
from tocco.inference.intervals import IntervalCalibration
from tocco.training.checkpoint_file import BEST_FOLDER, read_checkpoint
from tocco.training.config import ExperimentConfig
from tocco.training.epoch_log import read_epochs
from tocco.training.launchers import Launcher, LocalProcesses, RayWorkers, run_here
from tocco.training.masked_notes.start import SUFFIX, assert_midi_encoder, with_midi_encoder
from tocco.training.members import member_folders, members
from tocco.training.memory import memory_of, memory_table
from tocco.training.module_of_config import network_from_config
from tocco.training.run_folder import (
    BEST,
    PARTITION,
    TEST_FILE,
    WEIGHTS_FILE,
    Split,
    assert_may_train,
    describe,
    is_begun,
)
from tocco.training.stages import train_stage
from tocco.training.trained_part import record_labels_path
from tocco.training.trainer import check_loggers, check_precision
from tocco.training.weights import load_weights

INNER_FRACTION = 0.25


def train(
    config: ExperimentConfig,
    labels: Sequence[Path],
    run: Path,
    *,
    fold: str | None,
    inner: bool,
    resume: bool,
    overwrite: bool,
    jobs: int,
    start: Path | None = None,
    launcher: Launcher = run_here,
) -> None:
    """Train the parts of a run that `fold` selects, or pre-train the MIDI encoder; print each folder."""
    if resume and overwrite:
        raise UsageError("--resume", "continues what --overwrite would replace", next_step="give one of them")
    if config.stage == "masked_notes":
        if inner or fold not in (None, "none"):
            raise UsageError("--fold and --inner", "are for ratings; stage masked_notes divides by piece")
        if start is not None or launcher is not run_here:
            raise UsageError(
                "--checkpoint, --processes and --engine",
                "are for ratings; stage masked_notes starts anew, in one process",
                next_step="leave them out",
            )
        pretrain(config, labels, run, resume=resume, overwrite=overwrite, jobs=jobs)
        return
    if len(labels) > 1:
        raise UsageError("--labels", f"names {len(labels)} files", allowed="one, for stage ratings")
    # Fail before the preparation, which may take hours.
    check_precision(config.training.precision)
    check_loggers(config.logging)
    config, start = started(config, start)
    records = prepare(config, labels[0], run, jobs)
    record_labels_path(run, labels[0])
    for member, folder in members(config, run):
        splits = splits_of(member, records, fold, inner=inner)
        _train_parts(member, records, splits, folder, start, launcher, resume=resume, overwrite=overwrite)


def started(config: ExperimentConfig, given: Path | None) -> tuple[ExperimentConfig, Path | None]:
    """Settings and checkpoint of an experiment whose weights come from `--checkpoint` or its settings.

    The weights of a pre-trained MIDI encoder (.safetensors) become a setting of the model.

    Raises
    ------
    InputError, MismatchError
        The file cannot be used.
    """
    start = given
    if start is None and config.training.checkpoint is not None:
        start = Path(config.training.checkpoint)
    if start is not None and start.suffix == SUFFIX:
        return with_midi_encoder(config, start, _to_stderr), None
    if start is None:
        assert_midi_encoder(config.model)
    else:
        read_checkpoint(start)
    return config, start


def _train_parts(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    splits: Sequence[Split],
    run: Path,
    start: Path | None,
    launcher: Launcher,
    *,
    resume: bool,
    overwrite: bool,
) -> None:
    begun = {split.name for split in splits if is_begun(run / split.name)}
    # With several parts, those that the interrupted run had not started are trained from the beginning.
    resumed = {split.name: resume and (split.name in begun or not begun) for split in splits}
    for split in splits:
        description = describe(config, records, split, start)
        assert_may_train(run, description, resume=resumed[split.name], overwrite=overwrite)
    for split in splits:
        weights = train_stage(
            config,
            records,
            split,
            run,
            validate=split.is_validated,
            resume=resumed[split.name],
            overwrite=overwrite,
            progress=sys.stderr.isatty(),
            start=start,
            launcher=launcher,
            say=_to_stderr,
        )
        typer.echo(f"{weights}: trained on {len(split.train)} records, {len(split.held_out)} held out")
        if split.keeps_best:
            _show_best(config, weights.parent)
        if split.is_validated:
            for row in read_epochs(weights.parent):
                if "val_r2" in row:
                    typer.echo(
                        f"epoch {row['epoch']:.0f}  r {row['val_r']:.3f}  R2 {row['val_r2']:.3f}"
                        f"  MAE {row['val_mae']:.2f}"
                    )


def _to_stderr(line: str) -> None:
    typer.echo(line, err=True)


def _show_best(config: ExperimentConfig, folder: Path) -> None:
    """Copy the best checkpoint to where the next stage looks for it; print its figures on the test part."""
    best = Path(BEST_FOLDER) / f"{config.name}_best.ckpt"
    with replacing(best) as temporary:
        shutil.copyfile(folder / BEST, temporary)
    if (folder / TEST_FILE).is_file():
        figures = json.loads((folder / TEST_FILE).read_text(encoding="utf-8"))
        shown = {"r": "test_r", "R2": "test_r2", "MAE": "test_mae"}
        words = [f"{word} {figures[name]:.3f}" for word, name in shown.items() if name in figures]
        typer.echo(f"{best}: the best epoch; test part: {'  '.join(words) or 'too small for figures'}")


def launcher_of(engine: str, processes: int, address: str | None) -> Launcher:
    """Where `--engine`, `--processes` and `--address` let the training run.

    Raises
    ------
    UsageError
        The options contradict each other, or there are fewer GPUs.
    MissingPartError
        Ray is not installed.
    """
    if engine == "ray":
        return RayWorkers(processes, address)
    if address is not None:
        raise UsageError("--address", "is given, and the engine is 'local'", next_step="add --engine ray")
    return run_here if processes == 1 else LocalProcesses(processes)


def estimate_memory(config: ExperimentConfig) -> None:
    """Print the GPU memory that training is expected to need."""
    typer.echo(memory_table(memory_of(config)))


def export(run: Path, evaluation: Path, labels: Path, output: Path) -> None:
    """Write the bundle of the network that was trained on every record."""
    if member_folders(run) != [run]:
        raise InputError(
            run,
            "is an ensemble, and a bundle has one network",
            next_step="train and evaluate with training.members=1",
        )
    config = config_of(run, "full", labels)
    if not (run / "full" / WEIGHTS_FILE).is_file():
        raise not_trained(run, "full", labels)
    for name in (CALIBRATION, FIGURES):
        if not (evaluation / name).is_file():
            raise InputError(
                evaluation,
                f"has no {name}: the run is not evaluated",
                next_step=f"tocco evaluate {run} --labels {labels} -o {evaluation}",
            )
    records = prepare(config, labels, run, jobs=1)
    labels_sha256 = sha256_of(labels)
    sha256 = save_bundle(
        output,
        bundle_config(config, records, run, labels_sha256),
        BundleCalibration(
            intervals=IntervalCalibration.load(evaluation / CALIBRATION),
            applicability=training_range(records),
        ),
        load_weights(network_from_config(config), run / "full" / WEIGHTS_FILE),
        model_card(config, records, run, evaluation, labels_sha256),
    )
    typer.echo(f"{output}: sha256 {sha256}")


def splits_of(
    config: ExperimentConfig, records: Sequence[PreparedRecord], fold: str | None, *, inner: bool
) -> list[Split]:
    """The parts of a run that `--fold` and `--inner` select.

    Raises
    ------
    UsageError
        There is no such fold.
    """
    label_records = [record.record for record in records]
    if fold is None:
        fold = PARTITION if config.data.shares is not None and not inner else "none"
    if fold == PARTITION:
        if inner:
            raise UsageError("--inner", f"is given with --fold {fold}, which validates anyway")
        return [_partition(config, label_records)]
    everything = np.arange(len(records))
    if fold == "none":
        parts = [("full", everything, everything[:0])]
    else:
        folds = prepared_folds(records, config.data.protocol)
        numbers = [str(k) for k in range(len(folds))]
        if fold != "all" and fold not in numbers:
            raise UsageError("--fold", f"is {fold}", allowed=f"{PARTITION}, none, all, {', '.join(numbers)}")
        chosen = numbers if fold == "all" else [fold]
        parts = [(f"fold{k}", *folds[int(k)]) for k in chosen]
    if inner:
        generator = np.random.default_rng(config.training.seed)
        parts = [
            (f"{name}-inner", *inner_split(label_records, train, INNER_FRACTION, generator))
            for name, train, _ in parts
        ]
    return [
        Split(name, config.data.protocol, tuple(train.tolist()), tuple(held_out.tolist()))
        for name, train, held_out in parts
    ]


def _partition(config: ExperimentConfig, records: Sequence[LabelRecord]) -> Split:
    data = config.data
    parts = partition(records, by=data.split_by, seed=config.training.seed, shares=data.shares or PART_SHARES)
    train, held_out, test = (tuple(part.tolist()) for part in (parts.train, parts.validation, parts.test))
    return Split(PARTITION, f"partition by {data.split_by}", train, held_out, test)
