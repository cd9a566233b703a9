"""Fit of the accent norms: regression of performed accents on their predictors."""

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
from tocco.pseudo_labels.norms.accents import accent_predictors, played_accents
from tocco.pseudo_labels.norms.model import AccentNorms, AccentVelocity
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

ACCENT_PREDICTORS: Final = tuple(AccentVelocity.model_fields)


@dataclass(frozen=True, eq=False)
class AccentNotes:
    """Performed accents of a performance and their predictors, note by note.

    Attributes
    ----------
    predictor : (P, K) in the order of `ACCENT_PREDICTORS`
    accent : (K,) velocity
    """

    predictor: FloatArray
    accent: FloatArray


def read_accent_notes(evidence: Evidence) -> AccentNotes | None:
    """Accents of a performance and their predictors; None where too few notes match the score."""
    if evidence.written is None:
        return None
    predictors = accent_predictors(evidence)
    return AccentNotes(np.stack([predictors[name] for name in ACCENT_PREDICTORS]), played_accents(evidence))


def fit_accents(
    performances: Sequence[AccentNotes], pieces: Sequence[str], rng: np.random.Generator
) -> AccentNorms:
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
    predictors, accents = [one.predictor for one in performances], [one.accent for one in performances]
    refuse_constant(
        ACCENT_PREDICTORS,
        predictors,
        "give performances of scores with two staves that alternate, slurs, staccato dots and accents",
    )
    fold = folds_of(pieces, rng)
    correlations = cross_validated(
        predictors, accents, pieces, fold, lambda k, expected: [pearson_r(expected, accents[k])]
    )
    velocity = dict(zip(ACCENT_PREDICTORS, to_digits(coefficients(predictors, accents, pieces)), strict=True))
    return AccentNorms(
        velocity=AccentVelocity(**velocity),
        penalty=PENALTY,
        n_notes=sum(len(one.accent) for one in performances),
        correlation=mean_r(correlations),
        n_folds=len(np.unique(fold)),
    )
