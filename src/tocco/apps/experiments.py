"""`tocco train`, `tocco evaluate`, `tocco export`: from labels to a bundle."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from tocco.apps.progress import progress_bar
from tocco.data.dataset import PreparedRecord, prepare_records
from tocco.data.records import read_labels
from tocco.data.splits import checked_folds, inner_split
from tocco.errors import InputError
from tocco.training.config import ExperimentConfig, load_config
from tocco.training.stages import Split, read_epochs, train_stage

INNER_FRACTION = 0.25


def train(
    config_path: Path,
    labels: Path,
    run: Path,
    *,
    fold: str,
    inner: bool,
    overrides: Sequence[str],
    resume: bool,
    jobs: int,
) -> None:
    """Train the parts of a run that `fold` asks for; each prints its folder when it is done."""
    config = load_config(config_path, dict(_assignment(text) for text in overrides))
    records = prepare(config, labels, run, jobs)
    for split in _splits(config, records, fold, inner=inner):
        weights = train_stage(
            config, records, split, run, validate=inner, resume=resume, progress=sys.stderr.isatty()
        )
        typer.echo(f"{weights}: trained on {len(split.train)} records, {len(split.held_out)} held out")
        if inner:
            for row in read_epochs(weights.parent):
                if "val_r2" in row:
                    typer.echo(
                        f"epoch {row['epoch']:.0f}  r {row['val_r']:.3f}  R2 {row['val_r2']:.3f}"
                        f"  MAE {row['val_mae']:.2f}"
                    )


def prepare(config: ExperimentConfig, labels: Path, run: Path, jobs: int) -> list[PreparedRecord]:
    """Read the labels and prepare every record; prepared inputs are kept beside the runs."""
    records = read_labels(labels, must_exist=True)
    with progress_bar("preparing") as advance:
        return prepare_records(
            records,
            window_sec=config.data.window_sec,
            overlap=config.data.overlap,
            cache_dir=run.parent / "prepared",
            jobs=jobs,
            progress=lambda done: advance(done, len(records)),
        )


def _splits(
    config: ExperimentConfig, records: Sequence[PreparedRecord], fold: str, *, inner: bool
) -> list[Split]:
    label_records = [record.record for record in records]
    everything = np.arange(len(records))
    if fold == "none":
        parts = [("full", everything, everything[:0])]
    else:
        folds = checked_folds(label_records, config.data.protocol)
        numbers = [str(k) for k in range(len(folds))]
        if fold != "all" and fold not in numbers:
            raise InputError("--fold", f"is {fold}", allowed=f"none, all, {', '.join(numbers)}")
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


def _assignment(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or "." not in key:
        raise InputError("--set", f"is {text!r}", allowed="BLOCK.KEY=VALUE, as training.max_epochs=5")
    return key, value
