"""Dataset and data loaders: from a label file to batches of training examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from tocco.audio.features import compute_cqt
from tocco.data.batching import Example, ExampleMetadata, input_tensors
from tocco.data.example_augmentation import ExampleAugmentation, augmented_window
from tocco.data.loaders import EpochItem, TrainingLoader, WorkerConfig, evaluation_loader
from tocco.data.partition import PART_SHARES, Grouping, Partition, partition
from tocco.data.preparation import WindowInputs
from tocco.data.prepared import PreparedRecord, PreparedWindow, prepare_records
from tocco.data.record_arrays import MissingMidi
from tocco.data.records import read_labels
from tocco.data.window_cqt import CqtMode, window_cqt
from tocco.engines import Progress
from tocco.rubrics import TARGETS
from tocco.units import FloatArray

LEVEL_JITTER_DB = (-25.0, 10.0)
"""Range of random gain in training, since recording gain is unrelated to the playing."""


class PerformanceDataset(Dataset[Example]):
    """One example per record: a random window in each epoch, with or without its score.

    Parameters
    ----------
    prepared
    training
        False: every window of every record, in order, at its own level, with the score if
        `use_score` is true.
    use_score
        Whether scores are inputs at all.
    score_dropout : probability of omitting the score in training
    seed
        Seed of the draws; seed, epoch and index determine the example, whatever the worker.
    augmentation
        Augmentation in training; None or not enabled omits it.
    cqt
        Whether each example also has a constant-Q transform; no network reads it. "compute" computes it at
        each access, "cache" reads it from the folder of the prepared inputs. That of an augmented example is
        always computed from its augmented sound.
    """

    def __init__(
        self,
        prepared: Sequence[PreparedRecord],
        *,
        training: bool,
        use_score: bool = True,
        score_dropout: float = 0.0,
        seed: int = 0,
        augmentation: ExampleAugmentation | None = None,
        cqt: CqtMode = "none",
    ) -> None:
        self.prepared = tuple(prepared)
        self.training = training
        self.use_score = use_score
        self.score_dropout = score_dropout
        self.seed = seed
        self.augmentation = augmentation if augmentation is not None and augmentation.enabled else None
        self.cqt: CqtMode = cqt
        self._all_windows = [
            (r, w) for r, record in enumerate(self.prepared) for w in range(len(record.windows))
        ]

    @classmethod
    def from_labels(
        cls,
        labels: Path,
        *,
        training: bool,
        window_sec: float = 20.0,
        overlap: float = 0.5,
        cache_dir: Path | None = None,
        jobs: int = 1,
        missing_midi: MissingMidi = "refuse",
        transcriber: str | None = None,
        progress: Progress | None = None,
        **options: Any,
    ) -> PerformanceDataset:
        """Dataset of a whole label file; see `prepare_records` and the class."""
        prepared = prepare_records(
            read_labels(labels, must_exist=True),
            window_sec=window_sec,
            overlap=overlap,
            cache_dir=cache_dir,
            jobs=jobs,
            missing_midi=missing_midi,
            transcriber=transcriber,
            progress=progress,
        )
        return cls(prepared, training=training, **options)

    def __len__(self) -> int:
        return len(self.prepared) if self.training else len(self._all_windows)

    def n_samples(self, index: int) -> int:
        """Maximum number of audio samples of an item, for bucketing."""
        if self.training:
            return max(window.n_samples for window in self.prepared[index].windows)
        r, w = self._all_windows[index]
        return self.prepared[r].windows[w].n_samples

    def __getitem__(self, item: int | EpochItem) -> Example:
        if not self.training:
            r, w = self._all_windows[item if isinstance(item, int) else item.index]
            window = self.prepared[r].windows[w]
            return self._example(r, w, window.inputs(use_score=self.use_score), self.use_score)
        epoch, index = (item.epoch, item.index) if isinstance(item, EpochItem) else (0, item)
        draw = np.random.default_rng((self.seed, epoch, index))
        record = self.prepared[index]
        w = int(draw.integers(len(record.windows)))
        use_score = draw.random() >= self.score_dropout and self.use_score
        shift_db = float(draw.uniform(*LEVEL_JITTER_DB))
        if self.augmentation is not None:
            return self._augmented(index, w, use_score, shift_db, self.augmentation, draw)
        inputs = record.windows[w].inputs(use_score=use_score, level_shift_db=shift_db)
        return self._example(index, w, inputs, use_score)

    def _augmented(
        self,
        index: int,
        w: int,
        use_score: bool,
        shift_db: float,
        augmentation: ExampleAugmentation,
        draw: np.random.Generator,
    ) -> Example:
        record = self.prepared[index]
        rated = [name for name, value in zip(TARGETS, record.label, strict=True) if np.isfinite(value)]
        changed = augmented_window(
            record.windows[w], rated, augmentation, draw, use_score=use_score, level_shift_db=shift_db
        )
        valid = np.array([name in changed.valid_labels for name in TARGETS])
        return self._example(index, w, changed.inputs, use_score, valid, changed.effects)

    def _example(
        self,
        index: int,
        w: int,
        inputs: WindowInputs,
        use_score: bool,
        valid: np.ndarray | None = None,
        effects: tuple[str, ...] = (),
    ) -> Example:
        record, window = self.prepared[index], self.prepared[index].windows[w]
        label, label_sd = record.label, record.label_sd
        if valid is not None:
            label, label_sd = (np.where(valid, values, np.nan) for values in (label, label_sd))
        labels = _tensor(label)
        example: Example = {
            **input_tensors(inputs),
            "labels": labels,
            "label_mask": torch.isfinite(labels),
            "label_sd": _tensor(label_sd),
            "metadata": _metadata(record, window, index, use_score and window.has_score, effects),
        }
        if self.cqt != "none":
            # What augmentation has changed is nowhere in the cache.
            is_augmented = valid is not None
            transform = compute_cqt(inputs.waveform) if is_augmented else window_cqt(window, self.cqt)
            example["cqt"] = torch.from_numpy(transform)
        return example


@dataclass(frozen=True, eq=False)
class DataLoaders:
    """Loaders of the three parts of a label file, and their partition."""

    train: TrainingLoader
    validation: DataLoader[Any]
    test: DataLoader[Any]
    partition: Partition


def create_dataloaders(
    labels: Path,
    *,
    cache_dir: Path | None = None,
    window_sec: float = 20.0,
    overlap: float = 0.5,
    by: Grouping = "cluster",
    shares: tuple[float, float, float] = PART_SHARES,
    batch_size: int = 8,
    seed: int = 0,
    score_dropout: float = 0.3,
    augmentation: ExampleAugmentation | None = None,
    workers: WorkerConfig | None = None,
    cqt: CqtMode = "none",
    jobs: int = 1,
    missing_midi: MissingMidi = "refuse",
    transcriber: str | None = None,
    progress: Progress | None = None,
) -> DataLoaders:
    """Loaders of a label file: prepared, split 70/15/15 without leaks, bucketed by length.

    Parameters
    ----------
    labels
        JSONL; see `tocco.data.records`.
    cache_dir, window_sec, overlap, jobs, missing_midi, transcriber, progress
        As in `prepare_records`.
    by, shares, seed
        As in `partition`; the seed also determines the order of the batches and the draws of the examples.
    score_dropout, augmentation, cqt
        As in `PerformanceDataset`; the first two in training only.
    workers
        Of each loader.

    Returns
    -------
    DataLoaders
        They yield `ExampleBatch`; `network_batch` selects the inputs of the network.
    """
    records = read_labels(labels, must_exist=True)
    prepared = prepare_records(
        records,
        window_sec=window_sec,
        overlap=overlap,
        cache_dir=cache_dir,
        jobs=jobs,
        missing_midi=missing_midi,
        transcriber=transcriber,
        progress=progress,
    )
    parts = partition([one.record for one in prepared], by=by, seed=seed, shares=shares)
    training = PerformanceDataset(
        [prepared[i] for i in parts.train],
        training=True,
        score_dropout=score_dropout,
        seed=seed,
        augmentation=augmentation,
        cqt=cqt,
    )
    validation, test = (
        PerformanceDataset([prepared[i] for i in part], training=False, cqt=cqt)
        for part in (parts.validation, parts.test)
    )
    return DataLoaders(
        train=TrainingLoader(training, batch_size=batch_size, seed=seed, workers=workers),
        validation=evaluation_loader(validation, batch_size=batch_size, workers=workers),
        test=evaluation_loader(test, batch_size=batch_size, workers=workers),
        partition=parts,
    )


def _metadata(
    record: PreparedRecord, window: PreparedWindow, index: int, with_score: bool, effects: tuple[str, ...]
) -> ExampleMetadata:
    return {
        "segment_id": record.record.segment_id,
        "piece_id": record.record.piece_id,
        "performer_id": record.record.performer_id,
        "record_index": index,
        "window": window.number,
        "start_sec": window.bounds_sec[0],
        "end_sec": window.bounds_sec[1],
        "with_score": with_score,
        "effects": effects,
    }


def _tensor(values: FloatArray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))
