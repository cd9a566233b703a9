"""Is this music that somebody plays? Mashed keys, random keys and impossible speed are not rated.

The limits lie between competent playing, takes of students, and made-up playing: `benchmarks/plausibility.py`
prints the range of each measure on either side.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.performance import Performance
from tocco.units import FloatArray, IntArray

MOST_NOTES_A_SEC: Final = 44.0
"""In the densest three seconds."""

MOST_CLUSTERED: Final = 0.25
"""Share of notes that are struck with two others within two semitones."""

FARTHEST_APART: Final = 2.6
"""Semitones from a note to the nearest of those just before it, mean; with a scale that fits too few."""

LEAST_IN_SCALE: Final = 0.8
"""Share of notes in the major scale that fits best, median over stretches of 40 notes."""

_DENSEST_SEC: Final = 3.0
_TOGETHER_SEC: Final = 0.04
_BEFORE_SEC: Final = 0.03
_NOTES_BEFORE: Final = 12
_STRETCH: Final = 40
_MAJOR: Final = np.array([0, 2, 4, 5, 7, 9, 11])


def implausible(performance: Performance) -> tuple[str, ...]:
    """Why a performance is nothing that a pianist plays; empty where it may be.

    Parameters
    ----------
    performance
    """
    order = np.lexsort((performance.pitch, performance.onset_sec))
    onset, pitch = performance.onset_sec[order], performance.pitch[order]
    if len(onset) <= _NOTES_BEFORE:
        return ()
    reasons = []
    if (speed := notes_a_second(onset)) > MOST_NOTES_A_SEC:
        reasons.append(f"{speed:.0f} notes a second are more than hands can play")
    if (share := clustered(onset, pitch)) > MOST_CLUSTERED:
        reasons.append(f"{100.0 * share:.0f} % of the notes are struck in clusters of neighbouring keys")
    apart, in_scale = keys_apart(onset, pitch), share_in_scale(pitch)
    if apart > FARTHEST_APART and in_scale < LEAST_IN_SCALE:
        reasons.append(
            f"the keys are as if drawn at random: {apart:.1f} semitones apart, "
            f"{100.0 * in_scale:.0f} % in a scale"
        )
    return tuple(reasons)


def notes_a_second(onset_sec: FloatArray) -> float:
    """Notes a second in the densest three seconds of (N,) ascending onsets."""
    ahead = np.searchsorted(onset_sec, onset_sec + _DENSEST_SEC) - np.arange(len(onset_sec))
    return float(ahead.max()) / _DENSEST_SEC


def clustered(onset_sec: FloatArray, pitch: IntArray) -> float:
    """Share of the notes that are struck with two others within two semitones."""
    first = np.searchsorted(onset_sec, onset_sec - _TOGETHER_SEC)
    last = np.searchsorted(onset_sec, onset_sec + _TOGETHER_SEC, side="right")
    near = [
        int((np.abs(pitch[a:b] - key) <= 2).sum()) - 1 for a, b, key in zip(first, last, pitch, strict=True)
    ]
    return float(np.mean(np.array(near) >= 2))


def keys_apart(onset_sec: FloatArray, pitch: IntArray) -> float:
    """Semitones from a note to the nearest of the twelve before it, mean; 0 where there is none before."""
    found = []
    for note in range(_NOTES_BEFORE, len(pitch)):
        before = slice(note - _NOTES_BEFORE, note)
        earlier = pitch[before][onset_sec[before] < onset_sec[note] - _BEFORE_SEC]
        if len(earlier):
            found.append(int(np.abs(earlier - pitch[note]).min()))
    return float(np.mean(found)) if found else 0.0


def share_in_scale(pitch: IntArray) -> float:
    """Share of the notes in the major scale that fits best, median over stretches of 40 notes."""
    starts = range(0, max(1, len(pitch) - _STRETCH + 1), _STRETCH)
    counts = [np.bincount(pitch[a : a + _STRETCH] % 12, minlength=12) for a in starts]
    best = [max(int(count[(_MAJOR + tonic) % 12].sum()) for tonic in range(12)) for count in counts]
    return float(np.median([one / count.sum() for one, count in zip(best, counts, strict=True)]))
