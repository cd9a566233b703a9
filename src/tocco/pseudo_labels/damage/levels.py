"""Damage to the levels: all alike, or at random.

A pianist's levels follow from the voice, the register, the length of a note and its surroundings. What
follows from them is shaping; what does not is chance. No score is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import around
from tocco.pseudo_labels.damage.reading import TOO_FEW_NOTES, Reading
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray, IntArray

FEWEST_NOTES: Final = 20
SURROUNDINGS_SEC: Final = 1.0
"""Width of the surroundings. Of .5 to 8 s, those from 1 s down separate random single levels (8 steps) best
from the play of professionals (area under the curve .83, with 4 s .75)."""

RIDGE: Final = 1.5
"""Penalty on every column but the constant: a passage of few notes is not fitted note by note."""

MOST_IN_CHORD: Final = 20
"""More keys at once are no chord, and each is predicted from all others."""

LONGEST_BLOCK_SEC: Final = 120.0
BLOCK_SEC: Final = 60.0
"""Music is read as a whole up to the first, beyond it in blocks of the second: every chord is predicted from
those of its block."""

LONGEST_SEC: Final = 2.0
MOST_CHANCE: Final = 8.0
"""Velocity steps: a larger unpredictable spread is not shaping and does not make levels less flat."""

STRETCH_SEC: Final = 2.5


@dataclass(frozen=True, eq=False)
class Levels:
    """Spread of the levels of a performance.

    Attributes
    ----------
    residual : (N,) velocity steps, what the other chords do not predict of each note
    shaped, chance : velocity steps, standard deviation of the predicted and of the other part
    """

    residual: FloatArray
    shaped: float
    chance: float


def measure_flat_levels(evidence: Evidence) -> Reading | str:
    """Inverse of the spread of levels that is shaping or no more chance than a pianist's."""
    levels = evidence.once(read_levels)
    if levels is None:
        return TOO_FEW_NOTES
    spread = np.hypot(levels.shaped, min(levels.chance, MOST_CHANCE))
    return Reading(float(1.0 / (1.0 + spread)))


def measure_random_levels(evidence: Evidence) -> Reading | str:
    """Spread of levels that nothing predicts, in velocity steps."""
    levels = evidence.once(read_levels)
    if levels is None:
        return TOO_FEW_NOTES
    onset = evidence.playing.struck.onset_sec
    local = np.sqrt(around(onset, levels.residual**2, STRETCH_SEC))
    return Reading(levels.chance, onset + evidence.clock_sec, local)


def read_levels(evidence: Evidence) -> Levels | None:
    """Predict each chord's levels from all other chords; None with fewer than 20 notes."""
    playing = evidence.playing
    if len(playing.struck) < FEWEST_NOTES:
        return None
    level = np.asarray(evidence.velocity, dtype=float)
    named, residual = _named_columns(playing), np.empty(len(level))
    first = np.append(0, np.cumsum(playing.chord_size))
    blocks = _blocks(playing)
    for chords in blocks:
        notes = slice(first[chords.start], first[chords.stop])
        onset = playing.struck.onset_sec[notes]
        span = playing.span_sec if len(blocks) == 1 else float(onset[-1] - onset[0])
        columns = np.column_stack((named[notes], _surroundings(onset, span)))
        residual[notes] = _left_out_residual(columns, level[notes], playing.chord_size[chords])
    chance = float(np.sqrt(np.mean(residual**2)))
    shaped = float(np.sqrt(max(float(level.var()) - chance**2, 0.0)))
    return Levels(residual, shaped, chance)


def _blocks(playing: Playing) -> list[slice]:
    """Chords of equal stretches of time, so that the cost grows with the length of the music alone."""
    onset = playing.struck.onset_sec[np.cumsum(playing.chord_size) - playing.chord_size]
    span = float(onset[-1] - onset[0])
    n_blocks = 1 if span <= LONGEST_BLOCK_SEC else int(np.ceil(span / BLOCK_SEC))
    edges = np.searchsorted(onset, np.linspace(onset[0], onset[-1], n_blocks + 1)[1:-1])
    edges = np.unique(np.concatenate(([0], edges, [len(onset)])))
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _named_columns(playing: Playing) -> FloatArray:
    """(N, 6) what predicts a level: voice, register, length."""
    struck, chord_of = playing.struck, playing.chord_of
    n = len(struck)
    top, bottom = np.zeros((2, n))
    top[playing.top], bottom[playing.bottom] = 1.0, 1.0
    octaves = (struck.pitch - struck.pitch.mean()) / 12.0
    length = np.append(playing.ioi_sec, LONGEST_SEC)[chord_of]
    return np.column_stack((np.ones(n), top, bottom, octaves, octaves * top, np.minimum(length, LONGEST_SEC)))


def _surroundings(onset_sec: FloatArray, span_sec: float) -> FloatArray:
    """(N, C) how near each onset is to points in time, which stand for its surroundings."""
    points = max(3, round(span_sec / SURROUNDINGS_SEC) + 1)
    length = max(float(onset_sec[-1] - onset_sec[0]), SURROUNDINGS_SEC)
    centre = onset_sec[0] + np.linspace(0.0, length, points)
    return np.exp(-0.5 * ((onset_sec[:, None] - centre) / (centre[1] - centre[0])) ** 2)


def _left_out_residual(columns: FloatArray, level: FloatArray, chord_size: IntArray) -> FloatArray:
    """(N,) residual of each note in a ridge regression that its own chord is left out of."""
    penalty = RIDGE * np.eye(columns.shape[1])
    penalty[0, 0] *= 1e-3
    inverse = np.linalg.inv(columns.T @ columns + penalty)
    residual = level - columns @ (inverse @ (columns.T @ level))
    found = np.empty(len(level))
    for notes in _chords_by_size(chord_size):
        own = columns[notes]
        hat = own @ inverse @ own.transpose(0, 2, 1)
        found[notes] = np.linalg.solve(np.eye(notes.shape[1]) - hat, residual[notes][..., None])[..., 0]
    return found


def _chords_by_size(size: IntArray) -> list[IntArray]:
    """(chords, size) index of the notes of all chords of each size; notes of a larger cluster one by one."""
    first = np.cumsum(size) - size
    of_size = [first[size == k][:, None] + np.arange(k) for k in np.unique(size) if k <= MOST_IN_CHORD]
    crowd = np.flatnonzero(np.repeat(size, size) > MOST_IN_CHORD)
    return [*of_size, crowd[:, None]] if len(crowd) else of_size
