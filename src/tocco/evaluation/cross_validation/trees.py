"""The yardstick: what shallow learners make of the statistics of whole excerpts.

Every function here is a `Baseline`: `model(train_inputs, train_labels, test_inputs)` -> ratings. The
inputs are statistics, one row a performance; NaN is a statistic that is missing, which the trees
decide by and the linear and kernel models read as the mean of the training performances.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from tocco.units import FloatArray

N_TREES: Final = 250

N_FORESTS: Final = 5
"""Forests a target, from as many seeds; their mean is the rating. On inner splits by cluster, mean R2 of
eight descriptors: one forest .423, the mean of three .431."""

TREE_SETTINGS: Final[Mapping[str, float | int | bool | str]] = {
    "objective": "regression",
    "learning_rate": 0.04,
    "num_leaves": 12,
    "min_data_in_leaf": 15,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "feature_fraction": 0.25,
    "lambda_l2": 3.0,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
"""Settings of LightGBM, fixed before any figure of tocco's was taken."""

RIDGE_ALPHA: Final = 1000.0
KERNEL_ALPHA: Final = 1.0
KERNEL_WIDTH: Final = 1.0
"""In units of sqrt(P), the root mean square distance of standardised performances from their mean.

All three from inner splits by cluster (eight, a quarter of a training side apart, PercePiano): mean R2 of the
descriptors .37 at each; .34 at a ridge of 300, .25 at 100; for kernels of width .7 to 2.5 and alpha .03 to 3
between .23 and .38."""

OUTLIER_SD: Final = 5.0
"""Standardised statistics are held to this many standard deviations: a rule drawn beyond is not followed."""

_Fit = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def trees(train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray) -> FloatArray:
    """Boosted decision trees (LightGBM: Ke et al., NIPS 2017), `N_FORESTS` a dimension.

    Parameters
    ----------
    train_inputs : (N, P) statistics, NaN where missing
    train_labels : (N, D) rating, NaN where there is none
    test_inputs : (M, P)

    Returns
    -------
    (M, D) rating, not held to 0..100; NaN for a dimension without a training label
        The same inputs give the same ratings to the last bit.
    """
    return _by_dimension(_boost, train_inputs, train_labels, test_inputs)


def ridge_statistics(
    train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> FloatArray:
    """A linear reading of all standardised statistics (ridge, `RIDGE_ALPHA`).

    Parameters and returns as for `trees`.
    """
    return _by_dimension(_ridge, *_on_common_scale(train_inputs, train_labels, test_inputs))


def kernel_statistics(
    train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> FloatArray:
    """Ratings of the performances that are alike in their standardised statistics (Gaussian kernel ridge).

    Parameters and returns as for `trees`.
    """
    return _by_dimension(_kernel_ridge, *_on_common_scale(train_inputs, train_labels, test_inputs))


def standardised(train_inputs: FloatArray, test_inputs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Statistics in standard deviations from the mean of the training performances.

    Parameters
    ----------
    train_inputs : (N, P), test_inputs : (M, P) statistics, NaN where missing

    Returns
    -------
    (N, P), (M, P) within +- `OUTLIER_SD`
        0 where missing, and in a statistic that is the same, or missing, in all of training.

    Examples
    --------
    >>> standardised(np.array([[1.0, 7.0], [3.0, np.nan]]), np.array([[3.0, 9.0], [np.nan, 7.0]]))[1]
    array([[1., 0.],
           [0., 0.]])
    """
    there = np.isfinite(train_inputs)
    n = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, train_inputs, 0.0).sum(axis=0) / n
    sd = np.sqrt(np.where(there, (train_inputs - mean) ** 2, 0.0).sum(axis=0) / n)
    # Rounding gives equal values a spread of about their last digit.
    varies = sd > 1e-9 * np.maximum(np.abs(mean), 1e-300)
    scale = np.where(varies, sd, np.inf)

    def scaled(inputs: FloatArray) -> FloatArray:
        z = np.where(np.isfinite(inputs), (inputs - mean) / scale, 0.0)
        return np.clip(z, -OUTLIER_SD, OUTLIER_SD)

    return scaled(train_inputs), scaled(test_inputs)


def _on_common_scale(
    train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    train, test = standardised(train_inputs, test_inputs)
    return train, train_labels, test


def _by_dimension(
    fit: _Fit, train_inputs: FloatArray, train_labels: FloatArray, test_inputs: FloatArray
) -> FloatArray:
    """(M, D) each dimension learned from the performances that have its label."""
    est = np.full((len(test_inputs), train_labels.shape[1]), np.nan)
    labelled = ~np.isnan(train_labels)
    for d in range(train_labels.shape[1]):
        rows = labelled[:, d]
        if rows.any():
            est[:, d] = fit(train_inputs[rows], train_labels[rows, d], test_inputs)
    return est


def _boost(inputs: FloatArray, labels: FloatArray, test_inputs: FloatArray) -> FloatArray:
    import lightgbm

    ratings = np.zeros(len(test_inputs))
    for seed in range(N_FORESTS):
        settings = dict(TREE_SETTINGS) | {"seed": seed}
        data = lightgbm.Dataset(inputs, labels, params=settings)
        forest = lightgbm.train(settings, data, num_boost_round=N_TREES)
        ratings += np.asarray(forest.predict(test_inputs)) / N_FORESTS
    return ratings


def _ridge(inputs: FloatArray, labels: FloatArray, test_inputs: FloatArray) -> FloatArray:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=RIDGE_ALPHA).fit(inputs, labels).predict(test_inputs)


def _kernel_ridge(inputs: FloatArray, labels: FloatArray, test_inputs: FloatArray) -> FloatArray:
    from sklearn.kernel_ridge import KernelRidge

    gamma = 1.0 / (2.0 * KERNEL_WIDTH**2 * inputs.shape[1])
    model = KernelRidge(kernel="rbf", gamma=gamma).set_params(alpha=KERNEL_ALPHA)  # its stubs want an int
    mean = labels.mean()
    return mean + model.fit(inputs, labels - mean).predict(test_inputs)
