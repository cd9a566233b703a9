"""What a transcription takes from ratings, and what is therefore added to them and to their intervals.

The figures are found on recordings whose keys are known (`tocco transcription fit`): perception is shifted by
the median difference of the ratings, and intervals widen by what remains. What a transcription does not show
is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from tocco.inference.intervals import IntervalCalibration
from tocco.inference.shortfalls import Shortfalls
from tocco.inference.verdict import ModelVerdict
from tocco.music.performance import Performance
from tocco.schema import StrictModel

UNHEARD_MEASURES: Final = ("pedaling_technique", "pedal_held", "smear_sec", "flat_levels")
"""Shortfalls that a transcription does not show: it misses 40 % of the presses of the pedal, and levels that
lie close together may be the recorder's doing."""

UNHEARD_DIMENSIONS: Final[Mapping[str, str]] = {
    "pedaling_technique": "a recording does not show well enough when the pedal was pressed and how far"
}
"""Dimension that is not rated from a transcription -> why."""

LEAST_VELOCITY_SD: Final = 6.0
"""Standard deviation of heard velocities below which nothing is said of dynamics. The smallest of 43
recordings of competent players was 8.2."""

LEVELLED_MEASURES: Final = ("dynamics_control", "tone_quality", "random_levels")
LEVELLED_DIMENSIONS: Final[Mapping[str, str]] = {
    "dynamics_control": "hardly any difference of loudness was heard, and whether the player, the recorder "
    "or the transcriber made it so cannot be known"
}
"""What is not rated either where the heard velocities hardly differ."""

NORMAL_90: Final = 1.6449
"""Half the central 90 % of a normal distribution, in standard deviations."""

_Points = Annotated[float, Field(allow_inf_nan=False)]


class DimensionLoss(StrictModel):
    """What transcription does to one dimension."""

    shift: _Points
    """Points that ratings by transcription lie below those by keys, at the median: added to perception."""

    sd: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Points: the normal sd whose central 90 % hold as many of the differences that remain."""


class TranscriptionLoss(StrictModel):
    """What transcription does to ratings, with a score and without."""

    transcriber: str
    """Which one."""

    n: Annotated[int, Field(ge=10)]
    """Recordings that the figures were found on."""

    with_score: dict[str, DimensionLoss]
    """Target -> loss."""

    without_score: dict[str, DimensionLoss]
    """The same where no score is given."""

    def of(self, *, has_score: bool) -> Mapping[str, DimensionLoss]:
        """Target -> loss."""
        return self.with_score if has_score else self.without_score


def unheard_dimensions(performance: Performance) -> Mapping[str, str]:
    """Dimension that the notes do not show -> why; empty for notes of the keys."""
    if performance.origin == "keys":
        return {}
    return {**UNHEARD_DIMENSIONS, **(LEVELLED_DIMENSIONS if is_levelled(performance) else {})}


def is_levelled(performance: Performance) -> bool:
    """Whether the velocities of a transcription lie too close together to say anything of dynamics."""
    return float(np.std(performance.velocity)) < LEAST_VELOCITY_SD


def as_by_keys(verdict: ModelVerdict, loss: Mapping[str, DimensionLoss]) -> ModelVerdict:
    """Perception as the keys would have given it; curves move by as much.

    Parameters
    ----------
    verdict : perception by transcription
    loss : target -> loss; other targets stay
    """
    shift = np.array([loss[name].shift if name in loss else 0.0 for name in verdict.names])
    return replace(verdict, rating=verdict.rating + shift, curve=verdict.curve + shift)


def widened(
    verdict: ModelVerdict, loss: Mapping[str, DimensionLoss], intervals: IntervalCalibration
) -> ModelVerdict:
    """The verdict with intervals that hold what the keys would have given as well.

    Parameters
    ----------
    verdict
    loss : target -> loss; other targets stay
    intervals : that will turn the sd of the verdict into intervals
    """
    scale = intervals.scale(verdict.names)
    points = np.array([loss[name].sd if name in loss else 0.0 for name in verdict.names])
    added = np.nan_to_num(NORMAL_90 * points / scale)
    return replace(verdict, sd=np.hypot(verdict.sd, added), curve_sd=np.hypot(verdict.curve_sd, added))


def without_unheard(
    shortfalls: Shortfalls, performance: Performance, dimensions: Iterable[str] = ()
) -> Shortfalls:
    """The shortfalls that a transcription shows.

    The others are not among the missing, which widen intervals: `DimensionLoss.sd` holds what they cost.

    Parameters
    ----------
    shortfalls : of the performance
    performance : transcribed
    dimensions : that are not rated, for whatever reason
    """
    unheard = {*UNHEARD_MEASURES, *(LEVELLED_MEASURES if is_levelled(performance) else ()), *dimensions}
    if "dynamics_control" in unheard:
        unheard.update(LEVELLED_MEASURES)
    return Shortfalls(
        {name: value for name, value in shortfalls.of.items() if name not in unheard},
        {name: why for name, why in shortfalls.missing.items() if name not in unheard},
    )
