"""Pedal timing: distance of lifts and presses from the onsets where a pedal change is expected.

MIDI does not show which onset a pedal event was meant for. It does show how strongly each onset suggests a
pedal change: a new bass note, and a harmony unlike the previous one. Accurate pedalling moves near the onsets
with the largest weight at any tempo; pedalling that is late or early moves away from them, towards the
distance of random pedalling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.score import Score
from tocco.music.statistics.playing import Playing, pedal_crossings
from tocco.music.statistics.resonance import PITCH_CLASSES
from tocco.music.statistics.summaries import MISSING, group_median
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import BoolArray, FloatArray

USUAL_LIFT_SEC: Final = 0.04
USUAL_PRESS_SEC: Final = 0.06
"""In legato pedalling the pedal is lifted with the new keys or just after them; a raised pedal is pressed
with the keys that it is to sustain, or just after them (Banowetz 1985, The Pianist's Guide to Pedaling; Repp
1996, "Pedal timing and tempo in expressive piano performance"). At the onsets of the reference pool with the
largest weight, half of the lifts come from 21 ms before to 95 ms after, and half of the presses that do not
complete a change from 3 to 141 ms after (`norms.json`, pedal)."""

CHANGE_SEC: Final = 0.4
"""A press this soon after a lift completes that pedal change: its time depends on the dampers, not on the
music."""

SHORTEST_REACH_SEC: Final = 0.3
LONGEST_REACH_SEC: Final = 1.0
"""Bounds of the reach of a pedal event, which extends to the previous and the next event of its kind."""

BEFORE_SEC: Final = 0.8
AFTER_SEC: Final = 0.4
"""Extent of the harmony before and after an onset; shorter after it, where the next change may follow."""

BASS_PITCH: Final = 55
"""Notes below G3 count twice for the harmony, as its bass."""

AROUND_SEC: Final = 0.5
FIRST_OF_BAR, ON_BEAT, ON_HALF_BEAT, ELSEWHERE = 8.0, 4.0, 2.0, 1.0
"""Metrical weight of an onset: each metrical level twice the one below it (order of levels after Lerdahl and
Jackendoff 1983)."""

QUAVER_BEAT: Final = 0.5
COMPOUND_PULSE_BEAT: Final = 1.5

ON_TIME_BEAT: Final = 0.03
"""Tolerance of a metrical position: less than any written value."""

LEAST_CHANGE: Final = 0.2
LEAST_DEPTH: Final = 0.3
DEEPEST: Final = 2.0
"""Octaves below the surrounding notes beyond which a lower bass adds no weight."""


@dataclass(frozen=True, eq=False)
class PedalTiming:
    """Distance of pedal events from the onsets where they are expected.

    Every lift counts, and every press that does not complete a pedal change. The distance is 0 for an event
    that follows, after the usual lag, the only onset with weight in its reach, and 1 on average for random
    pedalling.

    Attributes
    ----------
    event_sec : (K,) seconds on the time axis of `playing`, ascending
    distance : (K,) ratio, >= 0; NaN with no onset in reach
    """

    event_sec: FloatArray
    distance: FloatArray


def read_pedal_timing(evidence: Evidence) -> PedalTiming | None:
    """Measure every lift, and every press that does not complete a pedal change, of a whole performance.

    Returns
    -------
    None without a score, since the metre is unknown.
    """
    if evidence.alignment is None:
        return None
    playing = evidence.playing
    at_sec = playing.chord_onset_sec
    change_weight = change_weights(playing) * metrical_weight(evidence.alignment, playing)
    pressed, lifted = pedal_crossings(playing.sustain)
    since_lift = pressed - np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    begins = since_lift >= CHANGE_SEC
    event_sec = np.concatenate([lifted, pressed[begins]])
    distance = np.concatenate(
        [
            distance_from_changes(lifted, USUAL_LIFT_SEC, at_sec, change_weight),
            distance_from_changes(pressed, USUAL_PRESS_SEC, at_sec, change_weight)[begins],
        ]
    )
    order = np.argsort(event_sec, kind="stable")
    return PedalTiming(event_sec[order], distance[order])


def change_weights(playing: Playing) -> FloatArray:
    """Weight of each chord for a pedal change or press, without its position in the bar.

    The square of the product of three factors: harmonic change (1 less the cosine between the pitch classes
    struck in the 0.8 s before and in the 0.4 s from the chord on, after Harte, Sandler and Gasser 2006) plus
    0.2; depth (by how many octaves, 0 to 2, the lowest note lies below the mean of the second around it) plus
    0.3; and the root of its count of notes against that of the chords of the second around it. The square
    lets the onset with the largest weight dominate its surroundings.

    Returns
    -------
    (C,) > 0
    """
    change = LEAST_CHANGE + harmonic_change(playing)
    depth = LEAST_DEPTH + _depth_octaves(playing)
    return (change * depth) ** 2 * _fullness(playing)


def metrical_weight(alignment: Alignment, playing: Playing) -> FloatArray:
    """Metrical weight of each chord.

    A pulse is a quarter note, in compound time such as 6/8 a dotted one, divided into quavers in either case.
    In compound time of sixteenths the dotted quarter is used as well, which is two of its pulses.

    Returns
    -------
    (C,) 8 on the first pulse, 4 on any other pulse, 2 on a quaver between, 1 elsewhere
    """
    score = alignment.score
    note_beat = alignment.performance_beat[playing.index]
    beat = group_median(note_beat, playing.chord_of, len(playing.chord_onset_sec))
    bar = np.searchsorted(score.bar_onset_beat, beat + ON_TIME_BEAT, side="right") - 1
    bar = np.clip(bar, 0, len(score.bar_onset_beat) - 1)
    within = beat - score.bar_onset_beat[bar] + _pick_up_beat(score)[bar]
    pulse = _pulse_beat(score)[bar]
    weight = np.where(_is_on(within, QUAVER_BEAT), ON_HALF_BEAT, ELSEWHERE)
    weight = np.where(_is_on(within, pulse), ON_BEAT, weight)
    return np.where(np.abs(within) < ON_TIME_BEAT, FIRST_OF_BAR, weight)


def _is_on(beat: FloatArray, unit_beat: FloatArray | float) -> BoolArray:
    """Which positions are a whole number of units from the start of the bar."""
    return np.abs(beat - unit_beat * np.round(beat / unit_beat)) < ON_TIME_BEAT


def _pulse_beat(score: Score) -> FloatArray:
    """(M,) beats per pulse of each bar: 1.5 in compound time, else 1."""
    threes = [metre is not None and metre[1] >= 8 and metre[0] % 3 == 0 for metre in score.bar_metre]
    return np.where(threes, COMPOUND_PULSE_BEAT, 1.0) if threes else np.ones(len(score.bar_onset_beat))


def _pick_up_beat(score: Score) -> FloatArray:
    """(M,) beats by which the first bar is shorter than its metre (an upbeat), 0 for the others."""
    lacks = np.zeros(len(score.bar_onset_beat))
    metre = score.bar_metre[0] if score.bar_metre else None
    if metre is not None:
        lacks[0] = max(4.0 * metre[0] / metre[1] - float(score.bar_beats[0]), 0.0)
    return lacks


def harmonic_change(playing: Playing) -> FloatArray:
    """Harmonic change at each chord.

    Returns
    -------
    (C,) 0..1
        1 where no pitch class is shared, or nothing was played before; 0 where the distribution is the same.
    """
    struck, at_sec = playing.struck, playing.chord_onset_sec
    of_class = np.zeros((len(struck) + 1, PITCH_CLASSES))
    weight = np.where(struck.pitch < BASS_PITCH, 2.0, 1.0)
    of_class[np.arange(len(struck)) + 1, struck.pitch.astype(int) % PITCH_CLASSES] = weight
    total = np.cumsum(of_class, axis=0)
    first = np.searchsorted(struck.onset_sec, at_sec - BEFORE_SEC)
    here = np.searchsorted(struck.onset_sec, at_sec)
    last = np.searchsorted(struck.onset_sec, at_sec + AFTER_SEC)
    before, after = total[here] - total[first], total[last] - total[here]
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    alike = np.where(size > 0.0, (before * after).sum(axis=1) / np.where(size > 0.0, size, 1.0), 0.0)
    return np.clip(1.0 - alike, 0.0, 1.0)


def _depth_octaves(playing: Playing) -> FloatArray:
    """(C,) octaves, 0..2, by which the lowest note lies below the mean pitch of the surrounding second."""
    struck = playing.struck
    around = _mean_around(playing.chord_onset_sec, struck.onset_sec, struck.pitch)
    return np.clip((around - struck.pitch[playing.bottom]) / 12.0, 0.0, DEEPEST)


def _fullness(playing: Playing) -> FloatArray:
    """(C,) number of notes relative to the mean of the chords of the surrounding second."""
    size = playing.chord_size.astype(float)
    return size / _mean_around(playing.chord_onset_sec, playing.chord_onset_sec, size)


def _mean_around(at_sec: FloatArray, time_sec: FloatArray, value: FloatArray) -> FloatArray:
    """(G,) mean of the values within half a second of each time, its own included."""
    total = np.concatenate([[0.0], np.cumsum(value, dtype=float)])
    first = np.searchsorted(time_sec, at_sec - AROUND_SEC)
    last = np.searchsorted(time_sec, at_sec + AROUND_SEC)
    return (total[last] - total[first]) / (last - first)


def distance_from_changes(
    event_sec: FloatArray, usual_sec: float, onset_sec: FloatArray, change_weight: FloatArray
) -> FloatArray:
    """Distance of each pedal event from the onsets in its reach, weighted by their pedal-change weight.

    The reach extends to the previous and the next event of the same kind, 0.3 to 1 s either way. The weight
    of an onset at distance d is its change weight times cos(pi d / 2 reach). The weighted mean of the
    distances is divided by its expectation for uniformly distributed onsets: (1 - 2 / pi) (before^2 +
    after^2) / (before + after).

    Parameters
    ----------
    event_sec : (K,) seconds, ascending
        Lifts, or presses.
    usual_sec : seconds
        Usual lag after the onset.
    onset_sec : (C,) seconds, ascending
    change_weight : (C,) >= 0

    Returns
    -------
    (K,) ratio, >= 0; NaN with no onset in reach
    """
    spacing = np.clip(np.diff(event_sec), SHORTEST_REACH_SEC, LONGEST_REACH_SEC)
    before = np.append(LONGEST_REACH_SEC, spacing)[: len(event_sec)]
    after = np.append(spacing, LONGEST_REACH_SEC)[: len(event_sec)]
    due = event_sec - usual_sec
    first, last = np.searchsorted(onset_sec, due - before), np.searchsorted(onset_sec, due + after)
    found = np.full(len(event_sec), MISSING)
    for k in range(len(event_sec)):
        late = due[k] - onset_sec[first[k] : last[k]]
        near = np.cos(np.pi / 2.0 * late / np.where(late > 0.0, before[k], after[k]))
        weight = change_weight[first[k] : last[k]] * near
        total = float(weight.sum())
        if total > 0.0:
            by_chance = (1.0 - 2.0 / np.pi) * (before[k] ** 2 + after[k] ** 2) / (before[k] + after[k])
            found[k] = float(weight @ np.abs(late)) / total / by_chance
    return found
