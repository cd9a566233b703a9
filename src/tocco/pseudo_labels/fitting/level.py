"""Fitting the norms of level: what competent pianists make of line, motion, harmony and signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.pseudo_labels.fitting.predictors import (
    PENALTY,
    coefficients,
    folds_of,
    left_out,
    likeness_of,
    mean_likeness,
    refuse_still,
    to_digits,
)
from tocco.pseudo_labels.norms.level import against_minute, general_level, read_hints
from tocco.pseudo_labels.norms.model import CourseNorms, CourseVelocity
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray, IntArray

HINTS: Final = tuple(CourseVelocity.model_fields)
SIGNS_OF_THE_PAGE: Final = ("mark", "mark_change", "hairpin", "stress")

WINDOW_SEC: Final = 20.0
FEWEST_ONSETS: Final = 15
"""Of a window in which level and course are compared."""


@dataclass(frozen=True, eq=False)
class LevelHints:
    """The level of a performance and what suggests it, onset by onset.

    Attributes
    ----------
    onset_sec : (G,) seconds, ascending
    hint : (H, G) in the order of `HINTS`
    level : (G,) velocity against the minute around
    """

    onset_sec: FloatArray
    hint: FloatArray
    level: FloatArray


def read_level_hints(evidence: Evidence) -> LevelHints | None:
    """The level of a performance and its hints; None where too few notes match the score."""
    if evidence.written is None:
        return None
    hints = read_hints(evidence)
    return LevelHints(
        np.maximum.accumulate(evidence.together.onset_sec),
        np.stack([hints[name] for name in HINTS]),
        against_minute(evidence, general_level(evidence)),
    )


def fit_course(
    performances: Sequence[LevelHints], pieces: Sequence[str], rng: np.random.Generator
) -> CourseNorms:
    """Fit what pianists make of each hint, and hold level and course together where they were not fitted.

    Parameters
    ----------
    performances
    pieces : that each performance is of
    rng : draws which pieces are left out together, a fifth each time where there are five

    Raises
    ------
    InputError
        A hint never moves.
    """
    hints, level = [one.hint for one in performances], [one.level for one in performances]
    refuse_still(HINTS, hints, "give performances with soft pedal, of scores with signs")
    fold = folds_of(pieces, rng)
    together, unpedalled, unmarked = (
        _left_out_correlations(performances, pieces, fold, [name for name in HINTS if name not in without])
        for without in ((), ("soft_pedal",), SIGNS_OF_THE_PAGE)
    )
    velocity = dict(zip(HINTS, to_digits(coefficients(hints, level, pieces)), strict=True))
    return CourseNorms(
        velocity=CourseVelocity(**velocity),
        penalty=PENALTY,
        n_onsets=sum(len(one.level) for one in performances),
        correlation=mean_likeness(together),
        correlation_without_soft_pedal=mean_likeness(unpedalled),
        correlation_without_signs=mean_likeness(unmarked),
        window_sec=WINDOW_SEC,
        n_folds=len(np.unique(fold)),
        n_windows=len(together),
    )


def _left_out_correlations(
    performances: Sequence[LevelHints], pieces: Sequence[str], fold: IntArray, names: Sequence[str]
) -> list[float]:
    """Likeness of level and course in every window of pieces that were left out of the fit."""
    rows = [HINTS.index(name) for name in names]
    return left_out(
        [one.hint[rows] for one in performances],
        [one.level for one in performances],
        pieces,
        fold,
        lambda k, course: window_correlations(performances[k].onset_sec, course, performances[k].level),
    )


def window_correlations(onset_sec: FloatArray, first: FloatArray, second: FloatArray) -> list[float]:
    """Correlation within each twenty seconds that hold fifteen onsets or more; 0 where one is still.

    Parameters
    ----------
    onset_sec : (G,) seconds, ascending
    first, second : (G,)
    """
    found: list[float] = []
    for start in np.arange(onset_sec[0], onset_sec[-1] - WINDOW_SEC + 1e-6, WINDOW_SEC):
        inside = (onset_sec >= start) & (onset_sec < start + WINDOW_SEC)
        if inside.sum() >= FEWEST_ONSETS:
            found.append(likeness_of(first[inside], second[inside]))
    return found
