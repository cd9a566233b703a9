"""A performance as a listener hears it: chords, melody and bass, and how long each note rings.

Every score-free statistic reads this one value, so chords and pedalled durations are found once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.music.performance import PedalCurve, Performance
from tocco.units import FloatArray, IntArray

CHORD_GAP_SEC: Final = 0.04
"""Keys that follow each other within this belong to one chord; asynchronies of a played chord are
mostly below 30 to 50 ms (Goebl 2001)."""
PEDAL_DOWN: Final = 64
"""MIDI's own boundary between pedal up and pedal down."""
MARGIN_SEC: Final = 1e-9
"""Times are multiples of a microsecond; comparisons with a threshold clear rounding by this."""


@dataclass(frozen=True, eq=False)
class Notes:
    """Notes on one clock, sorted by onset, then by pitch.

    Attributes
    ----------
    onset_sec, offset_sec : (N,) seconds, key down and key up
    end_sec : (N,) seconds, >= offset_sec
        When the damper falls: key up, pedals up, or the same key struck again.
    pitch, velocity : (N,)
    """

    onset_sec: FloatArray
    offset_sec: FloatArray
    end_sec: FloatArray
    pitch: FloatArray
    velocity: FloatArray

    def __len__(self) -> int:
        return len(self.onset_sec)

    def take(self, index: IntArray) -> Notes:
        """Some of the notes."""
        return Notes(
            self.onset_sec[index],
            self.offset_sec[index],
            self.end_sec[index],
            self.pitch[index],
            self.velocity[index],
        )


@dataclass(frozen=True, eq=False)
class Playing:
    """A performance, heard from its first struck note on.

    Attributes
    ----------
    struck
        Notes whose key went down inside the performance; N of them.
    sounding
        The same and those that were already ringing when it began.
    index : (N,) index of each struck note in the performance
    chord_of : (N,) index 0..G-1 of each struck note's chord
    chord_onset_sec : (G,) first key of each chord
    chord_size : (G,)
    top, bottom : (G,) index into struck: the highest and the lowest note of each chord
    sustain, soft
        Pedals on the same clock.
    span_sec
        From the first onset to the last key release, or to the end of the performance if that
        comes first.
    """

    struck: Notes
    sounding: Notes
    index: IntArray
    chord_of: IntArray
    chord_onset_sec: FloatArray
    chord_size: IntArray
    top: IntArray
    bottom: IntArray
    sustain: PedalCurve
    soft: PedalCurve
    span_sec: float

    @property
    def ioi_sec(self) -> FloatArray:
        """(G - 1,) seconds from each chord to the next."""
        return np.diff(self.chord_onset_sec)


def sounding_end_sec(performance: Performance) -> FloatArray:
    """When each string falls silent, the pedals counted in.

    A note whose key is released with the sustaining pedal down rings until the pedal comes up;
    the sostenuto pedal holds those keys that were down when it was pressed. Striking the key again
    ends the earlier note.

    Returns
    -------
    (N,) seconds, >= offset_sec
    """
    offset = performance.offset_sec
    held = np.maximum(offset, _pedal_release_sec(performance.sustain, offset, performance.duration_sec))
    pressed_sec, _ = pedal_crossings(performance.sostenuto)
    last_press = np.searchsorted(pressed_sec, offset, side="right") - 1
    if len(pressed_sec):
        caught = (last_press >= 0) & (pressed_sec[np.maximum(last_press, 0)] >= performance.onset_sec)
        until = _pedal_release_sec(performance.sostenuto, offset, performance.duration_sec)
        held = np.where(caught, np.maximum(held, until), held)
    order = np.lexsort((performance.onset_sec, performance.pitch))
    before, after = order[:-1], order[1:]
    again = performance.pitch[before] == performance.pitch[after]
    before, after = before[again], after[again]
    held[before] = np.minimum(held[before], np.maximum(performance.onset_sec[after], offset[before]))
    return held


def pedal_crossings(curve: PedalCurve) -> tuple[FloatArray, FloatArray]:
    """Times at which a pedal goes down through the middle, and at which it comes up again.

    Returns
    -------
    (P,), (R,) seconds, ascending
    """
    down = np.concatenate([[False], curve.value >= PEDAL_DOWN])
    return curve.time_sec[down[1:] & ~down[:-1]], curve.time_sec[~down[1:] & down[:-1]]


def _pedal_release_sec(curve: PedalCurve, at_sec: FloatArray, last_sec: float) -> FloatArray:
    """(K,) seconds: `at_sec` itself where the pedal is up, else when it next comes up."""
    _, released = pedal_crossings(curve)
    later = np.searchsorted(released, at_sec, side="right")
    until = np.append(released, max(last_sec, 0.0))[later]
    return np.where(curve.at(at_sec) >= PEDAL_DOWN, until, at_sec)


def chords(onset_sec: FloatArray) -> IntArray:
    """Which notes are struck together.

    Parameters
    ----------
    onset_sec : (N,) seconds, ascending

    Returns
    -------
    (N,) index of the chord, 0..G-1
        A new chord begins where a key follows the one before by more than 40 ms.
    """
    if not len(onset_sec):
        return np.zeros(0, dtype=int)
    apart = np.diff(onset_sec) > CHORD_GAP_SEC + MARGIN_SEC
    return np.concatenate([[0], np.cumsum(apart)])


def read_playing(performance: Performance) -> Playing:
    """Find chords, melody, bass and ringing in a performance.

    Notes with a negative onset were struck before the performance (it was cut out of a longer one):
    they ring, but are not onsets. Times are counted from the first struck note in whole microseconds,
    so that the clock on which the performance stands makes no difference.
    """
    index = np.flatnonzero(performance.struck_inside)
    start_sec = float(performance.onset_sec[index[0]]) if len(index) else 0.0

    def clock(time_sec: FloatArray) -> FloatArray:
        return np.round(time_sec - start_sec, 6)

    def pedal(curve: PedalCurve) -> PedalCurve:
        return replace(curve, time_sec=clock(curve.time_sec))

    sounding = Notes(
        clock(performance.onset_sec),
        clock(performance.offset_sec),
        clock(sounding_end_sec(performance)),
        performance.pitch.astype(float),
        performance.velocity.astype(float),
    )
    struck = sounding.take(index)
    chord_of = chords(struck.onset_sec)
    chord_size = np.bincount(chord_of) if len(index) else np.zeros(0, dtype=int)
    last = np.cumsum(chord_size)
    first = last - chord_size
    by_pitch = np.lexsort((struck.pitch, chord_of))
    end_sec = clock(np.asarray([performance.duration_sec]))[0]
    return Playing(
        struck=struck,
        sounding=sounding,
        index=index,
        chord_of=chord_of,
        chord_onset_sec=struck.onset_sec[first],
        chord_size=chord_size,
        top=by_pitch[last - 1] if len(index) else np.zeros(0, dtype=int),
        bottom=by_pitch[first] if len(index) else np.zeros(0, dtype=int),
        sustain=pedal(performance.sustain),
        soft=pedal(performance.soft),
        span_sec=float(min(struck.offset_sec.max(), max(end_sec, struck.onset_sec[-1])))
        if len(index)
        else 0.0,
    )
