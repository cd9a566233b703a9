"""Inputs of the baselines from prepared excerpts: sound, ten numbers of the notes, statistics.

What is prepared for the network holds the sound, the notes and their alignment, so that no file is read or
aligned again; what is computed from them is kept beside it, and computed once.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio import summary
from tocco.audio.summary import SUMMARY, recording_summary
from tocco.cache import ArrayReader, Arrays, cached_arrays, content_key
from tocco.data.prepared import PreparedRecord, RecordSource
from tocco.data.record_arrays import record_arrays
from tocco.data.value_arrays import value_of
from tocco.engines import LocalEngine, Progress
from tocco.evaluation.cross_validation import baselines, shallow_models
from tocco.evaluation.cross_validation.baselines import RIDGE_FEATURES, feature_matrix
from tocco.evaluation.cross_validation.shallow_models import excerpt_of
from tocco.files import sha256_of
from tocco.music.midi_features import ridge_features
from tocco.music.statistics import STATISTICS, performance_statistics
from tocco.units import FloatArray

FOLDER: Final = "features"
"""Beside the prepared records."""

OWN_MODULES: Final = (summary, baselines, shallow_models, sys.modules[__name__])
"""Modules that determine the features and not the prepared arrays; their sources are part of the key."""

_ARRAYS: Final = ("sound", "notes", "statistics")


@dataclass(frozen=True, eq=False)
class ExcerptFeatures:
    """What the baselines read of each excerpt.

    Attributes
    ----------
    sound : (R, 8) in the order of `SUMMARY`
    notes : (R, 10) in the order of `RIDGE_FEATURES`
    statistics : (R, P) in the order of `STATISTICS`, of the whole excerpt; NaN where missing
    """

    sound: FloatArray
    notes: FloatArray
    statistics: FloatArray


def excerpt_features(
    records: Sequence[PreparedRecord], *, jobs: int = 1, progress: Progress | None = None
) -> ExcerptFeatures:
    """Features of every excerpt, from what is prepared of it.

    Raises
    ------
    InputError
        A recording is silent, or shorter than a frame.
    """
    tasks = [_Task.of(record) for record in records]
    found = list(LocalEngine(jobs).map(_measured, tasks, progress))
    columns = {name: np.stack([one[name] for one in found]) for name in _ARRAYS}
    widths = {"sound": len(SUMMARY), "notes": len(RIDGE_FEATURES), "statistics": len(STATISTICS)}
    for name, width in widths.items():
        if columns[name].shape[1] != width:
            raise ValueError(f"{name} has {columns[name].shape[1]} columns, not {width}")
    return ExcerptFeatures(**columns)


@dataclass(frozen=True)
class _Task:
    """An excerpt to measure: light enough to be sent to another process.

    Attributes
    ----------
    source : of its arrays
    level_db : dBFS, the recording's level before it was normalised
    """

    source: RecordSource
    level_db: float

    @classmethod
    def of(cls, record: PreparedRecord) -> _Task:
        return cls(record.windows[0].source, record.windows[0].level_db)


def _measured(task: _Task) -> Arrays:
    def compute() -> Arrays:
        return _features(task)

    if task.source.path is None:
        return compute()
    # The name of the prepared file has the hash of everything that it was made from.
    key = content_key(record_arrays.__module__, _own_sources(), task.source.path.stem)
    path = task.source.path.parent / FOLDER / f"{task.source.record.segment_id}-{key}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    read = cached_arrays(path, compute)
    return {name: read.array(name) for name in _ARRAYS}


@functools.cache
def _own_sources() -> tuple[str, ...]:
    """Hashes of the modules of the features; what these import is in the key of the prepared arrays."""
    return tuple(sha256_of(Path(str(module.__file__))) for module in OWN_MODULES)


def _features(task: _Task) -> Arrays:
    arrays = task.source.open()
    performance, alignment = excerpt_of(
        task.source.record, value_of("performance", arrays.array), value_of("alignment", arrays.array)
    )
    return {
        "sound": _sound(arrays, task.level_db),
        "notes": feature_matrix([ridge_features(performance)])[0],
        "statistics": performance_statistics(performance, alignment).values,
    }


def _sound(arrays: ArrayReader, level_db: float) -> FloatArray:
    """Summary of the sound, with the level of the recording as it was before its peak was normalised."""
    found = recording_summary(arrays.array("waveform").astype(np.float32) / np.float32(32767.0))
    found[SUMMARY.index("level_db")] = level_db
    return found
