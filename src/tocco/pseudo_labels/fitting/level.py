"""Fit of the level norms: regression of the dynamics contour on its predictors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.pseudo_labels.fitting.predictors import (
    PENALTY,
    coefficients,
    cross_validated,
    folds_of,
    mean_r,
    pearson_r,
    refuse_constant,
    to_digits,
)
from tocco.pseudo_labels.norms.level import dynamics_contour, level_predictors, relative_to_minute
from tocco.pseudo_labels.norms.model import LevelNorms, LevelVelocity
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray, IntArray

LEVEL_PREDICTORS: Final = tuple(LevelVelocity.model_fields)
SCORE_MARKINGS: Final = ("mark", "mark_change", "hairpin", "stress")

WINDOW_SEC: Final = 20.0
FEWEST_ONSETS: Final = 15
"""Of a window in which performed and expected contour are correlated."""


@dataclass(frozen=True, eq=False)
class LevelSample:
    """Dynamics contour of a performance and its predictors, onset by onset.

    Attributes
    ----------
    onset_sec : (G,) seconds, ascending
    predictor : (P, G) in the order of `LEVEL_PREDICTORS`
    level : (G,) velocity relative to the surrounding minute
    """

    onset_sec: FloatArray
    predictor: FloatArray
    level: FloatArray


def read_level_sample(evidence: Evidence) -> LevelSample | None:
    """Level of a performance and its predictors; None where too few notes match the score."""
    if evidence.written is None:
        return None
    predictors = level_predictors(evidence)
    return LevelSample(
        np.maximum.accumulate(evidence.onset_groups.onset_sec),
        np.stack([predictors[name] for name in LEVEL_PREDICTORS]),
        relative_to_minute(evidence, dynamics_contour(evidence)),
    )


def fit_level(
    performances: Sequence[LevelSample], pieces: Sequence[str], rng: np.random.Generator
) -> LevelNorms:
    """Fit the coefficient of each predictor, and cross-validate the prediction.

    Parameters
    ----------
    performances
    pieces : piece of each performance
    rng : draws the cross-validation folds

    Raises
    ------
    InputError
        A predictor is constant over the pool.
    """
    predictors, level = [one.predictor for one in performances], [one.level for one in performances]
    refuse_constant(
        LEVEL_PREDICTORS, predictors, "give performances with soft pedal, of scores with dynamic markings"
    )
    fold = folds_of(pieces, rng)
    with_all, without_soft_pedal, without_markings = (
        _cross_validated_correlations(
            performances, pieces, fold, [name for name in LEVEL_PREDICTORS if name not in without]
        )
        for without in ((), ("soft_pedal",), SCORE_MARKINGS)
    )
    velocity = dict(zip(LEVEL_PREDICTORS, to_digits(coefficients(predictors, level, pieces)), strict=True))
    return LevelNorms(
        velocity=LevelVelocity(**velocity),
        penalty=PENALTY,
        n_onsets=sum(len(one.level) for one in performances),
        correlation=mean_r(with_all),
        correlation_without_soft_pedal=mean_r(without_soft_pedal),
        correlation_without_signs=mean_r(without_markings),
        window_sec=WINDOW_SEC,
        n_folds=len(np.unique(fold)),
        n_windows=len(with_all),
    )


def _cross_validated_correlations(
    performances: Sequence[LevelSample], pieces: Sequence[str], fold: IntArray, names: Sequence[str]
) -> list[float]:
    """Correlation of level and prediction in every window of held-out pieces."""
    rows = [LEVEL_PREDICTORS.index(name) for name in names]
    return cross_validated(
        [one.predictor[rows] for one in performances],
        [one.level for one in performances],
        pieces,
        fold,
        lambda k, expected: window_correlations(performances[k].onset_sec, expected, performances[k].level),
    )


def window_correlations(onset_sec: FloatArray, first: FloatArray, second: FloatArray) -> list[float]:
    """Correlation within each window of twenty seconds with fifteen onsets or more; 0 where one is constant.

    Parameters
    ----------
    onset_sec : (G,) seconds, ascending
    first, second : (G,)
    """
    found: list[float] = []
    for start in np.arange(onset_sec[0], onset_sec[-1] - WINDOW_SEC + 1e-6, WINDOW_SEC):
        inside = (onset_sec >= start) & (onset_sec < start + WINDOW_SEC)
        if inside.sum() >= FEWEST_ONSETS:
            found.append(pearson_r(first[inside], second[inside]))
    return found
