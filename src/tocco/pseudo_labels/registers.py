"""The instrument's own balance over the keyboard, taken out of what a transcriber tells of strength.

A transcriber tells how loud a note sounds, and no two pianos, rooms and microphones weigh treble and bass
alike: a sampled piano was told 9 steps louder at its top than at its middle C
(results/transcription/errors.txt). The keys do not say what the instrument adds, but the recording does: an
octave higher, a note of the same place in its chord is struck a little harder by most players, and what it is
told harder than that is the instrument's. Which note of a chord leads is untouched.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.summaries import around
from tocco.pseudo_labels.together import Together
from tocco.units import FloatArray

USUAL_SLOPE: Final = 4.9
"""Velocity by which competent players strike an octave higher harder; measured in the same place."""

SLOPE_WEIGHT: Final = 2.0
"""Square octaves: so much of pitch that moves says as much of the slope as is known of it beforehand."""

NEAR_SEC: Final = 2.0
"""Strength is compared with what is so near in time: a swell that rises is not a treble that is loud."""

MIDDLE_PITCH: Final = 64
SEMITONES: Final = 12


def register_slope(pitch: FloatArray, velocity: FloatArray, together: Together) -> float:
    """How much harder an octave higher is struck, or told to be.

    Least squares on the strength of each note against its pitch and its place in the chord (highest,
    lowest, inner, alone), all less their means within two seconds, drawn towards `USUAL_SLOPE` where little
    moves.

    Parameters
    ----------
    pitch, velocity : (N,) strokes
    together : their onsets

    Returns
    -------
    velocity an octave
    """
    if not len(together.note):
        return USUAL_SLOPE
    order = np.argsort(together.onset_of, kind="stable")
    note, onset_of = together.note[order], together.onset_of[order]
    several = together.size[onset_of] > 1
    is_top = several & (note == together.top[onset_of])
    is_bottom = several & (note == together.bottom[onset_of])
    octave = _octaves(pitch[note])
    above_usual = velocity[note] - USUAL_SLOPE * octave
    columns = np.stack([above_usual, octave, is_top, is_bottom, several & ~is_top & ~is_bottom]).astype(float)
    sec = np.maximum.accumulate(together.onset_sec)[onset_of]
    strength, *known = columns - around(sec, columns, NEAR_SEC)
    prior = np.sqrt(SLOPE_WEIGHT) * np.eye(1, len(known))
    rows = np.vstack([np.column_stack(known), prior])
    found, *_ = np.linalg.lstsq(rows, np.append(strength, 0.0), rcond=None)
    return USUAL_SLOPE + float(found[0])


def without_registers(pitch: FloatArray, velocity: FloatArray, together: Together) -> FloatArray:
    """Strength without what the instrument adds to a register.

    Parameters
    ----------
    pitch, velocity : (N,) strokes, as told
    together : their onsets

    Returns
    -------
    (N,) velocity, not bounded
    """
    return velocity - (register_slope(pitch, velocity, together) - USUAL_SLOPE) * _octaves(pitch)


def _octaves(pitch: FloatArray) -> FloatArray:
    """(N,) octaves above E4."""
    return (pitch - MIDDLE_PITCH) / SEMITONES
