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

from tocco.music.statistics.playing import Playing, pedal_crossings
from tocco.music.statistics.resonance import PITCH_CLASSES
from tocco.music.statistics.summaries import MISSING
from tocco.pseudo_labels.evidence import Evidence
from tocco.units import FloatArray

USUAL_LIFT_SEC: Final = 0.04
USUAL_PRESS_SEC: Final = 0.14
"""In legato pedalling the foot comes up with the new keys or just after them, and goes down again once
they speak and the dampers have silenced the old ones (Banowetz 1985, The Pianist's Guide to Pedaling; Repp
1996, "Pedal timing and tempo in expressive piano performance"). Among the performances of the reference
pool lifts gather from 40 ms before a low note to 100 ms after it, presses from 40 to 240 ms after it."""

SHORTEST_REACH_SEC: Final = 0.3
LONGEST_REACH_SEC: Final = 1.0
"""A movement may be meant for any onset since the last of its kind and until the next, within these."""

BEFORE_SEC: Final = 0.8
AFTER_SEC: Final = 0.4
"""Harmony before and after an onset; of what follows only the beginning, which may hold a change itself."""

BASS_PITCH: Final = 55
"""Notes below G3 count twice for the harmony: they are its ground."""

AROUND_SEC: Final = 0.5
LEAST_DEPTH: Final = 0.1
DEEPEST: Final = 2.0
"""Octaves below the notes around it beyond which a bass calls no louder."""


@dataclass(frozen=True, eq=False)
class FootTiming:
    """Distance of each movement of the foot from the onsets that ask for it.

    A distance is 0 where the foot moves, after its usual lag, with the one onset that asks for a change;
    1 where it is as far from the onsets as a foot that moves at random.

    Attributes
    ----------
    lift_sec : (R,) seconds on the clock of `playing`, ascending
    lift_distance : (R,) ratio, >= 0; NaN with no onset in reach
    press_sec : (P,) seconds, ascending
    press_distance : (P,) ratio, >= 0; NaN with no onset in reach
    """

    lift_sec: FloatArray
    lift_distance: FloatArray
    press_sec: FloatArray
    press_distance: FloatArray


def read_foot_timing(evidence: Evidence) -> FootTiming:
    """Measure every lift and every press of a whole performance."""
    playing = evidence.playing
    call = calls_for_change(playing)
    pressed, lifted = pedal_crossings(playing.sustain)
    return FootTiming(
        lift_sec=lifted,
        lift_distance=distance_from_calls(lifted, USUAL_LIFT_SEC, playing.chord_onset_sec, call),
        press_sec=pressed,
        press_distance=distance_from_calls(pressed, USUAL_PRESS_SEC, playing.chord_onset_sec, call),
    )


def calls_for_change(playing: Playing) -> FloatArray:
    """How strongly each chord asks for a change of the pedal.

    The square of harmonic change times depth. Harmonic change is 1 less the cosine between the pitch
    classes struck in the 0.8 s before and in the 0.4 s from the chord on (after Harte, Sandler and Gasser
    2006); depth is by how many octaves, 0 to 2, the lowest note lies below the mean of the second around
    it, plus 0.1. The square lets the strongest onset speak for its surroundings.

    Returns
    -------
    (C,) >= 0
    """
    return (harmonic_change(playing) * (LEAST_DEPTH + _depth_octaves(playing))) ** 2


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
    struck, at_sec = playing.struck, playing.chord_onset_sec
    total = np.concatenate([[0.0], np.cumsum(struck.pitch)])
    first = np.searchsorted(struck.onset_sec, at_sec - AROUND_SEC)
    last = np.searchsorted(struck.onset_sec, at_sec + AROUND_SEC)
    mean_pitch = (total[last] - total[first]) / np.maximum(last - first, 1)
    return np.clip((mean_pitch - struck.pitch[playing.bottom]) / 12.0, 0.0, DEEPEST)


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
