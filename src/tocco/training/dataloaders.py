"""Loaders of an experiment: of its three parts from a label file, or of one part of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torch.utils.data import DataLoader

from tocco.data import dataset
from tocco.data.dataset import DataLoaders, PerformanceDataset
from tocco.data.loaders import TrainingLoader, evaluation_loader
from tocco.data.partition import PART_SHARES
from tocco.data.prepared import PreparedRecord
from tocco.engines import Progress
from tocco.errors import UsageError
from tocco.training.config import ExperimentConfig
from tocco.training.distributed import ONE_PROCESS, Processes
from tocco.training.run_folder import Split


def create_dataloaders(
    config: ExperimentConfig,
    labels: Path | None = None,
    *,
    cache_dir: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> DataLoaders:
    """Training, validation and test of a label file, without common music; 70/15/15 by default.

    Parameters
    ----------
    config
    labels
        JSONL; `data.train_path` of the config if not given.
    cache_dir, jobs, progress
        As in `tocco.data.dataset.create_dataloaders`.

    Raises
    ------
    UsageError
        There is no label file.
    InputError
        As in `prepare_records` and `partition`.
    """
    data = config.data
    path = labels if labels is not None else data.train_path and Path(data.train_path)
    if not path:
        raise UsageError("data.train_path", "is empty", next_step="name a label file there, or with --labels")
    return dataset.create_dataloaders(
        path,
        cache_dir=cache_dir,
        window_sec=data.window_sec,
        overlap=data.overlap,
        by=data.split_by,
        shares=data.shares or PART_SHARES,
        batch_size=data.batch_size,
        seed=config.training.seed,
        score_dropout=data.score_dropout,
        augmentation=data.augmentation,
        workers=data.workers,
        cqt=data.cqt,
        jobs=jobs,
        missing_midi=data.missing_midi,
        transcriber=data.transcriber,
        progress=progress,
    )


class PartLoaders(NamedTuple):
    """Loaders of one part of a run; those of parts without records are None."""

    train: TrainingLoader
    held_out: DataLoader[Any] | None
    test: DataLoader[Any] | None


def part_loaders(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    split: Split,
    *,
    validate: bool,
    processes: Processes = ONE_PROCESS,
) -> PartLoaders:
    """Loaders of a part; each of several processes has its share of the training batches."""
    data = config.data
    training = PerformanceDataset(
        [records[i] for i in split.train],
        training=True,
        use_score=data.score_features,
        score_dropout=data.score_dropout,
        seed=config.training.seed,
        augmentation=data.augmentation,
        cqt=data.cqt,
    )
    loader = TrainingLoader(
        training,
        batch_size=data.batch_size,
        seed=config.training.seed,
        workers=data.workers,
        share=(processes.rank, processes.count),
        per_epoch=data.records_per_epoch,
    )
    return PartLoaders(
        loader,
        _in_order(config, records, split.held_out if validate else ()),
        _in_order(config, records, split.test),
    )


def _in_order(
    config: ExperimentConfig, records: Sequence[PreparedRecord], indices: Sequence[int]
) -> DataLoader[Any] | None:
    if not indices:
        return None
    data = config.data
    windows = PerformanceDataset(
        [records[i] for i in indices], training=False, use_score=data.score_features, cqt=data.cqt
    )
    return evaluation_loader(windows, batch_size=data.batch_size, workers=data.workers)
