"""Batches of windows, the same in training and in assessment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor

from tocco.data.preparation import WindowInputs
from tocco.models.network import PerformanceBatch


class ExampleMetadata(TypedDict):
    """Origin of an example, and the augmentations applied to it.

    Attributes
    ----------
    record_index : index of the record in the dataset
    window : index of the window in the record
    start_sec, end_sec : seconds of the recording
    with_score : whether the score is an input
    effects : names of the augmentations that were applied, in order
    """

    segment_id: str
    piece_id: str
    performer_id: str | None
    record_index: int
    window: int
    start_sec: float
    end_sec: float
    with_score: bool
    effects: tuple[str, ...]


class InputTensors(TypedDict):
    """Inputs of the network: for one window, or with a leading batch axis and padded at the end.

    Attributes
    ----------
    waveform : (S,) 24 kHz mono, float32
    audio_mask : (S,) True = a sample of the recording
    level_db : () dBFS RMS of the recording before normalisation; NaN = unknown
    midi_tokens : (L, 8) Octuple
    note_features : (L, F) NaN = missing
    note_times : (L, 2) seconds from the window's start, onset and offset
    midi_mask : (L,) True = a note
    statistics : (P,) NaN = missing
    """

    waveform: Tensor
    audio_mask: Tensor
    level_db: Tensor
    midi_tokens: Tensor
    note_features: Tensor
    note_times: Tensor
    midi_mask: Tensor
    statistics: Tensor


class Example(InputTensors):
    """One rated window.

    Attributes
    ----------
    labels, label_sd : (D,) rating points in the order of `TARGETS`; NaN where missing, never filled
    label_mask : (D,) True = rated
    metadata
    cqt : (168, T) linear magnitude, for pictures; only on request
    """

    labels: Tensor
    label_mask: Tensor
    label_sd: Tensor
    metadata: ExampleMetadata
    cqt: NotRequired[Tensor]


class ExampleBatch(InputTensors):
    """A batch of rated windows; see `InputTensors` and `Example`, with a leading batch axis."""

    labels: Tensor
    label_mask: Tensor
    label_sd: Tensor
    metadata: list[ExampleMetadata]
    cqt: NotRequired[Tensor]


def input_tensors(window: WindowInputs) -> InputTensors:
    """A window as tensors."""
    symbolic = window.symbolic
    return {
        "waveform": torch.from_numpy(window.waveform),
        "audio_mask": torch.ones(len(window.waveform), dtype=torch.bool),
        "level_db": torch.tensor(window.level_db, dtype=torch.float32),
        "midi_tokens": torch.from_numpy(symbolic.midi_tokens).long(),
        "note_features": torch.from_numpy(symbolic.note_features),
        "note_times": torch.from_numpy(symbolic.note_time_sec),
        "midi_mask": torch.ones(len(symbolic.midi_tokens), dtype=torch.bool),
        "statistics": torch.from_numpy(np.asarray(symbolic.statistics, dtype=np.float32)),
    }


def collate_examples(examples: Sequence[Example]) -> ExampleBatch:
    """Collate examples, padded to the longest waveform and the longest note list."""
    batch: ExampleBatch = {
        **_padded(examples),
        "labels": torch.stack([e["labels"] for e in examples]),
        "label_mask": torch.stack([e["label_mask"] for e in examples]),
        "label_sd": torch.stack([e["label_sd"] for e in examples]),
        "metadata": [e["metadata"] for e in examples],
    }
    pictures = [e["cqt"] for e in examples if "cqt" in e]
    if pictures:
        batch["cqt"] = _stacked([picture.T for picture in pictures], 0.0).transpose(1, 2)
    return batch


def collate_windows(windows: Sequence[WindowInputs]) -> PerformanceBatch:
    """Collate windows without labels into a batch of the network."""
    return network_batch(_padded([input_tensors(window) for window in windows]))


def network_batch(batch: InputTensors) -> PerformanceBatch:
    """The inputs of the network, without labels and metadata."""
    return PerformanceBatch(
        waveform=batch["waveform"],
        waveform_samples=batch["audio_mask"].sum(dim=1),
        level_db=batch["level_db"],
        audio_start_sec=torch.zeros_like(batch["level_db"]),
        midi_tokens=batch["midi_tokens"],
        note_features=batch["note_features"],
        note_time_sec=batch["note_times"],
        midi_mask=batch["midi_mask"],
        statistics=batch["statistics"],
    )


def _padded(items: Sequence[Any]) -> InputTensors:
    def column(name: str) -> list[Tensor]:
        return [item[name] for item in items]

    return {
        "waveform": _stacked(column("waveform"), 0.0),
        "audio_mask": _stacked(column("audio_mask"), False),
        "level_db": torch.stack(column("level_db")),
        "midi_tokens": _stacked(column("midi_tokens"), 0, at_least=1),
        "note_features": _stacked(column("note_features"), torch.nan, at_least=1),
        "note_times": _stacked(column("note_times"), 0.0, at_least=1),
        "midi_mask": _stacked(column("midi_mask"), False, at_least=1),
        "statistics": torch.stack(column("statistics")),
    }


def _stacked(rows: Sequence[Tensor], fill: float | bool, *, at_least: int = 0) -> Tensor:
    """(B, longest, ...) rows padded at the end."""
    longest = max(at_least, *(len(row) for row in rows))
    stacked = rows[0].new_full((len(rows), longest, *rows[0].shape[1:]), fill)
    for b, row in enumerate(rows):
        stacked[b, : len(row)] = row
    return stacked
