"""From one performance to what the network sees: the same steps in training and in assessment.

A performance is cut into windows by seconds; audio, MIDI and score are cut by the same bounds. Each
window becomes a waveform, Octuple tokens, note features with their times, and the statistics.
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
"""Beat of the stated time grid where there is no score: 120 quarter notes a minute."""


@dataclass(frozen=True, eq=False)
class SymbolicInputs:
    """The notes of one window as the network reads them.

    Attributes
    ----------
    midi_tokens : (L, 8) Octuple columns
    note_features : (L, F) in the order of `NOTE_FEATURES`; NaN where missing
    note_time_sec : (L, 2) onset and offset from the window's start
    statistics : (P,) in the order of `STATISTICS`; NaN where missing
    n_struck : notes struck inside the window
    """

    midi_tokens: IntArray
    note_features: FloatArray
    note_time_sec: FloatArray
    statistics: FloatArray
    n_struck: int


@dataclass(frozen=True, eq=False)
class WindowInputs:
    """One window, ready for the network.

    Attributes
    ----------
    waveform : (S,) float32 at the model's rate; the recording's peak stands at the normalised level
    level_db : dBFS RMS of the recording before normalisation; NaN where unknown
    symbolic
    """

    waveform: FloatArray
    level_db: float
    symbolic: SymbolicInputs


def cut_windows(
    performance: Performance, alignment: Alignment | None, bounds_sec: FloatArray
) -> list[tuple[Performance, Alignment | None]]:
    """Performance and alignment of every window, on the window's own clock.

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

    Without an alignment everything that needs the score is NaN, and tokens stand on a regular grid.
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
    """Bars counted from the window's first, so that a window is the same wherever it stands in a piece."""
    counted = token.copy()
    if len(counted):
        bar = COLUMNS.index("bar")
        counted[:, bar] += FIRST_VALUE - counted[:, bar].min()
    return counted
