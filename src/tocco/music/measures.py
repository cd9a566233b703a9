"""All measures of a performance that predictors read by name.

    onset_rate                 a statistic of the whole performance (`tocco.music.statistics`)
    first_half.onset_rate      the same of its first, middle or last half
    score.onset_rate           the same of a flat rendering of the stretch of the score that was played

The halves show whether a matter holds throughout. The flat rendering shows what the notes alone make of a
statistic; without a score it is missing (NaN).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.excerpt import flat_rendering, half_bounds, performance_excerpt, performed_part
from tocco.music.performance import Performance
from tocco.music.statistics import STATISTICS, performance_statistics
from tocco.units import FloatArray

HALVES: Final = ("first_half", "middle_half", "last_half")
SCORE: Final = "score"
MIN_NOTES_OF_HALF: Final = 15
"""A half with fewer struck notes has no statistics of its own."""

WHOLE_NAMES: Final = tuple(statistic.name for statistic in STATISTICS)
HALF_NAMES: Final = tuple(tuple(f"{half}.{name}" for name in WHOLE_NAMES) for half in HALVES)
SCORE_NAMES: Final = tuple(f"{SCORE}.{s.name}" for s in STATISTICS if not s.needs_score)
_SCORE_FREE: Final = np.array([not statistic.needs_score for statistic in STATISTICS])

MEASURES: Final = (*WHOLE_NAMES, *(name for names in HALF_NAMES for name in names), *SCORE_NAMES)
"""Every name, in the order of `performance_measures`."""


def performance_measures(
    performance: Performance, alignment: Alignment | None, names: Sequence[str] = MEASURES
) -> FloatArray:
    """Measure a performance; only what the names need is computed.

    Parameters
    ----------
    performance : whole
    alignment : of the same performance; None without a score
    names : (M,) of `MEASURES`

    Returns
    -------
    (M,) in the order of the names, NaN where missing
    """
    unknown = sorted(set(names) - set(MEASURES))
    if unknown:
        raise ValueError(f"there are no measures {unknown[:3]}")
    kinds = {name.partition(".")[0] if "." in name else "" for name in names}
    found: dict[str, float] = {}
    if "" in kinds:
        values = performance_statistics(performance, alignment).values
        found |= dict(zip(WHOLE_NAMES, values.tolist(), strict=True))
    if kinds & set(HALVES):
        for own, values in zip(HALF_NAMES, half_statistics(performance, alignment), strict=True):
            found |= dict(zip(own, values.tolist(), strict=True))
    if SCORE in kinds and alignment is not None:
        found |= dict(zip(SCORE_NAMES, score_statistics(alignment).tolist(), strict=True))
    return np.array([found.get(name, np.nan) for name in names])


def half_statistics(performance: Performance, alignment: Alignment | None) -> FloatArray:
    """(3, P) statistics of each half, in the order of `HALVES`; NaN for one with too few notes."""
    found = np.full((len(HALVES), len(STATISTICS)), np.nan)
    if not len(performance):
        return found
    for row, (start, end) in zip(found, half_bounds(performance.onset_sec), strict=True):
        half, part = performance_excerpt(performance, alignment, float(start), float(end))
        if len(half) >= MIN_NOTES_OF_HALF:
            row[:] = performance_statistics(half, part).values
    return found


def score_statistics(alignment: Alignment) -> FloatArray:
    """Score-free statistics of a flat rendering of the stretch that was played, as of `SCORE_NAMES`."""
    return performance_statistics(flat_rendering(performed_part(alignment))).values[_SCORE_FREE]
