"""From one performance to what the network sees: the same steps in training and in assessment.

A performance is cut into windows by seconds; audio, MIDI and score are cut by the same bounds. Each
window becomes a waveform, Octuple tokens, note features with their times, and the statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tocco.models.network import PerformanceBatch
from tocco.music.alignment import Alignment
from tocco.music.midi import notes_within, segment_midi
from tocco.music.note_features import NOTE_FEATURES, note_features
from tocco.music.octuple import COLUMNS, FIRST_VALUE, BeatGrid, encode_octuple_midi
from tocco.music.performance import Performance
from tocco.music.statistics import STATISTICS, performance_statistics
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
    order = octuple.note_index
    times = np.stack([performance.onset_sec, performance.offset_sec], axis=1)
    return SymbolicInputs(
        midi_tokens=_bars_from_the_first(octuple.token),
        note_features=note_features(performance, alignment)[order].astype(np.float32),
        note_time_sec=times[order].astype(np.float32),
        statistics=performance_statistics(performance, alignment).values.astype(np.float32),
        n_struck=int(np.count_nonzero(performance.onset_sec >= 0)),
    )


def _bars_from_the_first(token: IntArray) -> IntArray:
    """Bars counted from the window's first, so that a window is the same wherever it stands in a piece."""
    counted = token.copy()
    if len(counted):
        bar = COLUMNS.index("bar")
        counted[:, bar] += FIRST_VALUE - counted[:, bar].min()
    return counted


def collate_windows(windows: Sequence[WindowInputs]) -> PerformanceBatch:
    """One batch, padded at the end to its longest waveform and its longest note list."""
    n_samples = [len(w.waveform) for w in windows]
    n_notes = [len(w.symbolic.midi_tokens) for w in windows]
    waveform = torch.zeros(len(windows), max(n_samples))
    tokens = torch.zeros(len(windows), max(1, *n_notes), 8, dtype=torch.long)
    features = torch.full((len(windows), tokens.shape[1], len(NOTE_FEATURES)), torch.nan)
    times = torch.zeros(len(windows), tokens.shape[1], 2)
    mask = torch.zeros(len(windows), tokens.shape[1], dtype=torch.bool)
    for b, window in enumerate(windows):
        notes = slice(0, n_notes[b])
        waveform[b, : n_samples[b]] = torch.from_numpy(window.waveform)
        tokens[b, notes] = torch.from_numpy(window.symbolic.midi_tokens)
        features[b, notes] = torch.from_numpy(window.symbolic.note_features)
        times[b, notes] = torch.from_numpy(window.symbolic.note_time_sec)
        mask[b, notes] = True
    statistics = np.stack([w.symbolic.statistics for w in windows]).reshape(len(windows), len(STATISTICS))
    return PerformanceBatch(
        waveform=waveform,
        waveform_samples=torch.tensor(n_samples),
        level_db=torch.tensor([w.level_db for w in windows], dtype=torch.float32),
        audio_start_sec=torch.zeros(len(windows)),
        midi_tokens=tokens,
        note_features=features,
        note_time_sec=times,
        midi_mask=mask,
        statistics=torch.from_numpy(statistics.astype(np.float32)),
    )
