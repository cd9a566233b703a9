"""Difficulty covariates of a span: tempo of the notes, chord size and register.

A rating should depend on the playing, not on the piece. The reference scale removes the part of a component
that these covariates explain among competent pianists.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.pseudo_labels.observed.evidence import Evidence, Span
from tocco.units import FloatArray, IntArray

DIFFICULTY_COVARIATES: Final = (
    "onset_rate",
    "chord_size",
    "register",
    "onset_rate_squared",
    "chord_size_squared",
    "fastest_rate",
)
"""Logarithm of onsets per second, mean logarithm of notes per onset, mean pitch in octaves, the squares of
the first two about 3 onsets per second and 2 notes, and the logarithm of the rate of the fastest tenth."""

FEWEST_ONSETS: Final = 5
_USUAL_RATE_LOG = float(np.log(3.0))
_USUAL_SIZE_LOG = float(np.log(2.0))
_FASTEST_PERCENT = 10.0
_SHORTEST_IOI_SEC = 0.02


def difficulty_covariates(evidence: Evidence, span_sec: Span | None = None) -> FloatArray:
    """Measure the covariates of a span on the matched notes where there is a score, else on all notes.

    Returns
    -------
    (Q,) in the order of `DIFFICULTY_COVARIATES`; NaN with fewer than five onsets
    """
    groups, pitch = evidence.onset_groups, evidence.playing.struck.pitch
    onsets = np.flatnonzero(evidence.groups_within(span_sec))
    time = groups.onset_sec[onsets]
    lasts = float(np.ptp(time)) if len(onsets) else 0.0
    if len(onsets) < FEWEST_ONSETS or lasts <= 0.0:
        return np.full(len(DIFFICULTY_COVARIATES), np.nan)
    rate = float(np.log((len(onsets) - 1) / lasts))
    size = float(np.mean(np.log(groups.size[onsets])))
    inside = np.isin(groups.onset_of, onsets)
    register = float(pitch[groups.note[inside]].mean()) / 12.0
    squares = [(rate - _USUAL_RATE_LOG) ** 2, (size - _USUAL_SIZE_LOG) ** 2]
    return np.array([rate, size, register, *squares, _fastest_rate_log(evidence, onsets)])


def _fastest_rate_log(evidence: Evidence, onsets: IntArray) -> float:
    """Logarithm of onsets per second where they are closest.

    With a score written intervals at the local tempo are used, so that an uneven run is not more difficult
    than an even one.
    """
    written = evidence.written
    if written is None:
        ioi_sec = np.diff(evidence.onset_groups.onset_sec[onsets])
    else:
        ioi_sec = np.diff(written.onset_beat[onsets]) * written.local_beat_sec[onsets[:-1]]
    ioi_sec = np.maximum(ioi_sec[ioi_sec > 0.0], _SHORTEST_IOI_SEC)
    return -float(np.log(np.percentile(ioi_sec, _FASTEST_PERCENT)))
