"""Computation of the cached arrays of a rated performance.

The source of this module, and of all that it imports, is part of the cache key: code that does not affect
the arrays belongs elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from tocco.audio.processing import load_audio, normalize_audio, segment_bounds
from tocco.data.preparation import cut_windows, symbolic_inputs
from tocco.data.records import LabelRecord
from tocco.data.sources import read_performance
from tocco.data.splits import record_fingerprint
from tocco.data.value_arrays import arrays_of
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ, samples_from_sec

MissingMidi = Literal["refuse", "derive"]
"""How to treat a record without MIDI: as an error, or transcribe its audio."""

SYMBOLIC = ("midi_tokens", "note_features", "note_time_sec", "statistics", "n_struck")
"""Fields of `SymbolicInputs`; cached per window as "K.notes.FIELD" and, with a score, "K.score.FIELD"."""


def record_arrays(record: LabelRecord, window_sec: float, overlap: float) -> dict[str, np.ndarray]:
    """All cached arrays of a record."""
    audio_path, midi_path = audio_and_midi(record)
    normal = normalize_audio(load_audio(audio_path))
    read = read_performance(midi_path, record.score_path, origin=record.origin, refuse_other_score=False)
    performance, alignment = read.performance, read.alignment
    end = record.end_time if record.end_time is not None else len(normal.waveform) / SAMPLE_RATE_HZ
    bounds = segment_bounds(end - record.start_time, window_sec, overlap) + record.start_time
    edges = np.minimum(
        [[samples_from_sec(start), samples_from_sec(stop)] for start, stop in bounds], len(normal.waveform)
    )
    first = edges[0, 0]
    arrays: dict[str, np.ndarray] = {
        "bounds_sec": bounds,
        "sample_bounds": edges - first,
        "level_db": np.array([normal.original_rms_dbfs]),
        "waveform": np.round(normal.waveform[first : edges.max()] * 32767.0).astype(np.int16),
        "fingerprint": record_fingerprint(record, performance),
        **arrays_of(performance, "performance"),
        **arrays_of(alignment, "alignment"),
        **arrays_of(read.score_refusal, "score_refusal"),
    }
    for k, (segment, part) in enumerate(cut_windows(performance, alignment, bounds)):
        for variant, given in {"notes": None, "score": part}.items():
            if variant == "notes" or given is not None:
                symbolic = symbolic_inputs(segment, given)
                for name in SYMBOLIC:
                    arrays[f"{k}.{variant}.{name}"] = np.atleast_1d(getattr(symbolic, name))
    return arrays


def audio_and_midi(record: LabelRecord) -> tuple[Path, Path]:
    """Audio and MIDI files of a record.

    Raises
    ------
    InputError
        It lacks one of them.
    """
    if record.audio_path is None:
        raise InputError(
            record.segment_id,
            "has no audio_path",
            next_step="render it with `tocco data render`, or leave the record out",
        )
    if record.midi_path is not None:
        return record.audio_path, record.midi_path
    raise InputError(
        record.segment_id,
        "has no midi_path",
        next_step="give it, leave the record out, or set missing_midi: derive",
    )
