"""The one table of what a recording may be like: each limit, and what follows beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Consequence = Literal["refuse", "abstain", "warn"]

_TONE: Final = ("tone_quality",)
_LOUDNESS: Final = ("dynamics_control",)


@dataclass(frozen=True)
class Threshold:
    """One limit.

    Attributes
    ----------
    name : of the finding
    limit : in the unit of the measure
    is_upper : whether values above it are found; else those below
    consequence
    dimensions : that are not rated, where the consequence is to abstain
    """

    name: str
    limit: float
    is_upper: bool
    consequence: Consequence
    dimensions: tuple[str, ...] = ()

    def is_passed(self, value: float) -> bool:
        """Whether a value lies beyond the limit."""
        return value > self.limit if self.is_upper else value < self.limit


_TABLE: Final = (
    # of `Measures.pianism`, and probabilities: means over the windows of the music
    Threshold("not_a_piano", 0.20, False, "refuse"),
    Threshold("other_keyboard", 0.50, True, "warn"),
    Threshold("unsure_instrument", 0.60, False, "warn"),
    Threshold("singing_along", 0.45, True, "warn"),
    Threshold("other_instrument", 0.45, True, "warn"),
    # share of the time within the music
    Threshold("speech", 0.10, True, "warn"),
    # faults of the sound
    Threshold("clipped_at_full_scale", 1e-3, True, "abstain", _LOUDNESS),
    Threshold("cut_peaks", 4e-3, True, "abstain", _LOUDNESS),
    Threshold("telephone_band", 4_800.0, False, "abstain", _TONE),
    Threshold("narrow_band", 7_000.0, False, "warn"),
    Threshold("noisy", 15.0, False, "warn"),
    Threshold("drowned_in_noise", 10.0, False, "abstain", (*_LOUDNESS, *_TONE)),
    Threshold("level_without_range", 4.0, False, "abstain", _LOUDNESS),
    Threshold("hum", -25.0, True, "warn"),
    Threshold("reverberant", 0.75, True, "warn"),
    Threshold("dropouts", 1.0, True, "warn"),
    Threshold("off_pitch", 12.0, True, "warn"),
    Threshold("soft", -45.0, False, "warn"),
    # seconds of music
    Threshold("little_music", 3.0, False, "warn"),
)
THRESHOLDS: Final[Mapping[str, Threshold]] = MappingProxyType({one.name: one for one in _TABLE})
"""Every limit by its name; those of sounds were set on development material (docs/recording_quality.md)."""
