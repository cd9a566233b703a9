"""What rings on after the key is released, and what it clashes with; no score needed."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Notes, Playing
from tocco.music.statistics.summaries import MISSING, five, fraction, group_sum, mean, sd, two
from tocco.units import FloatArray

PITCH_CLASSES: Final = 12
RING_ON_SEC: Final = 0.05
"""A note counts as ringing at an onset if it goes on beyond it by this."""
CLASH_BEFORE_SEC: Final = 0.03
CLASH_AFTER_SEC: Final = 0.08
"""A clash needs an older note (not one of the same chord) that is heard for some time."""

_RING = Matter("resonance", needs_score=False)

RESONANCE: Final = (
    *_RING.five("sounding_log", "log", "logarithm of the time a note sounds, pedal included, in seconds"),
    *_RING.one("pedal_extended_fraction", "fraction", "notes that sound on by a fifth beyond the key"),
    *_RING.one("pedal_extension_log", "log", "time a note sounds against the time its key is down"),
    *_RING.two("ringing", "count", "earlier notes that ring at an onset"),
    *_RING.one("ringing_max", "count", "most earlier notes that ring at an onset"),
    *_RING.one("ringing_held", "count", "earlier notes whose keys are still down at an onset"),
    *_RING.one("ringing_by_pedal", "count", "earlier notes that only the pedal keeps ringing at an onset"),
    *_RING.two("clash", "count", "ringing notes a step away (any octave) from those just struck, an onset"),
    *_RING.one("clash_fraction", "fraction", "onsets with a clash"),
    *_RING.one("clash_held", "count", "of the clashes at an onset, those with keys still down"),
)


def ringing(
    onset_sec: FloatArray, end_sec: FloatArray, at_sec: FloatArray, before_sec: float, after_sec: float
) -> FloatArray:
    """How many notes ring at given times.

    A note rings at t if it began before t - before and ends after t + after. Only notes longer than
    before + after can; among those every note that has ended has also begun, so that two sorted
    look-ups count them.

    Parameters
    ----------
    onset_sec, end_sec : (N,) seconds
    at_sec : (G,) seconds
    before_sec, after_sec : seconds, >= 0

    Returns
    -------
    (G,) count
    """
    long = end_sec - onset_sec > before_sec + after_sec
    begun = np.searchsorted(np.sort(onset_sec[long]), at_sec - before_sec, side="left")
    ended = np.searchsorted(np.sort(end_sec[long]), at_sec + after_sec, side="right")
    return (begun - ended).astype(float)


def clashes(notes: Notes, end_sec: FloatArray, playing: Playing) -> FloatArray:
    """Pairs of a note just struck and an older one a semitone or a tone away, octaves set aside.

    Parameters
    ----------
    notes : N of them, that may ring
    end_sec : (N,) seconds
        Until when each counts as ringing.
    playing
        Whose chords are struck.

    Returns
    -------
    (G,) count of pairs at every chord
    """
    at_sec = playing.chord_onset_sec
    ring = np.zeros((PITCH_CLASSES, len(at_sec)))
    pitch_class = notes.pitch.astype(int) % PITCH_CLASSES
    for name in range(PITCH_CLASSES):
        of = pitch_class == name
        if of.any():
            ring[name] = ringing(notes.onset_sec[of], end_sec[of], at_sec, CLASH_BEFORE_SEC, CLASH_AFTER_SEC)
    near = sum(np.roll(ring, interval, axis=0) for interval in (-2, -1, 1, 2))
    struck_class = playing.struck.pitch.astype(int) % PITCH_CLASSES
    return group_sum(np.asarray(near)[struck_class, playing.chord_of], playing.chord_of, len(at_sec))


def measure_resonance(playing: Playing) -> dict[str, float]:
    """Measure ringing and clashes."""
    struck, sounding = playing.struck, playing.sounding
    length, key = struck.end_sec - struck.onset_sec, struck.offset_sec - struck.onset_sec
    at = playing.chord_onset_sec
    ring = ringing(sounding.onset_sec, sounding.end_sec, at, 0.0, RING_ON_SEC)
    held = ringing(sounding.onset_sec, sounding.offset_sec, at, 0.0, RING_ON_SEC)
    clash = clashes(sounding, sounding.end_sec, playing)
    return {
        **five("sounding_log", np.log(length + 1e-3)),
        "pedal_extended_fraction": fraction(length > 1.2 * np.maximum(key, 0.01)),
        "pedal_extension_log": mean(np.log((length + 0.01) / (key + 0.01))),
        **two("ringing", ring),
        "ringing_max": float(ring.max()) if len(ring) else MISSING,
        "ringing_held": mean(held),
        "ringing_by_pedal": mean(ring - held),
        "clash_mean": mean(clash),
        "clash_sd": sd(clash),
        "clash_fraction": fraction(clash > 0),
        "clash_held": mean(clashes(sounding, sounding.offset_sec, playing)),
    }
