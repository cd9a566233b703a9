"""Inputs of the network from one performance: the same steps in training and in assessment.

Audio, MIDI and score are cut into windows with the same bounds in seconds. Each window has a waveform,
Octuple tokens, note features with their times, and statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.midi import notes_within, segment_midi
from tocco.music.note_features import note_features_of
from tocco.music.octuple import COLUMNS, FIRST_VALUE, BeatGrid, encode_octuple_midi
from tocco.music.performance import Performance
from tocco.music.statistics import statistics_of
from tocco.music.statistics.reading import read_performance
from tocco.units import FloatArray, IntArray

REGULAR_BEAT_SEC = 0.5
"""Beat of the regular grid that is used without a score: 120 quarter notes per minute."""


@dataclass(frozen=True, eq=False)
class SymbolicInputs:
    """Symbolic inputs of the network for one window.

    Attributes
    ----------
    midi_tokens : (L, 8) Octuple columns
    note_features : (L, F) in the order of `NOTE_FEATURES`; NaN where missing
    note_time_sec : (L, 2) onset and offset from the window's start
    statistics : (P,) in the order of `STATISTICS`; NaN where missing
    n_struck : number of onsets inside the window
    """

    midi_tokens: IntArray
    note_features: FloatArray
    note_time_sec: FloatArray
    statistics: FloatArray
    n_struck: int


@dataclass(frozen=True, eq=False)
class WindowInputs:
    """Inputs of the network for one window.

    Attributes
    ----------
    waveform : (S,) float32 at the model's rate; the recording's peak is at the normalised level
    level_db : dBFS RMS of the recording before normalisation; NaN where unknown
    symbolic
    """

    waveform: FloatArray
    level_db: float
    symbolic: SymbolicInputs


def cut_windows(
    performance: Performance, alignment: Alignment | None, bounds_sec: FloatArray
) -> list[tuple[Performance, Alignment | None]]:
    """Performance and alignment of every window, with times relative to its start.

    Parameters
    ----------
    bounds_sec : (K, 2) seconds
    """
    windows = []
    for segment, (start, end) in zip(segment_midi(performance, bounds_sec), bounds_sec, strict=True):
        inside = notes_within(performance, float(start), float(end))
        part = None if alignment is None else alignment.window(float(start), float(end), inside)
        windows.append((segment, part))
    return windows


def symbolic_inputs(performance: Performance, alignment: Alignment | None) -> SymbolicInputs:
    """Tokens, note features and statistics of one window.

    Without an alignment all score-based features are NaN, and tokens are on a regular grid.
    """
    if alignment is None:
        octuple = encode_octuple_midi(
            performance, BeatGrid.regular(REGULAR_BEAT_SEC, performance.duration_sec)
        )
    else:
        octuple = encode_octuple_midi(
            performance, BeatGrid.from_alignment(alignment), onset_beat=alignment.performance_beat
        )
    reading = read_performance(performance, alignment)
    order = octuple.note_index
    times = np.stack([performance.onset_sec, performance.offset_sec], axis=1)
    return SymbolicInputs(
        midi_tokens=_bars_from_the_first(octuple.token),
        note_features=note_features_of(reading)[order].astype(np.float32),
        note_time_sec=times[order].astype(np.float32),
        statistics=statistics_of(reading).values.astype(np.float32),
        n_struck=int(np.count_nonzero(performance.onset_sec >= 0)),
    )


def _bars_from_the_first(token: IntArray) -> IntArray:
    """Bars counted from the window's first, so that tokens do not depend on the position in the piece."""
    counted = token.copy()
    if len(counted):
        bar = COLUMNS.index("bar")
        counted[:, bar] += FIRST_VALUE - counted[:, bar].min()
    return counted
