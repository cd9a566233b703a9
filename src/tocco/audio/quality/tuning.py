"""Tuning of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tocco.units import A4_HZ

FIT_MIN: Final = 0.3
"""Below, no one tuning fits the peaks: no tuning is stated."""


@dataclass(frozen=True)
class Tuning:
    """Where a recording's tones lie beside those of A = 440 Hz.

    Attributes
    ----------
    cents : -50..50
        A tuning a whole semitone away looks the same: only the alignment with a score tells.
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
        return A4_HZ * 2.0 ** (self.cents / 1200.0)
