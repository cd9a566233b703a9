"""Damage to the length of the notes: they sound on, break off, or overlap their neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.pseudo_labels.damage.beat_line import read_beat_line
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.transcribed import is_released_under_pedal
from tocco.units import BoolArray, FloatArray

LONGEST_SMEAR_SEC: Final = 4.0
"""By then a note has decayed."""

LONGEST_OVERLAP_SEC: Final = 2.0
SHORTEST_WRITTEN_SEC: Final = 0.15
"""Shorter notes need not be connected for the music to sound legato."""

DETACHED: Final = frozenset({"staccato", "staccatissimo", "spiccato", "detached-legato", "breath-mark"})
FEWEST: Final = 10
NEIGHBOUR_SEMITONES: Final = 2
NEIGHBOUR_SEC: Final = 1.5


def _written_ends(evidence: Evidence) -> tuple[FloatArray, BoolArray] | None:
    """(K,) seconds at which each matched note ends as written, and which of them are known."""
    line, written = evidence.once(read_beat_line), evidence.written
    if line is None or written is None:
        return None
    end_beat = written.beat + written.duration_beat
    known = (written.duration_beat > 0.0) & (end_beat <= line.beat[-1] + 0.01)
    end_sec = np.interp(end_beat, line.beat, line.sec) - evidence.clock_sec
    return end_sec, known


def measure_smear(evidence: Evidence) -> Reading | str:
    """Seconds that notes sound past their written end, by pedal or key; mean."""
    ends, written = _written_ends(evidence), evidence.written
    if ends is None or written is None:
        return evidence.why_unwritten()
    due, known = ends
    struck = evidence.playing.struck.take(written.played)
    smear = np.clip(struck.end_sec - due, 0.0, LONGEST_SMEAR_SEC)[known]
    if len(smear) < FEWEST:
        return "fewer than ten notes end before the last onset"
    return Reading(float(smear.mean()), struck.onset_sec[known] + evidence.clock_sec, smear)


def measure_dryness(evidence: Evidence) -> Reading | str:
    """Share of their written length by which notes without a sign for detached play break off early; mean."""
    ends, written, score = _written_ends(evidence), evidence.written, evidence.score
    if ends is None or written is None or score is None:
        return evidence.why_unwritten()
    due, known = ends
    struck = evidence.playing.struck.take(written.played)
    detached = np.array([bool(DETACHED & set(names.split(","))) for names in score.articulation])
    length = due - struck.onset_sec
    used = known & ~detached[written.note] & (length >= SHORTEST_WRITTEN_SEC)
    if used.sum() < FEWEST:
        return "fewer than ten notes are to be held"
    lacks = np.clip(1.0 - (struck.end_sec - struck.onset_sec)[used] / length[used], 0.0, 1.0)
    return Reading(float(lacks.mean()), struck.onset_sec[used] + evidence.clock_sec, lacks)


def measure_overlap(evidence: Evidence) -> Reading | str:
    """Seconds that a key stays down after a neighbouring key (one or two semitones away) is struck; mean."""
    struck = evidence.playing.struck
    follower = _next_neighbour_sec(struck.onset_sec, struck.pitch)
    used = np.isfinite(follower) & (follower - struck.onset_sec <= NEIGHBOUR_SEC)
    if evidence.is_transcribed:
        used &= ~is_released_under_pedal(evidence.playing.sustain, struck.offset_sec)
    if used.sum() < FEWEST:
        return "fewer than ten notes move by step with a visible release"
    overlap = np.clip(struck.offset_sec - follower, 0.0, LONGEST_OVERLAP_SEC)[used]
    return Reading(float(overlap.mean()), follower[used] + evidence.clock_sec, overlap)


def _next_neighbour_sec(onset_sec: FloatArray, pitch: FloatArray) -> FloatArray:
    """(N,) seconds of the next onset, clearly after a note's own, one or two semitones away; inf for none."""
    found = np.full(len(onset_sec), np.inf)
    key = pitch.astype(int)
    times = {int(k): onset_sec[key == k] for k in np.unique(key)}
    for away in (*range(-NEIGHBOUR_SEMITONES, 0), *range(1, NEIGHBOUR_SEMITONES + 1)):
        for k, own in times.items():
            if k + away in times:
                later = np.append(times[k + away], np.inf)
                following = later[np.searchsorted(later, own + 0.04)]
                found[key == k] = np.minimum(found[key == k], following)
    return found
