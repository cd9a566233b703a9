"""Fitting the norms of level: what competent pianists make of line, motion, harmony and signs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.pseudo_labels.evidence import Evidence
from tocco.pseudo_labels.level_course import against_minute, general_level, read_hints
from tocco.pseudo_labels.norms import CourseNorms, CourseVelocity
from tocco.units import FloatArray, IntArray

HINTS: Final = tuple(CourseVelocity.model_fields)
SIGNS_OF_THE_PAGE: Final = ("mark", "hairpin", "stress")

PENALTY: Final = 0.02
DIGITS: Final = 2
"""More digits than these move with the choice of the pool."""

MOST_FOLDS: Final = 5
WINDOW_SEC: Final = 20.0
FEWEST_ONSETS: Final = 15
"""Of a window in which level and course are compared."""

_SMALLEST = 1e-9


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
    still = [name for k, name in enumerate(HINTS) if not any(one.hint[k].any() for one in performances)]
    if still:
        raise InputError(
            "pool",
            f"tells nothing of {' and '.join(still)}, which never changes in it",
            next_step="give performances with soft pedal, of scores with signs",
        )
    names = sorted(set(pieces))
    n_folds = min(MOST_FOLDS, len(names))
    fold_of = dict(zip(rng.permutation(names).tolist(), np.arange(len(names)) % n_folds, strict=True))
    fold = np.array([fold_of[piece] for piece in pieces])
    found = course_coefficients(performances, pieces)
    together, unpedalled, unmarked = (
        _left_out_correlations(performances, pieces, fold, [name for name in HINTS if name not in without])
        for without in ((), ("soft_pedal",), SIGNS_OF_THE_PAGE)
    )
    velocity = {name: float(f"{value:.{DIGITS}g}") + 0.0 for name, value in zip(HINTS, found, strict=True)}
    return CourseNorms(
        velocity=CourseVelocity(**velocity),
        penalty=PENALTY,
        n_onsets=sum(len(one.level) for one in performances),
        correlation=_mean(together),
        correlation_without_soft_pedal=_mean(unpedalled),
        correlation_without_signs=_mean(unmarked),
        window_sec=WINDOW_SEC,
        n_folds=n_folds,
        n_windows=len(together),
    )


def course_coefficients(
    performances: Sequence[LevelHints],
    pieces: Sequence[str],
    hints: Sequence[str] = HINTS,
    penalty: float = PENALTY,
) -> FloatArray:
    """Ridge regression (Hoerl and Kennard 1970) of the level on hints of unit size, without a constant.

    Every piece has one vote, and each take of it the same part of that.

    Returns
    -------
    (H,) velocity for one unit of each hint, as it is
    """
    rows = [HINTS.index(name) for name in hints]
    n_takes = Counter(pieces)
    square, product = np.zeros((len(rows), len(rows))), np.zeros(len(rows))
    for one, piece in zip(performances, pieces, strict=True):
        hint, vote = one.hint[rows], 1.0 / (len(one.level) * n_takes[piece] * len(n_takes))
        square += vote * hint @ hint.T
        product += vote * hint @ one.level
    size = np.maximum(np.sqrt(np.diag(square)), _SMALLEST)
    unit = square / np.outer(size, size) + penalty * np.eye(len(rows))
    return np.linalg.solve(unit, product / size) / size


def _left_out_correlations(
    performances: Sequence[LevelHints], pieces: Sequence[str], fold: IntArray, hints: Sequence[str]
) -> list[float]:
    """Likeness of level and course in every window of pieces that were left out of the fit."""
    rows = [HINTS.index(name) for name in hints]
    found: list[float] = []
    for left_out in np.unique(fold):
        fitted_to = np.flatnonzero(fold != left_out).tolist()
        coefficients = course_coefficients(
            [performances[k] for k in fitted_to], [pieces[k] for k in fitted_to], hints
        )
        for k in np.flatnonzero(fold == left_out).tolist():
            one = performances[k]
            found += window_correlations(one.onset_sec, coefficients @ one.hint[rows], one.level)
    return found


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
        if inside.sum() < FEWEST_ONSETS:
            continue
        a, b = first[inside] - first[inside].mean(), second[inside] - second[inside].mean()
        size = float(np.sqrt((a @ a) * (b @ b)))
        found.append(float(a @ b) / size if size > _SMALLEST else 0.0)
    return found


def _mean(found: Sequence[float]) -> float:
    """To three decimals; 0 where no piece lasts a window."""
    return round(float(np.mean(found)), 3) if found else 0.0
