"""The foot against the music: how near its lifts and presses are to the onsets that ask for a change.

Which onset a movement of the foot was meant for cannot be read off the keys. What can be read is how
strongly each onset asks for a change of pedal: a new bass, and a harmony unlike the one before. A foot
that listens moves near the strongest of them, however fast the music goes; one that comes late or early,
by whatever time, moves away from them and towards chance.
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
"""In legato pedalling the foot comes up with the new keys or just after them; a pedal that was up goes down
with the keys it is to carry, or just after them (Banowetz 1985, The Pianist's Guide to Pedaling; Repp 1996,
"Pedal timing and tempo in expressive piano performance"). At the onsets of the reference pool that ask for
it most, half of the lifts come from 21 ms before to 95 ms after, and half of the presses that begin a pedal
from 3 to 141 ms after (`norms.json`, foot)."""

CHANGE_SEC: Final = 0.4
"""A press this soon after a lift is the second half of that change: it comes when the dampers have done
their work, and tells nothing more of the music."""

SHORTEST_REACH_SEC: Final = 0.3
LONGEST_REACH_SEC: Final = 1.0
"""A movement may be meant for any onset since the last of its kind and until the next, within these."""

BEFORE_SEC: Final = 0.8
AFTER_SEC: Final = 0.4
"""Harmony before and after an onset; of what follows only the beginning, which may hold a change itself."""

BASS_PITCH: Final = 55
"""Notes below G3 count twice for the harmony: they are its ground."""

AROUND_SEC: Final = 0.5
FIRST_OF_BAR, ON_BEAT, ON_HALF_BEAT, ELSEWHERE = 8.0, 4.0, 2.0, 1.0
"""How much more an onset asks for its place in the bar: each level of the metre twice the one below it
(Lerdahl and Jackendoff 1983 order them so)."""

QUAVER_BEAT: Final = 0.5
COMPOUND_PULSE_BEAT: Final = 1.5

ON_TIME_BEAT: Final = 0.03
"""Nearer than this to a place in the bar is on it: less than any written value."""

LEAST_CHANGE: Final = 0.2
LEAST_DEPTH: Final = 0.3
DEEPEST: Final = 2.0
"""Octaves below the notes around it beyond which a bass calls no louder."""


@dataclass(frozen=True, eq=False)
class FootTiming:
    """Distance of the foot's movements from the onsets that ask for them.

    Every lift counts, and every press that does not belong to a lift just before it. A distance is 0
    where the foot moves, after its usual lag, with the one onset that asks for it; 1 where it is as far
    from the onsets as a foot that moves at random.

    Attributes
    ----------
    moved_sec : (K,) seconds on the clock of `playing`, ascending
    distance : (K,) ratio, >= 0; NaN with no onset in reach
    """

    moved_sec: FloatArray
    distance: FloatArray


def read_foot_timing(evidence: Evidence) -> FootTiming | None:
    """Measure every lift, and every press that begins a pedal, of a whole performance.

    Returns
    -------
    None without a score: the bar is not known.
    """
    if evidence.alignment is None:
        return None
    playing = evidence.playing
    at_sec = playing.chord_onset_sec
    call = calls_for_change(playing) * metrical_weight(evidence.alignment, playing)
    pressed, lifted = pedal_crossings(playing.sustain)
    since_lift = pressed - np.append(-np.inf, lifted)[np.searchsorted(lifted, pressed)]
    begins = since_lift >= CHANGE_SEC
    moved_sec = np.concatenate([lifted, pressed[begins]])
    distance = np.concatenate(
        [
            distance_from_calls(lifted, USUAL_LIFT_SEC, at_sec, call),
            distance_from_calls(pressed, USUAL_PRESS_SEC, at_sec, call)[begins],
        ]
    )
    order = np.argsort(moved_sec, kind="stable")
    return FootTiming(moved_sec[order], distance[order])


def calls_for_change(playing: Playing) -> FloatArray:
    """How strongly each chord asks for the pedal to be changed or pressed, wherever it stands in the bar.

    The square of three factors: harmonic change (1 less the cosine between the pitch classes struck in
    the 0.8 s before and in the 0.4 s from the chord on, after Harte, Sandler and Gasser 2006) plus 0.2;
    depth (by how many octaves, 0 to 2, the lowest note lies below the mean of the second around it) plus
    0.3; and the root of its count of notes against that of the chords of the second around it. The square
    lets the strongest onset speak for its surroundings.

    Returns
    -------
    (C,) > 0
    """
    change = LEAST_CHANGE + harmonic_change(playing)
    depth = LEAST_DEPTH + _depth_octaves(playing)
    return (change * depth) ** 2 * _fullness(playing)


def metrical_weight(alignment: Alignment, playing: Playing) -> FloatArray:
    """How heavy each chord is by its place in the bar.

    A pulse is a quarter, in 6/8 and its like a dotted one; it is divided into quavers either way. In compound
    time of sixteenths the dotted quarter counts as well, which is two of its pulses.

    Returns
    -------
    (C,) 8 on the first pulse, 4 on any other, 2 on a quaver between, 1 elsewhere
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
    """Which places are a whole number of units from the start of the bar."""
    return np.abs(beat - unit_beat * np.round(beat / unit_beat)) < ON_TIME_BEAT


def _pulse_beat(score: Score) -> FloatArray:
    """(M,) beats from one pulse of each bar to the next: 1.5 where quavers or less come in threes, else 1."""
    threes = [metre is not None and metre[1] >= 8 and metre[0] % 3 == 0 for metre in score.bar_metre]
    return np.where(threes, COMPOUND_PULSE_BEAT, 1.0) if threes else np.ones(len(score.bar_onset_beat))


def _pick_up_beat(score: Score) -> FloatArray:
    """(M,) beats that the first bar lacks of its metre: its first note is no first beat."""
    lacks = np.zeros(len(score.bar_onset_beat))
    metre = score.bar_metre[0] if score.bar_metre else None
    if metre is not None:
        lacks[0] = max(4.0 * metre[0] / metre[1] - float(score.bar_beats[0]), 0.0)
    return lacks


def harmonic_change(playing: Playing) -> FloatArray:
    """How unlike the harmony before it each chord brings in.

    Returns
    -------
    (C,) 0..1
        1 where no pitch class stays, or nothing was struck before; 0 where the mixture stays the same.
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
    """(C,) octaves, 0..2, by which the lowest note lies below the mean of the second around it."""
    struck = playing.struck
    around = _mean_around(playing.chord_onset_sec, struck.onset_sec, struck.pitch)
    return np.clip((around - struck.pitch[playing.bottom]) / 12.0, 0.0, DEEPEST)


def _fullness(playing: Playing) -> FloatArray:
    """(C,) count of notes against the mean count of the chords of the second around."""
    size = playing.chord_size.astype(float)
    return size / _mean_around(playing.chord_onset_sec, playing.chord_onset_sec, size)


def _mean_around(at_sec: FloatArray, time_sec: FloatArray, value: FloatArray) -> FloatArray:
    """(G,) mean of the values within half a second of each time; each has at least its own."""
    total = np.concatenate([[0.0], np.cumsum(value, dtype=float)])
    first = np.searchsorted(time_sec, at_sec - AROUND_SEC)
    last = np.searchsorted(time_sec, at_sec + AROUND_SEC)
    return (total[last] - total[first]) / (last - first)


def distance_from_calls(
    moved_sec: FloatArray, usual_sec: float, onset_sec: FloatArray, call: FloatArray
) -> FloatArray:
    """Distance of each movement from the onsets in its reach, weighted by how much they ask for it.

    A movement reaches back to the last of its kind and on to the next one, 0.3 to 1 s either way. There
    the weight of an onset at distance d is its call times cos(pi d / 2 reach), and the weighted mean of
    the distances is divided by what it would be if the onsets lay anywhere:
    (1 - 2 / pi) (before^2 + after^2) / (before + after).

    Parameters
    ----------
    moved_sec : (K,) seconds, ascending
        Movements of one kind.
    usual_sec : seconds
        By which they usually come after the onset they are meant for.
    onset_sec : (C,) seconds, ascending
    call : (C,) >= 0

    Returns
    -------
    (K,) ratio, >= 0; NaN with no onset in reach
    """
    spacing = np.clip(np.diff(moved_sec), SHORTEST_REACH_SEC, LONGEST_REACH_SEC)
    before = np.append(LONGEST_REACH_SEC, spacing)[: len(moved_sec)]
    after = np.append(spacing, LONGEST_REACH_SEC)[: len(moved_sec)]
    due = moved_sec - usual_sec
    first, last = np.searchsorted(onset_sec, due - before), np.searchsorted(onset_sec, due + after)
    found = np.full(len(moved_sec), MISSING)
    for k in range(len(moved_sec)):
        late = due[k] - onset_sec[first[k] : last[k]]
        near = np.cos(np.pi / 2.0 * late / np.where(late > 0.0, before[k], after[k]))
        weight = call[first[k] : last[k]] * near
        total = float(weight.sum())
        if total > 0.0:
            by_chance = (1.0 - 2.0 / np.pi) * (before[k] ** 2 + after[k] ** 2) / (before[k] + after[k])
            found[k] = float(weight @ np.abs(late)) / total / by_chance
    return found
