"""Baselines of the network: constants, means of groups, and ridge regression on ten statistics.

Every baseline is one function of the same form,

   baseline(train_inputs, train_labels, test_inputs) -> ratings of the test performances

and they differ in their inputs: none (`constant`), the passage of each performance (`passage_mean`), its
pianist (`pianist_mean`) or ten statistics of its notes (`ridge10`). `cross_validate_baseline` runs any of
them over folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tocco.units import FloatArray

RIDGE_FEATURES: tuple[str, ...] = (
    "onset_rate",
    "vel_mean",
    "vel_sd",
    "log_dur",
    "ped_frac",
    "ped_rate",
    "legato_mel_mean",
    "ioi_cv",
    "pitch_mean",
    "chord_mean",
)
"""The statistics used by `ridge10`, in the order of its columns."""

RIDGE_ALPHA = 1.0

Baseline = Callable[[npt.NDArray, FloatArray, npt.NDArray], FloatArray]


def feature_matrix(rows: Sequence[Mapping[str, float]]) -> FloatArray:
    """Ten statistics of each performance as the input of `ridge10`.

    Parameters
    ----------
    rows : (N,) mappings with every name of `RIDGE_FEATURES`

    Returns
    -------
    (N, 10) in the order of `RIDGE_FEATURES`
    """
    for index, row in enumerate(rows):
        missing = [name for name in RIDGE_FEATURES if name not in row]
        if missing:
            raise ValueError(f"performance {index} lacks the statistics {missing}")
    return np.array([[row[name] for name in RIDGE_FEATURES] for row in rows], dtype=float).reshape(-1, 10)


def _column_means(labels: FloatArray) -> FloatArray:
    """(D,) mean of the available labels; NaN for a dimension without labels."""
    count = np.count_nonzero(~np.isnan(labels), axis=0)
    total = np.nansum(labels, axis=0)
    return np.divide(total, count, out=np.full(labels.shape[1], np.nan), where=count > 0)


def constant(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Mean training rating.

    Parameters
    ----------
    train_inputs : (N, ...) not used
    train_labels : (N, D) rating, NaN where missing
    test_inputs : (M, ...) only its length is used

    Returns
    -------
    (M, D) rating; NaN for a dimension without a training label
    """
    return np.tile(_column_means(train_labels), (len(test_inputs), 1))


def group_mean(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Mean training rating of the same group, or of all performances if the group has none.

    Parameters
    ----------
    train_inputs : (N,) group of each training performance
    train_labels : (N, D) rating, NaN where missing
    test_inputs : (M,) group of each performance to be rated

    Returns
    -------
    (M, D) rating
        Separately for each dimension: a group with labels for only one of two dimensions has its own mean
        for the one and the overall mean for the other.
    """
    est = constant(train_inputs, train_labels, test_inputs)
    for group in np.unique(test_inputs):
        means = _column_means(train_labels[train_inputs == group])
        test = test_inputs == group
        est[test] = np.where(np.isnan(means), est[test], means)
    return est


def passage_mean(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Mean rating of other performances of the same music, independent of the playing.

    With folds of new music no passage is in the training data, and this equals `constant`.

    Parameters and returns as for `group_mean`, with passages as groups.
    """
    return group_mean(train_inputs, train_labels, test_inputs)


def pianist_mean(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Mean rating of the same pianist in other music, independent of the playing.

    With folds of new pianists none is in the training data, and this equals `constant`.

    Parameters and returns as for `group_mean`, with pianists as groups.
    """
    return group_mean(train_inputs, train_labels, test_inputs)


def ridge10(train_inputs: npt.NDArray, train_labels: FloatArray, test_inputs: npt.NDArray) -> FloatArray:
    """Ridge regression on ten standardised statistics (alpha 1).

    Parameters
    ----------
    train_inputs : (N, 10) statistics in the order of `RIDGE_FEATURES`
    train_labels : (N, D) rating, NaN where missing
    test_inputs : (M, 10)

    Returns
    -------
    (M, D) rating, not clipped to 0..100; NaN for a dimension without a training label
    """
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    est = np.full((len(test_inputs), train_labels.shape[1]), np.nan)
    labelled = ~np.isnan(train_labels)
    for d in range(train_labels.shape[1]):
        rows = labelled[:, d]
        if rows.any():
            model = make_pipeline(StandardScaler(), Ridge(alpha=RIDGE_ALPHA))
            est[:, d] = model.fit(train_inputs[rows], train_labels[rows, d]).predict(test_inputs)
    return est


def cross_validate_baseline(
    baseline: Baseline, inputs: npt.ArrayLike, labels: npt.ArrayLike, fold: npt.ArrayLike
) -> FloatArray:
    """Prediction of a baseline for every performance, with its own fold held out.

    Parameters
    ----------
    baseline
        One of this module's, or any function of their form.
    inputs : (N, ...) inputs of the baseline
    labels : (N, D) rating, NaN where missing
    fold : (N,) 0.., or -1 for an excluded performance

    Returns
    -------
    (N, D) rating
        NaN where the fold is -1, and for a dimension without a label in the training folds.

    Examples
    --------
    >>> cross_validate_baseline(constant, [0, 0, 0], [[10.0], [20.0], [60.0]], [0, 0, 1]).ravel()
    array([60., 60., 15.])
    """
    inputs, labels, fold = np.asarray(inputs), np.asarray(labels, dtype=float), np.asarray(fold)
    if labels.ndim != 2:
        raise ValueError(f"labels have shape {labels.shape}, must be (performances, dimensions)")
    if fold.shape != labels.shape[:1]:
        raise ValueError(f"fold has shape {fold.shape}, must be one number for each of {len(labels)} labels")
    if len(inputs) != len(labels):
        raise ValueError(f"inputs count {len(inputs)}, labels {len(labels)}")
    if inputs.dtype.kind == "f" and not np.isfinite(inputs[fold >= 0]).all():
        raise ValueError("inputs have a NaN or an infinity: a statistic could not be computed")
    folds = np.unique(fold[fold >= 0])
    if len(folds) < 2:
        raise ValueError(f"{len(folds)} fold: cross-validation needs at least 2")
    est = np.full(labels.shape, np.nan)
    for k in folds:
        train, test = (fold >= 0) & (fold != k), fold == k
        est[test] = baseline(inputs[train], labels[train], inputs[test])
    return est
