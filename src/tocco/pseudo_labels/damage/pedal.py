"""Damage by the sustaining pedal: held across changes of harmony. No score is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.statistics.playing import Playing, pedal_crossings
from tocco.pseudo_labels.damage.reading import TOO_FEW_NOTES, Reading
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.pedal_timing import harmonic_change
from tocco.pseudo_labels.raters.pedaling_technique import bass_changes
from tocco.units import FloatArray

FEWEST_CHORDS: Final = 10
CHORD_CHANGE: Final = 0.5
BASS_CHANGE: Final = 0.25
"""Harmonic change, 0 to 1, from which on a chord changes the harmony; less suffices with a new bass. A single
note above the bass is melody."""

PRESS_BEFORE_SEC: Final = 0.1
"""A pedal that is pressed so shortly before a chord is pressed for it."""

ALLOWED_SEC: Final = 0.3
"""A pedal that is lifted this soon after a change is changed with it (legato pedalling)."""

LONGEST_SEC: Final = 10.0
"""By then all of the earlier harmony has decayed, and an older one sounds no worse."""


@dataclass(frozen=True, eq=False)
class HeldPedal:
    """Spans in which the pedal still holds an earlier harmony.

    Attributes
    ----------
    start_sec, end_sec : (S,) seconds on the time axis of `playing`
    span_sec : duration of the performance
    """

    start_sec: FloatArray
    end_sec: FloatArray
    span_sec: float


def measure_pedal_held(evidence: Evidence) -> Reading | str:
    """Share of the time in which the pedal holds an earlier harmony."""
    held = evidence.once(read_held_pedal)
    if held is None:
        return TOO_FEW_NOTES
    lasts = held.end_sec - held.start_sec
    return Reading(float(lasts.sum() / held.span_sec), held.start_sec + evidence.clock_sec, lasts)


def measure_pedal_span(evidence: Evidence) -> Reading | str:
    """How long, at a moment of the performance, the pedal has held an earlier harmony: seconds on average.

    Long spans count by the square of their length, so that one of them is not averaged away by a clean rest.
    """
    held = evidence.once(read_held_pedal)
    if held is None:
        return TOO_FEW_NOTES
    lasts = held.end_sec - held.start_sec
    short = np.minimum(lasts, LONGEST_SEC)
    total = 0.5 * short**2 + LONGEST_SEC * (lasts - short)
    return Reading(float(total.sum() / held.span_sec), held.start_sec + evidence.clock_sec, lasts)


def read_held_pedal(evidence: Evidence) -> HeldPedal | None:
    """Spans from the first change of harmony under a pressed pedal until it is lifted."""
    playing = evidence.playing
    if len(playing.chord_onset_sec) < FEWEST_CHORDS:
        return None
    pressed, lifted = pedal_crossings(playing.sustain)
    lifted = np.append(lifted, playing.span_sec) if len(lifted) < len(pressed) else lifted
    change = np.append(change_sec(playing), np.inf)
    first = change[np.searchsorted(change, np.maximum(pressed, 0.0) + PRESS_BEFORE_SEC)] + ALLOWED_SEC
    end = np.minimum(lifted, playing.span_sec)
    is_held = end > first
    return HeldPedal(first[is_held], end[is_held], max(playing.span_sec, 1e-6))


def change_sec(playing: Playing) -> FloatArray:
    """Seconds of the chords that change the harmony, ascending."""
    change = harmonic_change(playing)
    new_bass = np.zeros(len(change), dtype=bool)
    new_bass[bass_changes(playing)] = True
    new_chord = (playing.chord_size > 1) & (change >= CHORD_CHANGE)
    return playing.chord_onset_sec[new_chord | (new_bass & (change >= BASS_CHANGE))]
