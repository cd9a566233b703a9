"""Rated performances as training examples.

Everything that is costly (reading, aligning, statistics) is done once and kept in a folder; a kept
file is named by the content of its inputs, by the settings and by the code that made it, so a stale
one is never read.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from tocco.audio.processing import load_audio, normalize_audio, segment_bounds
from tocco.data.preparation import (
    SymbolicInputs,
    WindowInputs,
    collate_windows,
    cut_windows,
    symbolic_inputs,
)
from tocco.data.records import LabelRecord
from tocco.errors import InputError, MismatchError
from tocco.files import replacing, sha256_of
from tocco.models.network import PerformanceBatch
from tocco.music.alignment import align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.score import score_readings
from tocco.rubrics import TARGETS
from tocco.units import FloatArray, samples_from_sec

LEVEL_JITTER_DB = (-25.0, 10.0)
"""Training sees every recording at many levels: a microphone's gain says nothing about the playing."""

_CODE_THAT_SHAPES_INPUTS = (
    "tocco.data.preparation",
    "tocco.data.dataset",
    "tocco.audio.processing",
    "tocco.music.midi",
    "tocco.music.score",
    "tocco.music.alignment",
    "tocco.music.octuple",
    "tocco.music.note_features",
    "tocco.music.statistics",
)


@dataclass(frozen=True, eq=False)
class PreparedWindow:
    """One window of a rated performance, with and without its score.

    Attributes
    ----------
    waveform : (S,) int16 at the model's rate, peak at the normalised level
    with_score : None where the record has no score
    """

    waveform: np.ndarray
    level_db: float
    with_score: SymbolicInputs | None
    without_score: SymbolicInputs

    def inputs(self, *, use_score: bool, level_shift_db: float = 0.0) -> WindowInputs:
        """The window as the network takes it."""
        symbolic = self.with_score if use_score and self.with_score is not None else self.without_score
        waveform = self.waveform.astype(np.float32) / np.float32(32767.0)
        return WindowInputs(waveform, self.level_db + level_shift_db, symbolic)


@dataclass(frozen=True, eq=False)
class PreparedRecord:
    """All windows of one rated performance.

    Attributes
    ----------
    bounds_sec : (K, 2) seconds of the recording, one row a window
    score_refusal : why the record's score is not that of its performance; "" where it is, or has none
    label, label_sd : (D,) in the order of `TARGETS`; NaN where missing
    """

    record: LabelRecord
    bounds_sec: FloatArray
    windows: tuple[PreparedWindow, ...]
    score_refusal: str
    label: FloatArray
    label_sd: FloatArray


class Example(NamedTuple):
    """One training example."""

    window: WindowInputs
    label: FloatArray
    label_sd: FloatArray
    record_index: int


class ExampleBatch(NamedTuple):
    """Examples side by side.

    Attributes
    ----------
    inputs
    label, label_sd : (B, D) rating points; NaN where missing
    record_index : (B,) which record of the dataset each row comes from
    """

    inputs: PerformanceBatch
    label: torch.Tensor
    label_sd: torch.Tensor
    record_index: torch.Tensor


def prepare_records(
    records: Sequence[LabelRecord],
    *,
    window_sec: float,
    overlap: float,
    cache_dir: Path,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> list[PreparedRecord]:
    """Read, align and measure every record once; later runs read the kept files.

    A score that is not that of its performance is not used; `PreparedRecord.score_refusal` says so.

    Raises
    ------
    InputError
        A record without audio or MIDI, or whose files cannot be used; the message names the record.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    prepare = functools.partial(
        _prepare_to_file, window_sec=window_sec, overlap=overlap, cache_dir=cache_dir, code=_code_hash()
    )
    paths: list[Path] = []
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        for path in pool.map(prepare, records, chunksize=4):
            paths.append(path)
            if progress is not None:
                progress(len(paths))
    return [_read_prepared(record, path) for record, path in zip(records, paths, strict=True)]


class PerformanceDataset(Dataset[Example]):
    """One example a record: a window drawn anew each epoch, with or without its score.

    Parameters
    ----------
    prepared
    training
        False: every window of every record, in order, at its own level, with the score that
        `use_score` asks for.
    use_score
        Whether scores are shown at all.
    score_dropout : probability of hiding the score in training
    seed
        Of the draws; the same seed and epoch give the same examples whatever the worker.
    """

    def __init__(
        self,
        prepared: Sequence[PreparedRecord],
        *,
        training: bool,
        use_score: bool = True,
        score_dropout: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.prepared = tuple(prepared)
        self.training = training
        self.use_score = use_score
        self.score_dropout = score_dropout
        self.seed = seed
        self.epoch = 0
        self._all_windows = [
            (r, w) for r, record in enumerate(self.prepared) for w in range(len(record.windows))
        ]

    def __len__(self) -> int:
        return len(self.prepared) if self.training else len(self._all_windows)

    def n_samples(self, index: int) -> int:
        """Audio samples of an item, at most: what batches are bucketed by."""
        if self.training:
            return max(len(window.waveform) for window in self.prepared[index].windows)
        r, w = self._all_windows[index]
        return len(self.prepared[r].windows[w].waveform)

    def __getitem__(self, index: int) -> Example:
        if not self.training:
            r, w = self._all_windows[index]
            record = self.prepared[r]
            return Example(
                record.windows[w].inputs(use_score=self.use_score), record.label, record.label_sd, r
            )
        draw = np.random.default_rng((self.seed, self.epoch, index))
        record = self.prepared[index]
        window = record.windows[draw.integers(len(record.windows))]
        hide = draw.random() < self.score_dropout
        shift_db = float(draw.uniform(*LEVEL_JITTER_DB))
        inputs = window.inputs(use_score=self.use_score and not hide, level_shift_db=shift_db)
        return Example(inputs, record.label, record.label_sd, index)


class BucketSampler(Sampler[list[int]]):
    """Batches of items of similar length, in a seeded order that changes every epoch.

    Items are shuffled, sorted by length within pools of 16 batches, and the batches shuffled:
    little padding, and still another neighbourhood each epoch.
    """

    POOL_BATCHES = 16

    def __init__(self, dataset: PerformanceDataset, batch_size: int, seed: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.seed = seed

    def __len__(self) -> int:
        return -(-len(self.dataset) // self.batch_size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch's order and, in the dataset, its draws."""
        self.dataset.epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        draw = np.random.default_rng((self.seed, self.dataset.epoch))
        order = draw.permutation(len(self.dataset))
        batches: list[list[int]] = []
        pool = self.batch_size * self.POOL_BATCHES
        for start in range(0, len(order), pool):
            items = sorted(order[start : start + pool].tolist(), key=self.dataset.n_samples)
            batches += [items[i : i + self.batch_size] for i in range(0, len(items), self.batch_size)]
        yield from (batches[i] for i in draw.permutation(len(batches)))


def create_dataloaders(
    training: PerformanceDataset, held_out: PerformanceDataset | None, *, batch_size: int, seed: int
) -> tuple[DataLoader[Any], DataLoader[Any] | None]:
    """Loaders of a training set and, where there is one, of a held-out set; they yield `ExampleBatch`."""
    sampler = BucketSampler(training, batch_size, seed)
    train_loader = DataLoader(training, batch_sampler=sampler, collate_fn=collate_examples)
    if held_out is None:
        return train_loader, None
    return train_loader, DataLoader(held_out, batch_size=batch_size, collate_fn=collate_examples)


def collate_examples(examples: Sequence[Example]) -> ExampleBatch:
    """Examples side by side; a missing label stays NaN."""
    return ExampleBatch(
        inputs=collate_windows([e.window for e in examples]),
        label=torch.from_numpy(np.stack([e.label for e in examples]).astype(np.float32)),
        label_sd=torch.from_numpy(np.stack([e.label_sd for e in examples]).astype(np.float32)),
        record_index=torch.tensor([e.record_index for e in examples]),
    )


def _prepare_to_file(
    record: LabelRecord, *, window_sec: float, overlap: float, cache_dir: Path, code: str
) -> Path:
    if record.audio_path is None or record.midi_path is None:
        missing = "audio_path" if record.audio_path is None else "midi_path"
        raise InputError(
            record.segment_id, f"has no {missing}", next_step="derive it, or leave the record out"
        )
    files = [record.audio_path, record.midi_path, *([record.score_path] if record.score_path else [])]
    key = hashlib.sha256(f"{code} {window_sec} {overlap} {record.start_time} {record.end_time}".encode())
    for file in files:
        key.update(sha256_of(file).encode())
    path = cache_dir / f"{record.segment_id}-{key.hexdigest()[:20]}.npz"
    if not path.exists():
        arrays = _prepare(record, window_sec, overlap)
        with replacing(path) as temporary:
            np.savez(temporary, allow_pickle=False, **arrays)
    return path


def _sound_and_keys(record: LabelRecord) -> tuple[Path, Path]:
    if record.audio_path is None or record.midi_path is None:
        missing = "audio_path" if record.audio_path is None else "midi_path"
        raise InputError(
            record.segment_id, f"has no {missing}", next_step="derive it, or leave the record out"
        )
    return record.audio_path, record.midi_path


def _prepare(record: LabelRecord, window_sec: float, overlap: float) -> dict[str, np.ndarray]:
    audio, midi = _sound_and_keys(record)
    normal = normalize_audio(load_audio(audio))
    performance = load_midi(midi)
    alignment, refusal = None, ""
    if record.score_path is not None:
        try:
            alignment = align_performance_to_score(performance, score_readings(record.score_path))
        except MismatchError as error:
            refusal = str(error)
    end = record.end_time if record.end_time is not None else len(normal.waveform) / samples_from_sec(1.0)
    bounds = segment_bounds(end - record.start_time, window_sec, overlap) + record.start_time
    arrays: dict[str, np.ndarray] = {
        "bounds_sec": bounds,
        "level_db": np.array(normal.original_rms_dbfs),
        "n_variants": np.array(1 if alignment is None else 2),
        "score_refusal": np.array(refusal),
    }
    for k, (segment, part) in enumerate(cut_windows(performance, alignment, bounds)):
        cut = normal.waveform[samples_from_sec(bounds[k, 0]) : samples_from_sec(bounds[k, 1])]
        arrays[f"waveform_{k}"] = np.round(cut * 32767.0).astype(np.int16)
        for variant in range(int(arrays["n_variants"])):
            symbolic = symbolic_inputs(segment, part if variant else None)
            for name in ("midi_tokens", "note_features", "note_time_sec", "statistics", "n_struck"):
                arrays[f"{name}_{k}_{variant}"] = np.asarray(getattr(symbolic, name))
    return arrays


def _read_prepared(record: LabelRecord, path: Path) -> PreparedRecord:
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}

    def symbolic(k: int, variant: int) -> SymbolicInputs:
        return SymbolicInputs(
            midi_tokens=arrays[f"midi_tokens_{k}_{variant}"],
            note_features=arrays[f"note_features_{k}_{variant}"],
            note_time_sec=arrays[f"note_time_sec_{k}_{variant}"],
            statistics=arrays[f"statistics_{k}_{variant}"],
            n_struck=int(arrays[f"n_struck_{k}_{variant}"]),
        )

    windows = tuple(
        PreparedWindow(
            waveform=arrays[f"waveform_{k}"],
            level_db=float(arrays["level_db"]),
            with_score=symbolic(k, 1) if arrays["n_variants"] == 2 else None,
            without_score=symbolic(k, 0),
        )
        for k in range(len(arrays["bounds_sec"]))
    )
    label = np.array([record.labels.get(name, np.nan) for name in TARGETS])
    label_sd = np.array([record.label_sd.get(name, np.nan) for name in TARGETS])
    return PreparedRecord(
        record, arrays["bounds_sec"], windows, str(arrays["score_refusal"]), label, label_sd
    )


def _code_hash() -> str:
    """Hash of the source that decides what a prepared file contains."""
    digest = hashlib.sha256()
    for name in _CODE_THAT_SHAPES_INPUTS:
        module = importlib.import_module(name)
        file = Path(str(module.__file__))
        sources = sorted(file.parent.glob("*.py")) if file.name == "__init__.py" else [file]
        for source in sources:
            digest.update(source.read_bytes())
    return digest.hexdigest()
