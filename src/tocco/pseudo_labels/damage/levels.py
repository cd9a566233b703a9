"""Damage to the levels: all alike, or at random.

A pianist's levels follow from the voice, the register, the length of a note and its surroundings. What
follows from them is shaping; what does not is chance. No score is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    residual = _left_out_residual(_columns(playing), level, playing)
    chance = float(np.sqrt(np.mean(residual**2)))
    shaped = float(np.sqrt(max(float(level.var()) - chance**2, 0.0)))
    return Levels(residual, shaped, chance)


def _columns(playing: Playing) -> FloatArray:
    """(N, C) what predicts a level: voice, register, length, and the surroundings in time."""
    struck, chord_of = playing.struck, playing.chord_of
    n = len(struck)
    top, bottom = np.zeros((2, n))
    top[playing.top], bottom[playing.bottom] = 1.0, 1.0
    octaves = (struck.pitch - struck.pitch.mean()) / 12.0
    length = np.append(playing.ioi_sec, LONGEST_SEC)[chord_of]
    named = (np.ones(n), top, bottom, octaves, octaves * top, np.minimum(length, LONGEST_SEC))
    points = max(3, round(playing.span_sec / SURROUNDINGS_SEC) + 1)
    centre = np.linspace(0.0, max(float(struck.onset_sec[-1]), SURROUNDINGS_SEC), points)
    near = np.exp(-0.5 * ((struck.onset_sec[:, None] - centre) / (centre[1] - centre[0])) ** 2)
    return np.column_stack((*named, near))


def _left_out_residual(columns: FloatArray, level: FloatArray, playing: Playing) -> FloatArray:
    """(N,) residual of each note in a ridge regression that its own chord is left out of."""
    penalty = RIDGE * np.eye(columns.shape[1])
    penalty[0, 0] *= 1e-3
    inverse = np.linalg.inv(columns.T @ columns + penalty)
    residual = level - columns @ (inverse @ (columns.T @ level))
    found = np.empty(len(level))
    for notes in _chords_by_size(playing):
        own = columns[notes]
        hat = own @ inverse @ own.transpose(0, 2, 1)
        found[notes] = np.linalg.solve(np.eye(notes.shape[1]) - hat, residual[notes][..., None])[..., 0]
    return found


def _chords_by_size(playing: Playing) -> list[IntArray]:
    """(chords, size) index of the notes of all chords of each size; notes of a larger cluster one by one."""
    size = playing.chord_size
    first = np.cumsum(size) - size
    of_size = [first[size == k][:, None] + np.arange(k) for k in np.unique(size) if k <= MOST_IN_CHORD]
    crowd = np.flatnonzero(size[playing.chord_of] > MOST_IN_CHORD)
    return [*of_size, crowd[:, None]] if len(crowd) else of_size
