"""Notes that no hands could have meant: too many, or in clusters of adjacent keys. No score is needed."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.pseudo_labels.damage.reading import TOO_FEW_NOTES, Reading
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import BoolArray, FloatArray

FEWEST_NOTES: Final = 20
WINDOW_SEC: Final = 1.0
STEP_SEC: Final = 0.25
PERCENTILE: Final = 90.0
TOGETHER_SEC: Final = 0.03
"""Keys struck within this are struck at once; the fastest trills take twice as long from key to key."""


def measure_density(evidence: Evidence) -> Reading | str:
    """Notes a second, 90th percentile over the performance."""
    onset = evidence.playing.struck.onset_sec
    if len(onset) < FEWEST_NOTES:
        return TOO_FEW_NOTES
    at = np.arange(0.0, max(float(onset[-1]) - WINDOW_SEC, 0.0) + STEP_SEC, STEP_SEC)
    count = (np.searchsorted(onset, at + WINDOW_SEC) - np.searchsorted(onset, at)) / WINDOW_SEC
    return Reading(float(np.percentile(count, PERCENTILE)), at + evidence.clock_sec, count)


def measure_clusters(evidence: Evidence) -> Reading | str:
    """Share of the notes that are struck at once with the key a semitone beside them."""
    struck = evidence.playing.struck
    if len(struck) < FEWEST_NOTES:
        return TOO_FEW_NOTES
    beside = _is_in_cluster(struck.onset_sec, struck.pitch)
    return Reading(float(beside.mean()), struck.onset_sec + evidence.clock_sec, beside.astype(float))


def _is_in_cluster(onset_sec: FloatArray, pitch: FloatArray) -> BoolArray:
    """(N,) whether a key one semitone away goes down within 30 ms."""
    key = pitch.astype(int)
    found = np.zeros(len(key), dtype=bool)
    times = {int(k): onset_sec[key == k] for k in np.unique(key)}
    for k, own in times.items():
        for other in (times.get(k - 1), times.get(k + 1)):
            if other is not None:
                near = np.searchsorted(other, own + TOGETHER_SEC) > np.searchsorted(other, own - TOGETHER_SEC)
                found[key == k] |= near
    return found
