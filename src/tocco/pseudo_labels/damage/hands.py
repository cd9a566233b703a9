"""Damage to what is written together: hands and keys that come apart."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.summaries import group_mean
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.observed.evidence import Evidence

FEWEST_CHORDS: Final = 8
PERCENTILE: Final = 75.0
"""A quarter of the chords may be spread on purpose: arpeggios, a melody that leads."""

LONGEST_SEC: Final = 0.5
"""A note farther away was matched wrongly."""


def measure_hands_apart(evidence: Evidence) -> Reading | str:
    """Standard deviation of the onsets of notes written together, 75th percentile over the chords."""
    written = evidence.written
    if written is None:
        return evidence.why_unwritten()
    onset = evidence.playing.struck.onset_sec[written.played]
    away = onset - written.onset_sec[written.onset_of]
    used = written.in_chord & (np.abs(away) <= LONGEST_SEC)
    chord, of_chord, size = np.unique(written.onset_of[used], return_inverse=True, return_counts=True)
    if (size > 1).sum() < FEWEST_CHORDS:
        return "fewer than eight chords are written"
    mean = group_mean(onset[used], of_chord, len(chord))
    spread = np.sqrt(group_mean((onset[used] - mean[of_chord]) ** 2, of_chord, len(chord)))
    spread, at = spread[size > 1], evidence.written_onset_sec[chord[size > 1]]
    return Reading(float(np.percentile(spread, PERCENTILE)), at, spread)
