"""Prepared performances: read, aligned, measured and cut into windows, cached or computed on demand.

The cache has one file per record (`tocco.cache`): the audio, the notes with their alignment, and the
inputs of the network for every window, with and without the score. Only bounds and labels are in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tocco.audio.transcription import transcriber_of
from tocco.cache import ArrayReader, ArraysInMemory, cached_arrays, content_key
from tocco.cache_folder import cache_folder
from tocco.data.preparation import SymbolicInputs, WindowInputs, cut_windows
from tocco.data.record_arrays import SYMBOLIC, MissingMidi, audio_and_midi, record_arrays
from tocco.data.records import LabelRecord
from tocco.data.splits import Fold, Protocol, checked_folds
from tocco.data.transcribing import with_transcription
from tocco.data.value_arrays import value_of
from tocco.engines import LocalEngine, Progress
from tocco.files import sha256_of
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.rubrics import TARGETS
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True)
class RecordSource:
    """Source of the arrays of a record.

    Attributes
    ----------
    record
    window_sec, overlap : seconds; fraction of a window
    path : the cached file; None to compute the arrays at each access
    """

    record: LabelRecord
    window_sec: float
    overlap: float
    path: Path | None

    def open(self) -> ArrayReader:
        """The record's arrays; a missing or damaged cached file is written again."""
        if self.path is None:
            return ArraysInMemory(self._compute())
        return cached_arrays(self.path, self._compute)

    def _compute(self) -> dict[str, np.ndarray]:
        return record_arrays(self.record, self.window_sec, self.overlap)


@dataclass(frozen=True, eq=False)
class PreparedWindow:
    """One window of a rated performance; its arrays are read on access.

    Attributes
    ----------
    source
    number : 0..K-1
    sample_bounds : first sample and end in the record's waveform
    bounds_sec : start and end in seconds of the recording
    level_db : dBFS RMS of the recording before normalisation
    has_score : whether the record has a score of the same music
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
        """Symbolic inputs with the score; None without a score."""
        return _symbolic(self.source.open(), self.number, "score") if self.has_score else None

    @property
    def without_score(self) -> SymbolicInputs:
        """Symbolic inputs without the score."""
        return _symbolic(self.source.open(), self.number, "notes")

    def inputs(self, *, use_score: bool, level_shift_db: float = 0.0) -> WindowInputs:
        """Inputs of the network."""
        arrays = self.source.open()
        return WindowInputs(
            float_audio(arrays.part("waveform", *self.sample_bounds)),
            self.level_db + level_shift_db,
            _symbolic(arrays, self.number, "score" if use_score and self.has_score else "notes"),
        )

    def triple(self) -> tuple[FloatArray, Performance, Alignment | None]:
        """Audio, notes and alignment of the window, with times relative to its start, for augmentation."""
        arrays = self.source.open()
        performance: Performance = value_of("performance", arrays.array)
        alignment: Alignment | None = value_of("alignment", arrays.array)
        ((segment, part),) = cut_windows(performance, alignment, np.array([self.bounds_sec]))
        return float_audio(arrays.part("waveform", *self.sample_bounds)), segment, part


@dataclass(frozen=True, eq=False)
class PreparedRecord:
    """All windows of one rated performance.

    Attributes
    ----------
    bounds_sec : (K, 2) seconds of the recording, one row per window
    score_refusal : why the score is not of the same music; "" where it is, or there is none
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
    """Metadata of a record's windows, without their arrays."""

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
    transcriber: str | None = None,
    progress: Progress | None = None,
) -> list[PreparedRecord]:
    """Read, align and measure every record; later runs read the cached files.

    A score of other music is not used; see `PreparedRecord.score_refusal`.

    Parameters
    ----------
    window_sec, overlap : seconds; fraction of a window
    cache_dir
        Cache folder; None to compute a record's arrays at each access.
    missing_midi
        "refuse": a record without MIDI is an error. "derive": its recording is transcribed.
    transcriber : command for that; None for the built-in transcriber

    Raises
    ------
    InputError
        A record lacks audio or MIDI, or its files cannot be used; the message names the record.
    MissingPartError
        A recording is to be transcribed, and no transcriber is installed.
    """
    for record in records:
        _assert_files(record, missing_midi)
    if any(record.midi_path is None for record in records):
        transcriber_of(transcriber)  # fail before the work where there is none
    if cache_dir is not None:
        cache_dir.mkdir(parents=True, exist_ok=True)
    prepare = functools.partial(
        record_outline,
        window_sec=window_sec,
        overlap=overlap,
        cache_dir=cache_dir,
        missing_midi=missing_midi,
        transcriber=transcriber,
    )
    return [_prepared(outline) for outline in LocalEngine(jobs).map(prepare, records, progress)]


def prepared_folds(records: Sequence[PreparedRecord], protocol: Protocol) -> list[Fold]:
    """`checked_folds` of prepared records, whose notes are known: no MIDI is read again."""
    prints = {each.record.segment_id: each.fingerprint for each in records}
    return checked_folds([each.record for each in records], protocol, prints=prints)


def record_outline(
    record: LabelRecord,
    *,
    window_sec: float,
    overlap: float,
    cache_dir: Path | None,
    missing_midi: MissingMidi = "refuse",
    transcriber: str | None = None,
) -> Outline:
    """Read, align and measure one record, unless it is cached.

    Parameters
    ----------
    record
    window_sec, overlap
        Length of the windows, and fraction of it shared with the next.
    cache_dir
        Cache folder; None for no cache.
    missing_midi, transcriber
        As in `prepare_records`.

    Raises
    ------
    InputError
        The record lacks audio or MIDI, or its files cannot be used.
    MissingPartError
        Its recording is to be transcribed, and no transcriber is installed.
    """
    _assert_files(record, missing_midi)
    if record.midi_path is None:
        folder = (cache_folder() if cache_dir is None else cache_dir) / "transcribed"
        record = with_transcription(record, transcriber_of(transcriber), folder)
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


def _assert_files(record: LabelRecord, missing_midi: MissingMidi) -> None:
    if record.audio_path is None or missing_midi == "refuse":
        audio_and_midi(record)


def _file_name(record: LabelRecord, window_sec: float, overlap: float) -> str:
    files = [f for f in (record.audio_path, record.midi_path, record.score_path) if f is not None]
    has_score = record.score_path is not None
    settings = (window_sec, overlap, record.start_time, record.end_time, has_score, record.origin)
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


def float_audio(samples: np.ndarray) -> FloatArray:
    """Samples of 16 bits as float32, full scale = 1."""
    return samples.astype(np.float32) / np.float32(32767.0)
