"""Playing that is no music, and renderings of a score without a pianist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.evaluation.validity.composites import clusters
from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.units import HIGHEST_PIANO_KEY, LOWEST_PIANO_KEY, FloatArray, IntArray

LENGTH_SEC: Final = 24.0
FAST_NOTES_A_SEC: Final = 50.0
RANDOM_NOTES_A_SEC: Final = 6.0
FLAT_VELOCITY: Final = 64
_HELD: Final = 0.97
"""Of the written length: a rendering releases a key just before the next note."""
_GRACE_SEC: Final = 0.08


def performance_of(
    onset_sec: FloatArray, offset_sec: FloatArray, pitch: IntArray, velocity: IntArray
) -> Performance:
    """Notes without pedal as a performance; of equal strikes of a key one is left, and none overlap."""
    order = np.lexsort((onset_sec, pitch))
    onset, offset = onset_sec[order], offset_sec[order]
    pitch, velocity = pitch[order], velocity[order]
    again = np.diff(pitch, prepend=-1) == 0
    single = ~(again & (np.diff(onset, prepend=-np.inf) < 0.01))
    onset, offset = onset[single], offset[single]
    pitch, velocity = pitch[single], velocity[single]
    same = np.flatnonzero(np.diff(pitch) == 0)
    offset[same] = np.minimum(offset[same], onset[same + 1])
    order = np.lexsort((pitch, onset))
    return Performance(
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=pitch[order].astype(np.int64),
        velocity=velocity[order].astype(np.int64),
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(offset.max()),
    )


def mashed(rng: np.random.Generator) -> Performance:
    """Clusters of neighbouring keys."""
    return performance_of(*clusters(LENGTH_SEC, rng))


def fast(rng: np.random.Generator) -> Performance:
    """Fifty keys a second, drawn at random, all at one velocity."""
    n = round(LENGTH_SEC * FAST_NOTES_A_SEC)
    onset = np.arange(n) / FAST_NOTES_A_SEC
    pitch = rng.integers(LOWEST_PIANO_KEY, HIGHEST_PIANO_KEY, n, endpoint=True)
    velocity = np.full(n, rng.integers(40, 100))
    return performance_of(onset, onset + 0.05, pitch, velocity)


def random_notes(rng: np.random.Generator) -> Performance:
    """Keys, times, lengths and velocities drawn at random."""
    n = round(LENGTH_SEC * RANDOM_NOTES_A_SEC)
    onset = np.sort(rng.uniform(0.0, LENGTH_SEC, n))
    pitch = rng.integers(LOWEST_PIANO_KEY, HIGHEST_PIANO_KEY, n, endpoint=True)
    return performance_of(onset, onset + rng.uniform(0.1, 1.0, n), pitch, rng.integers(10, 120, n))


NO_MUSIC: Final[Mapping[str, Callable[[np.random.Generator], Performance]]] = MappingProxyType(
    {"mashing": mashed, "fast": fast, "random": random_notes}
)
"""What has to be abstained from, by name."""


def mechanical(alignment: Alignment, start_beat: float, end_beat: float) -> Performance:
    """The written notes of a passage in strict tempo at one velocity, without pedal.

    Parameters
    ----------
    alignment : of a pianist, whose mean tempo in the passage is the tempo
    start_beat, end_beat : beats of its score; notes are taken from the start up to, not including, the end
    """
    score = alignment.score
    start_sec, end_sec = alignment.sec_at(np.array([start_beat, end_beat]))
    beat_sec = float(end_sec - start_sec) / (end_beat - start_beat)
    note = np.flatnonzero((score.onset_beat >= start_beat - 1e-6) & (score.onset_beat < end_beat - 1e-6))
    lead = np.array(score.grace_lead)[note] if score.grace_lead else np.zeros(len(note))
    onset = (score.onset_beat[note] - start_beat) * beat_sec - _GRACE_SEC * lead
    length = np.maximum(score.duration_beat[note] * beat_sec * _HELD, _GRACE_SEC)
    onset = onset - min(0.0, float(onset.min()))
    return performance_of(onset, onset + length, score.pitch[note], np.full(len(note), FLAT_VELOCITY))
