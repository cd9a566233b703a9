"""Register-dependent velocity bias of transcriptions: half of the slope over pitch is removed.

Velocity in a transcription reflects loudness, and pianos, rooms and microphones differ in their balance of
treble and bass. Pianists also play higher notes louder: 4.9 velocity steps per octave in the same position
of a chord, of which a transcription of a sampled piano showed 8.6 (results/transcription/errors.txt). One
recording cannot separate instrument and pianist. For two unknown contributions of about equal variance, the
best linear estimate of each is half of their sum. A performance without slope is left unchanged, and never
more than the observed slope is removed. The bias is modelled as a straight line; deviations of single keys
remain.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.statistics.summaries import around
from tocco.pseudo_labels.observed.onsets import OnsetGroups
from tocco.units import FloatArray

INSTRUMENT_SHARE: Final = 0.5
"""Share of the observed slope that is attributed to the instrument."""

SLOPE_PENALTY: Final = 0.5
"""Ridge penalty in square octaves, set by hand: matters only where pitch hardly varies."""

SAME_LEVEL_SEC: Final = 2.0
"""Velocity is taken relative to its mean within this time, so that a rising crescendo is no register bias."""

MIDDLE_PITCH: Final = 64
SEMITONES: Final = 12


def register_slope(pitch: FloatArray, velocity: FloatArray, groups: OnsetGroups) -> float:
    """Slope of velocity over pitch, for notes in the same position of a chord.

    Ridge regression of the velocity of each note on its pitch and its position in the chord (highest,
    lowest, inner, alone), all relative to their means within two seconds. Where pitch hardly varies the
    slope is near 0.

    Parameters
    ----------
    pitch, velocity : (N,) MIDI
    groups : onset groups of these notes

    Returns
    -------
    velocity per octave
    """
    if not len(groups.note):
        return 0.0
    order = np.argsort(groups.onset_of, kind="stable")
    note, onset_of = groups.note[order], groups.onset_of[order]
    several = groups.size[onset_of] > 1
    is_top = several & (note == groups.top[onset_of])
    is_bottom = several & (note == groups.bottom[onset_of])
    is_inner = several & ~is_top & ~is_bottom
    columns = np.stack([velocity[note], _octaves(pitch[note]), is_top, is_bottom, is_inner]).astype(float)
    sec = np.maximum.accumulate(groups.onset_sec)[onset_of]
    level, *known = columns - around(sec, columns, SAME_LEVEL_SEC)
    ridge = np.sqrt(SLOPE_PENALTY) * np.eye(1, len(known))
    rows = np.vstack([np.column_stack(known), ridge])
    found, *_ = np.linalg.lstsq(rows, np.append(level, 0.0), rcond=None)
    return float(found[0])


def without_register_bias(pitch: FloatArray, velocity: FloatArray, groups: OnsetGroups) -> FloatArray:
    """Velocity less the estimated register-dependent bias; E4 is unchanged.

    Parameters
    ----------
    pitch, velocity : (N,) MIDI
    groups : onset groups of these notes

    Returns
    -------
    (N,) velocity, not bounded
    """
    slope = INSTRUMENT_SHARE * register_slope(pitch, velocity, groups)
    return velocity - slope * _octaves(pitch)


def _octaves(pitch: FloatArray) -> FloatArray:
    """(N,) octaves above E4."""
    return (pitch - MIDDLE_PITCH) / SEMITONES
