"""Rated performances, read, aligned, measured and cut into windows: once, or anew at every look.

What is kept of a record is one file (`tocco.cache`): the sound, the notes with their alignment,
and what the network reads of every window, with and without the score. In memory there are only
bounds and labels.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocco.cache import ArrayReader, ArraysInMemory, cached_arrays, content_key
from tocco.data.preparation import SymbolicInputs, WindowInputs, cut_windows
from tocco.data.record_arrays import SYMBOLIC, MissingMidi, record_arrays, sound_and_keys
from tocco.data.records import LabelRecord
from tocco.data.splits import Fold, Protocol, checked_folds
from tocco.data.value_arrays import value_of
from tocco.engines import LocalEngine, Progress
from tocco.files import sha256_of
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.rubrics import TARGETS
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True)
class RecordSource:
    """Where the arrays of a record come from.

    Attributes
    ----------
    record
    window_sec, overlap : seconds; share of a window
    path : the kept file; None to make the arrays anew at every look
    """

    record: LabelRecord
    window_sec: float
    overlap: float
    path: Path | None

    def open(self) -> ArrayReader:
        """The record's arrays; a kept file that is missing or damaged is made again."""
        if self.path is None:
            return ArraysInMemory(self._made())
        return cached_arrays(self.path, self._made)

    def _made(self) -> dict[str, np.ndarray]:
        return record_arrays(self.record, self.window_sec, self.overlap)


@dataclass(frozen=True, eq=False)
class PreparedWindow:
    """One window of a rated performance; its arrays are read when they are asked for.

    Attributes
    ----------
    source
    number : 0..K-1
    sample_bounds : first sample and end in the record's waveform
    bounds_sec : start and end in seconds of the recording
    level_db : dBFS RMS of the recording before normalisation
    has_score : whether the record has a score that is that of its performance
    """

    source: RecordSource
    number: int
    sample_bounds: tuple[int, int]
    bounds_sec: tuple[float, float]
    level_db: float
    has_score: bool

    @property
    def n_samples(self) -> int:
        """Length of the waveform."""
        return self.sample_bounds[1] - self.sample_bounds[0]

    @property
    def waveform(self) -> np.ndarray:
        """(S,) int16 at the model's rate, the record's peak at the normalised level."""
        return self.source.open().part("waveform", *self.sample_bounds)

    @property
    def with_score(self) -> SymbolicInputs | None:
        """What the network reads of the notes and the score; None where the record has no score."""
        return _symbolic(self.source.open(), self.number, "score") if self.has_score else None

    @property
    def without_score(self) -> SymbolicInputs:
        """What the network reads of the notes alone."""
        return _symbolic(self.source.open(), self.number, "notes")

    def inputs(self, *, use_score: bool, level_shift_db: float = 0.0) -> WindowInputs:
        """The window as the network takes it."""
        arrays = self.source.open()
        return WindowInputs(
            _sound(arrays.part("waveform", *self.sample_bounds)),
            self.level_db + level_shift_db,
            _symbolic(arrays, self.number, "score" if use_score and self.has_score else "notes"),
        )

    def played(self) -> tuple[FloatArray, Performance, Alignment | None]:
        """Sound, notes and score positions of the window, on its own clock: what augmentation changes."""
        arrays = self.source.open()
        performance: Performance = value_of("performance", arrays.array)
        alignment: Alignment | None = value_of("alignment", arrays.array)
        ((segment, part),) = cut_windows(performance, alignment, np.array([self.bounds_sec]))
        return _sound(arrays.part("waveform", *self.sample_bounds)), segment, part


@dataclass(frozen=True, eq=False)
class PreparedRecord:
    """All windows of one rated performance.

    Attributes
    ----------
    bounds_sec : (K, 2) seconds of the recording, one row a window
    score_refusal : why the record's score is not that of its performance; "" where it is, or has none
    fingerprint : (G,) `splits.fingerprint` of the notes played in the segment
    label, label_sd : (D,) in the order of `TARGETS`; NaN where missing
    """

    record: LabelRecord
    bounds_sec: FloatArray
    windows: tuple[PreparedWindow, ...]
    score_refusal: str
    fingerprint: IntArray
    label: FloatArray
    label_sd: FloatArray


class Outline(NamedTuple):
    """What a record's windows are, without their arrays."""

    source: RecordSource
    bounds_sec: FloatArray
    sample_bounds: np.ndarray
    level_db: float
    has_score: bool
    score_refusal: str
    fingerprint: IntArray


def prepare_records(
    records: Sequence[LabelRecord],
    *,
    window_sec: float,
    overlap: float,
    cache_dir: Path | None,
    jobs: int = 1,
    missing_midi: MissingMidi = "refuse",
    progress: Progress | None = None,
) -> list[PreparedRecord]:
    """Read, align and measure every record once; later runs read the kept files.

    A score that is not that of its performance is not used; `PreparedRecord.score_refusal` says so.

    Parameters
    ----------
    window_sec, overlap : seconds; share of a window
    cache_dir
        Folder of the kept files; None to keep nothing and make a record's arrays anew at every look.
    missing_midi
        "refuse": a record without MIDI is a mistake. "derive": its MIDI is to be transcribed.

    Raises
    ------
    InputError
        A record without audio or MIDI, or whose files cannot be used; the message names the record.
    MissingPartError
        A MIDI is to be derived, and no transcriber is installed.
    """
    for record in records:
        sound_and_keys(record, missing_midi)
    if cache_dir is not None:
        cache_dir.mkdir(parents=True, exist_ok=True)
    prepare = functools.partial(record_outline, window_sec=window_sec, overlap=overlap, cache_dir=cache_dir)
    return [_prepared(outline) for outline in LocalEngine(jobs).map(prepare, records, progress)]


def prepared_folds(records: Sequence[PreparedRecord], protocol: Protocol) -> list[Fold]:
    """`checked_folds` of prepared records, whose notes are known: no MIDI is read again."""
    prints = {each.record.segment_id: each.fingerprint for each in records}
    return checked_folds([each.record for each in records], protocol, prints=prints)


def record_outline(
    record: LabelRecord, *, window_sec: float, overlap: float, cache_dir: Path | None
) -> Outline:
    """Read, align and measure one record, unless it is kept already.

    Parameters
    ----------
    record
    window_sec, overlap
        Length of the windows, and the share of one that the next repeats.
    cache_dir
        Folder of the kept files; None keeps nothing.

    Raises
    ------
    InputError
        The record lacks audio or MIDI, or its files cannot be used.
    """
    path = None if cache_dir is None else cache_dir / _file_name(record, window_sec, overlap)
    source = RecordSource(record, window_sec, overlap, path)
    arrays = source.open()
    return Outline(
        source=source,
        bounds_sec=arrays.array("bounds_sec"),
        sample_bounds=arrays.array("sample_bounds"),
        level_db=float(arrays.array("level_db")[0]),
        has_score=value_of("alignment", arrays.array) is not None,
        score_refusal=value_of("score_refusal", arrays.array),
        fingerprint=arrays.array("fingerprint"),
    )


def _file_name(record: LabelRecord, window_sec: float, overlap: float) -> str:
    files = [f for f in (record.audio_path, record.midi_path, record.score_path) if f is not None]
    has_score = record.score_path is not None
    settings = (window_sec, overlap, record.start_time, record.end_time, has_score)
    key = content_key(record_arrays.__module__, *settings, *map(sha256_of, files))
    return f"{record.segment_id}-{key}.safetensors"


def _prepared(outline: Outline) -> PreparedRecord:
    record = outline.source.record
    windows = tuple(
        PreparedWindow(
            source=outline.source,
            number=k,
            sample_bounds=(int(samples[0]), int(samples[1])),
            bounds_sec=(float(seconds[0]), float(seconds[1])),
            level_db=outline.level_db,
            has_score=outline.has_score,
        )
        for k, (samples, seconds) in enumerate(zip(outline.sample_bounds, outline.bounds_sec, strict=True))
    )
    return PreparedRecord(
        record=record,
        bounds_sec=outline.bounds_sec,
        windows=windows,
        score_refusal=outline.score_refusal,
        fingerprint=outline.fingerprint,
        label=np.array([record.labels.get(name, np.nan) for name in TARGETS]),
        label_sd=np.array([record.label_sd.get(name, np.nan) for name in TARGETS]),
    )


def _symbolic(arrays: ArrayReader, number: int, variant: str) -> SymbolicInputs:
    read = {name: arrays.array(f"{number}.{variant}.{name}") for name in SYMBOLIC}
    return SymbolicInputs(**{**read, "n_struck": int(read["n_struck"][0])})


def _sound(kept: np.ndarray) -> FloatArray:
    return kept.astype(np.float32) / np.float32(32767.0)
