"""Cross-validated ridge regression of performed level on predictors, with equal weight per piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.units import FloatArray, IntArray

PENALTY: Final = 0.02
DIGITS: Final = 2
"""Significant digits: further ones depend on the choice of the pool."""

MOST_FOLDS: Final = 5

_CONSTANT = 1e-6
"""Largest value that a constant predictor may have by rounding."""

_SMALLEST = 1e-9


def coefficients(
    predictors: Sequence[FloatArray],
    target: Sequence[FloatArray],
    pieces: Sequence[str],
    penalty: float = PENALTY,
) -> FloatArray:
    """Ridge regression (Hoerl and Kennard 1970) on predictors of unit size, without intercept.

    Pieces have equal weight, which is divided equally among the takes of a piece.

    Parameters
    ----------
    predictors : (P, N) of each performance
    target : (N,) velocity of each performance
    pieces : piece of each performance
    penalty : for a predictor of unit size

    Returns
    -------
    (P,) velocity per unit of each predictor; 0 for a constant predictor
    """
    n_takes = Counter(pieces)
    n_predictors = len(predictors[0])
    square, product = np.zeros((n_predictors, n_predictors)), np.zeros(n_predictors)
    for predictor, value, piece in zip(predictors, target, pieces, strict=True):
        weight = 1.0 / (len(value) * n_takes[piece] * len(n_takes))
        square += weight * predictor @ predictor.T
        product += weight * predictor @ value
    size = np.sqrt(np.diag(square))
    varies = size > _CONSTANT
    size = np.where(varies, size, 1.0)
    unit = square / np.outer(size, size) + penalty * np.eye(n_predictors)
    return np.where(varies, np.linalg.solve(unit, product / size) / size, 0.0)


def folds_of(pieces: Sequence[str], rng: np.random.Generator) -> IntArray:
    """(P,) cross-validation fold of each performance: five folds, or one per piece where there are fewer.

    Parameters
    ----------
    pieces : (P,) piece of each performance; all takes of a piece are in one fold
    rng : assigns the pieces to folds
    """
    names = sorted(set(pieces))
    n_folds = min(MOST_FOLDS, len(names))
    fold_of = dict(zip(rng.permutation(names).tolist(), np.arange(len(names)) % n_folds, strict=True))
    return np.array([fold_of[piece] for piece in pieces])


def cross_validated(
    predictors: Sequence[FloatArray],
    target: Sequence[FloatArray],
    pieces: Sequence[str],
    fold: IntArray,
    correlate: Callable[[int, FloatArray], Sequence[float]],
) -> list[float]:
    """Correlations of target and prediction over held-out pieces.

    Empty with a single fold, where no piece is left to fit.

    Parameters
    ----------
    predictors, target, pieces : as of `coefficients`
    fold : (P,) of `folds_of`
    correlate : (performance, prediction (N,)) -> any number of correlations
    """
    found: list[float] = []
    folds = np.unique(fold)
    for out in folds if len(folds) > 1 else ():
        training = np.flatnonzero(fold != out).tolist()
        fitted = coefficients(
            [predictors[k] for k in training], [target[k] for k in training], [pieces[k] for k in training]
        )
        for k in np.flatnonzero(fold == out).tolist():
            found += correlate(k, fitted @ predictors[k])
    return found


def refuse_constant(names: Sequence[str], predictors: Sequence[FloatArray], next_step: str) -> None:
    """Refuse a pool in which a predictor is constant.

    Raises
    ------
    InputError
        Names these predictors.
    """
    constant = [
        name for k, name in enumerate(names) if all(np.abs(one[k]).max() <= _CONSTANT for one in predictors)
    ]
    if constant:
        listed = " and ".join(part for part in (", ".join(constant[:-1]), constant[-1]) if part)
        verb = "is" if len(constant) == 1 else "are"
        raise InputError(
            "pool", f"gives no coefficient for {listed}, which {verb} constant in it", next_step=next_step
        )


def pearson_r(first: FloatArray, second: FloatArray) -> float:
    """Pearson correlation of two series; 0 where one is constant."""
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > _SMALLEST else 0.0


def mean_r(found: Sequence[float]) -> float:
    """Mean correlation to three decimals; 0 where there is none."""
    return round(float(np.mean(found)), 3) if found else 0.0


def to_digits(values: FloatArray) -> list[float]:
    """Values rounded to `DIGITS` significant digits."""
    return [float(f"{value:.{DIGITS}g}") + 0.0 for value in values]
