"""Shallow models as baselines: fitted to the training part of a fold, applied to its test part.

Every function here is a `Baseline`: `model(train_inputs, train_labels, test_inputs)` -> ratings. The
inputs are statistics, one row per performance; NaN is a missing statistic, which the trees handle as
such and the linear and kernel models replace by the mean of the training performances.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from tocco.models.boosted_trees import fit_boosted_trees
from tocco.models.predictor import Predictor, PredictorInput, StatisticsTable, rating_by_name
from tocco.models.statistics_models import fit_kernel_ridge, fit_ridge_statistics
from tocco.units import FloatArray

_Fit = Callable[[Sequence[str], Sequence[str], FloatArray, FloatArray], Predictor]


def trees(train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray) -> FloatArray:
    """Boosted decision trees (`tocco.models.boosted_trees`).

    Parameters
    ----------
    train_inputs : (N, P) statistics, NaN where missing
    train_labels : (N, D) rating, NaN where missing
    test_inputs : (M, P)

    Returns
    -------
    (M, D) rating, not clipped to 0..100; NaN for a dimension without a training label
        Deterministic, to the last bit.
    """
    return _held_out(fit_boosted_trees, train_inputs, train_labels, test_inputs)


def one_forest(train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray) -> FloatArray:
    """`trees` with one forest a target in place of five: a fifth of the time, a little less accurate.

    Parameters and returns as for `trees`.
    """
    fit = functools.partial(fit_boosted_trees, n_forests=1)
    return _held_out(fit, train_inputs, train_labels, test_inputs)


def ridge_statistics(
    train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> FloatArray:
    """Ridge regression on all standardised statistics (`tocco.models.statistics_models.RidgeStatistics`).

    Parameters and returns as for `trees`.
    """
    return _held_out(fit_ridge_statistics, train_inputs, train_labels, test_inputs)


def kernel_statistics(
    train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> FloatArray:
    """Kernel ridge regression (`tocco.models.statistics_models.KernelRidge`).

    Parameters and returns as for `trees`.
    """
    return _held_out(fit_kernel_ridge, train_inputs, train_labels, test_inputs)


def _held_out(
    fit: _Fit, train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> FloatArray:
    targets, statistics = (
        tuple(str(column) for column in range(table.shape[1])) for table in (train_labels, train_inputs)
    )
    predictor = fit(targets, statistics, train_inputs, train_labels)
    rows = PredictorInput(statistics=StatisticsTable(statistics, test_inputs))
    return rating_by_name(predictor, predictor.predict(rows), targets)
