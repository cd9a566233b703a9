"""Tuning of a recording, and whether it sounds in another key than it is written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.units import A4_HZ, FloatArray

FIT_MIN: Final = 0.3
"""Below, no one tuning fits the peaks: no tuning is stated."""

SEMITONES: Final = 2
"""Transpositions up to so far are looked for: A = 415 is one down, A = 466 one up."""

_MARGIN: Final = 0.05
_PARTIALS: Final = ((0, 1.0), (7, 0.35), (4, 0.15), (10, 0.05))
"""Pitch classes of a note's first seven partials above it, in semitones, and about how strong they are."""


@dataclass(frozen=True)
class Tuning:
    """Where a recording's tones lie beside those of A = 440 Hz.

    Attributes
    ----------
    cents : -50..50
        A tuning a whole semitone away looks the same: only a score tells (`transposed_by`).
    fit : 0..1, how closely one offset fits all tones
    """

    cents: float
    fit: float

    @property
    def is_clear(self) -> bool:
        """Whether one tuning fits at all."""
        return self.fit >= FIT_MIN

    @property
    def a4_hz(self) -> float:
        """Hz of A4."""
        return self.a4_hz_if_transposed(0)

    def a4_hz_if_transposed(self, semitones: int) -> float:
        """Hz of the key A4, where the recording sounds so many semitones above what is written."""
        return A4_HZ * 2.0 ** ((100.0 * semitones + self.cents) / 1200.0)


def transposed_by(sounding: FloatArray, written: FloatArray) -> int:
    """By how many semitones the recording sounds higher than what is written.

    Parameters
    ----------
    sounding : (12,) share of each pitch class in the recording, C first
    written : (12,) weight of each pitch class in the score, C first
        For example the sum of the durations of its notes.

    Returns
    -------
    semitones, `-SEMITONES`..`SEMITONES`
        0 unless another one fits clearly better.
    """
    expected = sum(weight * np.roll(written, step) for step, weight in _PARTIALS)
    fit = {k: _correlation(sounding, np.roll(expected, k)) for k in range(-SEMITONES, SEMITONES + 1)}
    best = max(fit, key=lambda k: fit[k])
    return best if fit[best] > fit[0] + _MARGIN else 0


def _correlation(one: FloatArray, other: FloatArray) -> float:
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 0.0 else 0.0
