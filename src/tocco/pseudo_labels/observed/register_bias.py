"""The tilt of strength over the keyboard: by ear, half of it is taken for the instrument's.

A transcriber tells how loud a note sounds, and no two pianos, rooms and microphones weigh treble and bass
alike. Players lean upwards as well: an octave higher, in the same place of a chord, they strike 4.9 steps
harder, and 8.6 were told of it on a sampled piano (results/transcription/errors.txt). From one recording the
two cannot be told apart. Of two unknowns of about the same size the best guess from their sum is half of it
each: that leaves a flat performance flat, and what is taken out of a tilted one is never more than was told.
A straight line is taken out; that single keys sound louder or softer than their neighbours stays.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.summaries import around
from tocco.pseudo_labels.observed.onsets import Together
from tocco.units import FloatArray

INSTRUMENT_SHARE: Final = 0.5
"""Of the tilt that is told."""

TILT_WEIGHT: Final = 0.5
"""Square octaves, set by hand: a pull towards no tilt, which shows only where hardly any pitch moves."""

SAME_LEVEL_SEC: Final = 2.0
"""Strength is compared with what is so near in time: a swell that rises is not a treble that is loud."""

MIDDLE_PITCH: Final = 64
SEMITONES: Final = 12


def keyboard_tilt(pitch: FloatArray, velocity: FloatArray, together: Together) -> float:
    """How much harder an octave higher is struck, or told to be, in the same place of a chord.

    Ridge regression of the strength of each note on its pitch and its place in the chord (highest, lowest,
    inner, alone), all less their means within two seconds; where little moves the tilt is near 0.

    Parameters
    ----------
    pitch, velocity : (N,) strokes, MIDI
    together : their onsets

    Returns
    -------
    steps of velocity an octave
    """
    if not len(together.note):
        return 0.0
    order = np.argsort(together.onset_of, kind="stable")
    note, onset_of = together.note[order], together.onset_of[order]
    several = together.size[onset_of] > 1
    is_top = several & (note == together.top[onset_of])
    is_bottom = several & (note == together.bottom[onset_of])
    is_inner = several & ~is_top & ~is_bottom
    columns = np.stack([velocity[note], _octaves(pitch[note]), is_top, is_bottom, is_inner]).astype(float)
    sec = np.maximum.accumulate(together.onset_sec)[onset_of]
    strength, *known = columns - around(sec, columns, SAME_LEVEL_SEC)
    towards_none = np.sqrt(TILT_WEIGHT) * np.eye(1, len(known))
    rows = np.vstack([np.column_stack(known), towards_none])
    found, *_ = np.linalg.lstsq(rows, np.append(strength, 0.0), rcond=None)
    return float(found[0])


def without_tilt(pitch: FloatArray, velocity: FloatArray, together: Together) -> FloatArray:
    """Strength as told, less what is taken for the instrument's tilt; E4 stays as it is.

    Parameters
    ----------
    pitch, velocity : (N,) strokes, MIDI
    together : their onsets

    Returns
    -------
    (N,) steps of velocity, not bounded
    """
    tilt = INSTRUMENT_SHARE * keyboard_tilt(pitch, velocity, together)
    return velocity - tilt * _octaves(pitch)


def _octaves(pitch: FloatArray) -> FloatArray:
    """(N,) octaves above E4."""
    return (pitch - MIDDLE_PITCH) / SEMITONES
