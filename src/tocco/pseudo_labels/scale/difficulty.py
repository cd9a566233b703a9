"""What the written music asks of a player in a span: how fast, how full, how high.

A rating is to tell of the playing, not of the piece. The reference scale takes out what these numbers
explain of a component among competent players.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.pseudo_labels.observed.evidence import Evidence, Span
from tocco.units import FloatArray, IntArray

DEMANDS: Final = (
    "onset_rate",
    "chord_size",
    "register",
    "onset_rate_squared",
    "chord_size_squared",
    "fastest_rate",
)
"""Logarithm of onsets a second, mean logarithm of the notes of an onset, mean pitch in octaves, the squares
of the first two about 3 onsets a second and 2 notes, and the logarithm of the rate of the quickest tenth."""

FEWEST_ONSETS: Final = 5
_USUAL_RATE_LOG = float(np.log(3.0))
_USUAL_SIZE_LOG = float(np.log(2.0))
_QUICKEST_PERCENT = 10.0
_SHORTEST_WAIT_SEC = 0.02


def read_demand(evidence: Evidence, span_sec: Span | None = None) -> FloatArray:
    """What is asked in a span: of the matched notes where there is a score, else of the notes struck.

    Returns
    -------
    (Q,) in the order of `DEMANDS`; NaN with fewer than five onsets
    """
    together, pitch = evidence.together, evidence.playing.struck.pitch
    onsets = np.flatnonzero(evidence.together_within(span_sec))
    time = together.onset_sec[onsets]
    lasts = float(np.ptp(time)) if len(onsets) else 0.0
    if len(onsets) < FEWEST_ONSETS or lasts <= 0.0:
        return np.full(len(DEMANDS), np.nan)
    rate = float(np.log((len(onsets) - 1) / lasts))
    size = float(np.mean(np.log(together.size[onsets])))
    inside = np.isin(together.onset_of, onsets)
    register = float(pitch[together.note[inside]].mean()) / 12.0
    squares = [(rate - _USUAL_RATE_LOG) ** 2, (size - _USUAL_SIZE_LOG) ** 2]
    return np.array([rate, size, register, *squares, _fastest_rate_log(evidence, onsets)])


def _fastest_rate_log(evidence: Evidence, onsets: IntArray) -> float:
    """Logarithm of onsets a second where they are closest: as written at the tempo there, else as heard.

    What is written does not limp: an uneven run asks for no more than an even one.
    """
    written = evidence.written
    if written is None:
        wait_sec = np.diff(evidence.together.onset_sec[onsets])
    else:
        wait_sec = np.diff(written.onset_beat[onsets]) * written.local_beat_sec[onsets[:-1]]
    wait_sec = np.maximum(wait_sec[wait_sec > 0.0], _SHORTEST_WAIT_SEC)
    return -float(np.log(np.percentile(wait_sec, _QUICKEST_PERCENT)))
