"""Accuracy of estimated ratings, and calibration of their intervals.

Conventions
-----------
Order
    The reference comes first, the estimate second: `mae(ref, est)`. Both are flat arrays of one
    length, one entry a performance; `evaluate` takes them side by side, one column a dimension.
Units
    Ratings, errors, standard deviations and intervals are in rating points, 0 to 100. A single
    metric is independent of the scale; `evaluate` refuses references that are not ratings.
Missing
    NaN in the reference is a missing label: the pair is ignored. NaN in an estimate that
    has a label is an error, because a system must not choose which performances count.
Undefined
    A metric of too few labels, or of constant labels where they have to differ, is NaN. A
    constant estimate has a correlation of 0: it has no information about the order.

Metrics
-------
Points: `pearson_r`, `spearman_rho`, `r2`, `mae`, `mae_skill`, `rmse`, `pair_accuracy`.
Intervals: `coverage`, `interval_width`, `interval_score`.
Distributions: `coverage_curve`, `calibration_error`, `gaussian_nll`.
All points at once: `evaluate`, `mean_scores`.

For the uncertainty of a metric over other music, see `tocco.evaluation.bootstrap`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tocco.units import FloatArray, IntArray

RATING_RANGE = (0.0, 100.0)

_PAIR_CHUNK = 1024
"""Rows of the pair matrix in memory at a time: 8 MB for every thousand performances."""


def validate(ref: npt.ArrayLike, est: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The pairs that have a label, without the others.

    Parameters
    ----------
    ref : (N,) rating, NaN where missing
    est : (N,) rating; may be NaN only where `ref` is

    Returns
    -------
    ref, est : (M,) rating, M <= N

    Raises
    ------
    ValueError
        The shapes differ, a label is infinite, or a label has no estimate.

    Examples
    --------
    >>> validate([50.0, float("nan")], [48.0, 70.0])
    (array([50.]), array([48.]))
    """
    ref, est = np.asarray(ref, dtype=float), np.asarray(est, dtype=float)
    if ref.ndim != 1:
        raise ValueError(f"ref must be flat, one rating a performance, not of shape {ref.shape}")
    if est.shape != ref.shape:
        raise ValueError(f"est has shape {est.shape}, ref has {ref.shape}")
    if np.isinf(ref).any():
        raise ValueError(f"ref is infinite at index {int(np.flatnonzero(np.isinf(ref))[0])}")
    labelled = ~np.isnan(ref)
    bad = labelled & ~np.isfinite(est)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(f"est is {est[first]} at index {first}, where ref has a label ({ref[first]:g})")
    return ref[labelled], est[labelled]


def validate_ratings(ref: npt.ArrayLike) -> None:
    """Refuse references outside the rating scale, 0 to 100.

    Labels between 0 and 1, as PercePiano publishes them, would make every error a hundred times too small.

    Raises
    ------
    ValueError
        A label is outside 0 to 100, or there are ten or more labels and none exceeds 1.
    """
    ref = np.asarray(ref, dtype=float)
    labels = ref[~np.isnan(ref)]
    low, high = RATING_RANGE
    if labels.size == 0:
        return
    if labels.min() < low or labels.max() > high:
        raise ValueError(
            f"ref runs from {labels.min():g} to {labels.max():g}, ratings run from {low:g} to {high:g}"
        )
    if labels.size >= 10 and labels.max() <= 1.0:
        raise ValueError("no label of ref exceeds 1: these are on 0 to 1, multiply them by 100")


def _is_constant(values: FloatArray) -> bool:
    """Whether all values are equal up to rounding."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))


def _correlation(ref: FloatArray, est: FloatArray) -> float:
    if len(ref) < 2 or _is_constant(ref):
        return math.nan
    if _is_constant(est):
        return 0.0
    a, b = ref - ref.mean(), est - est.mean()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def pearson_r(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Pearson correlation of estimate and rating.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    -1..1; 0 for a constant estimate; NaN if fewer than two labels differ

    Examples
    --------
    >>> pearson_r([20, 40, 60], [1, 2, 3]), pearson_r([20, 40, 60], [5, 5, 5])
    (1.0, 0.0)
    """
    return _correlation(*validate(ref, est))


def spearman_rho(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Spearman rank correlation; tied values share their mean rank.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    -1..1; 0 for a constant estimate; NaN if fewer than two labels differ
    """
    from scipy import stats

    ref, est = validate(ref, est)
    return _correlation(stats.rankdata(ref), stats.rankdata(est))


def r2(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Coefficient of determination: explained share of the variance of `ref`.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    <= 1; below 0 where the mean rating has smaller errors; NaN if fewer than two labels differ
    """
    ref, est = validate(ref, est)
    if len(ref) < 2 or _is_constant(ref):
        return math.nan
    return 1.0 - float(np.sum((ref - est) ** 2) / np.sum((ref - ref.mean()) ** 2))


def mae(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Mean absolute error.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    rating points, >= 0; NaN without a label
    """
    ref, est = validate(ref, est)
    return float(np.mean(np.abs(ref - est))) if len(ref) else math.nan


def mae_skill(ref: npt.ArrayLike, est: npt.ArrayLike, constant: npt.ArrayLike) -> float:
    """Reduction of the MAE relative to a constant estimate: 1 - MAE / MAE of `constant`.

    Parameters
    ----------
    ref, est : (N,) rating
    constant : () or (N,) rating
        The constant estimate: the training mean, or one for each fold.

    Returns
    -------
    <= 1; 0 for an estimate no better than the constant; NaN without a label or if the constant
    has no error

    Examples
    --------
    >>> mae_skill([40, 60], [45, 55], 50)
    0.5
    """
    ref = np.asarray(ref, dtype=float)
    base = mae(ref, np.broadcast_to(np.asarray(constant, dtype=float), ref.shape))
    return 1.0 - mae(ref, est) / base if base > 0 else math.nan


def rmse(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Root mean squared error; large errors weigh more.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    rating points, >= 0; NaN without a label
    """
    ref, est = validate(ref, est)
    return float(np.sqrt(np.mean((ref - est) ** 2))) if len(ref) else math.nan


def _compared(ref: FloatArray, est: FloatArray, rows: slice, min_gap: float) -> tuple[FloatArray, FloatArray]:
    """For each pair (row, column): 1 if `ref` ranks row above column, and the score of `est` for it."""
    above = (ref[rows, None] - ref[None, :] > min_gap).astype(float)
    difference = est[rows, None] - est[None, :]
    return above, above * (0.5 + 0.5 * np.sign(difference))


def pair_accuracy(
    ref: npt.ArrayLike,
    est: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    min_gap: float = 0.0,
) -> float:
    """Share of pairs of performances that the estimate orders as the raters did.

    Every pair whose ratings differ is compared; a tie in the estimate counts half. Without groups
    this is (1 + D) / 2, with D the measure of Somers (1962).

    Parameters
    ----------
    ref, est : (N,) rating
    groups : (N,) any label, or None
        Only pairs within a group count: "passage" compares performances of the same music.
    min_gap : rating points, >= 0
        Pairs whose ratings differ by no more than this are ignored.

    Returns
    -------
    0..1; 0.5 is chance; NaN without a pair

    Examples
    --------
    >>> pair_accuracy([10, 20, 30], [1, 3, 2])
    0.6666666666666666
    """
    won, comparable = pair_counts(ref, est, groups=groups, min_gap=min_gap)
    return float(won.sum() / comparable.sum()) if comparable.sum() else math.nan


def pair_counts(
    ref: npt.ArrayLike,
    est: npt.ArrayLike,
    *,
    clusters: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    min_gap: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Pair counts of `pair_accuracy`, separated by the clusters of their members.

    Parameters
    ----------
    ref, est, groups, min_gap
        As for `pair_accuracy`.
    clusters : (N,) any label, or None for a single cluster

    Returns
    -------
    won, comparable : (C, C) counts, clusters in sorted order
        Row: the cluster of the higher rated member; column: that of the lower.

    Notes
    -----
    Time grows with the square of the largest group, memory with its size times its clusters. Counts are
    multiples of one half, so that their sums are exact.
    """
    ref_all = np.asarray(ref, dtype=float)
    ref, est = validate(ref_all, est)
    if not min_gap >= 0:
        raise ValueError(f"min_gap is {min_gap}, must be 0 or more rating points")
    cluster = _codes(clusters, ref_all, "clusters")
    n_clusters = int(cluster.max(initial=0)) + 1
    cluster = cluster[~np.isnan(ref_all)]
    group = _codes(groups, ref_all, "groups")[~np.isnan(ref_all)]
    won, comparable = np.zeros((2, n_clusters, n_clusters))
    for g in np.unique(group):
        member = np.flatnonzero(group == g)
        present, position = np.unique(cluster[member], return_inverse=True)
        belongs = (position[:, None] == np.arange(len(present))).astype(float)
        of_present = np.ix_(present, present)
        for first in range(0, len(member), _PAIR_CHUNK):
            rows = slice(first, first + _PAIR_CHUNK)
            above, score = _compared(ref[member], est[member], rows, min_gap)
            won[of_present] += belongs[rows].T @ (score @ belongs)
            comparable[of_present] += belongs[rows].T @ (above @ belongs)
    return won, comparable


def _codes(labels: npt.ArrayLike | None, ref: FloatArray, what: str) -> IntArray:
    """Labels numbered 0.. in sorted order; all 0 without labels."""
    if labels is None:
        return np.zeros(ref.shape, dtype=int)
    labels = np.asarray(labels)
    if labels.shape != ref.shape:
        raise ValueError(f"{what} have shape {labels.shape}, ref has {ref.shape}")
    return np.unique(labels, return_inverse=True)[1]


def _validate_intervals(
    ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    labelled, labelled_low = validate(ref, low)
    _, labelled_high = validate(ref, high)
    if (labelled_low > labelled_high).any():
        raise ValueError("low exceeds high: intervals are given as (low, high)")
    return labelled, labelled_low, labelled_high


def coverage(ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Share of ratings that lie within their interval, ends included.

    Parameters
    ----------
    ref, low, high : (N,) rating, low <= high

    Returns
    -------
    0..1; NaN without a label
    """
    ref, low, high = _validate_intervals(ref, low, high)
    return float(np.mean((low <= ref) & (ref <= high))) if len(ref) else math.nan


def interval_width(ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Mean width of the intervals of labelled performances.

    Parameters
    ----------
    ref, low, high : (N,) rating, low <= high

    Returns
    -------
    rating points, >= 0; NaN without a label
    """
    ref, low, high = _validate_intervals(ref, low, high)
    return float(np.mean(high - low)) if len(ref) else math.nan


def interval_score(ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.9) -> float:
    """Width of the interval plus a penalty for ratings outside it: smaller is better.

    Mean of (high - low) + 2 / (1 - level) * (distance outside); a proper score of central intervals
    (Gneiting & Raftery, JASA 102, 2007, eq. 43).

    Parameters
    ----------
    ref, low, high : (N,) rating, low <= high
    level : 0..1, nominal coverage of the intervals

    Returns
    -------
    rating points, >= 0; NaN without a label
    """
    validate_level(level)
    ref, low, high = _validate_intervals(ref, low, high)
    outside = np.maximum(low - ref, 0.0) + np.maximum(ref - high, 0.0)
    return float(np.mean(high - low + 2.0 / (1.0 - level) * outside)) if len(ref) else math.nan


def validate_level(level: float) -> None:
    """Refuse a coverage that is not a fraction, such as 90 for 90 %."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}, must lie between 0 and 1 (0.9 for 90 %)")


def _standardised(
    ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Errors in units of the predicted sd, and the sd, where there is a label."""
    labelled, labelled_mean = validate(ref, mean)
    _, labelled_sd = validate(ref, sd)
    if (labelled_sd <= 0).any():
        raise ValueError(
            f"sd is {labelled_sd.min():g} for a labelled performance, must be above 0 rating points"
        )
    return (labelled - labelled_mean) / labelled_sd, labelled_sd


def coverage_curve(
    ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike, levels: Iterable[float]
) -> FloatArray:
    """Observed coverage of the central normal intervals of given levels.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0
    levels : (K,) 0..1, nominal coverage of each interval

    Returns
    -------
    (K,) 0..1, equal to `levels` where the sd is calibrated; NaN without a label
    """
    from scipy import stats

    levels = np.asarray(list(levels), dtype=float)
    for level in levels:
        validate_level(level)
    z, _ = _standardised(ref, mean, sd)
    if len(z) == 0:
        return np.full(len(levels), math.nan)
    # Level of the narrowest central interval that contains each rating.
    needed = 2.0 * stats.norm.cdf(np.abs(z)) - 1.0
    return np.mean(needed[None, :] <= levels[:, None], axis=1)


def calibration_error(
    ref: npt.ArrayLike,
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    levels: Iterable[float] = tuple(np.arange(1, 20) / 20),
) -> float:
    """Expected calibration error: mean absolute difference of observed and nominal coverage.

    After Kuleshov, Fenner & Ermon (ICML 2018), on central intervals, with absolute instead of
    squared differences, so that it is a share. Not sensitive: an sd that is wrong by a factor of two
    has an error of only about 0.2.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0
    levels : (K,) 0..1

    Returns
    -------
    0..1; NaN without a label
    """
    levels = np.asarray(list(levels), dtype=float)
    return float(np.mean(np.abs(coverage_curve(ref, mean, sd, levels) - levels)))


def gaussian_nll(ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> float:
    """Mean negative log-likelihood of the ratings under normal predictions: smaller is better.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0

    Returns
    -------
    nats per rating; NaN without a label
    """
    z, labelled_sd = _standardised(ref, mean, sd)
    if len(z) == 0:
        return math.nan
    return float(np.mean(0.5 * z**2 + np.log(labelled_sd) + 0.5 * math.log(2.0 * math.pi)))


def evaluate(
    ref: npt.ArrayLike,
    est: npt.ArrayLike,
    names: Sequence[str],
    *,
    groups: npt.ArrayLike | None = None,
    constant: npt.ArrayLike | None = None,
    min_gap: float = 0.0,
) -> dict[str, dict[str, float]]:
    """Every point metric of every dimension.

    Parameters
    ----------
    ref : (N, D) rating 0..100, NaN where missing
    est : (N, D) rating
    names : (D,) dimension names
    groups : (N,) passage of each performance
        Adds `pair_accuracy_within`, over pairs of one passage.
    constant : (D,) or (N, D) rating
        The constant estimate; adds `mae_skill`.
    min_gap : rating points
        For the pair accuracies.

    Returns
    -------
    name -> metric -> value, in the order of `names`
        `n` is the number of labels; a dimension without labels has NaN elsewhere.
    """
    ref, est = np.asarray(ref, dtype=float), np.asarray(est, dtype=float)
    if ref.ndim != 2 or ref.shape[1] != len(names):
        raise ValueError(f"ref has shape {ref.shape}, must be (performances, {len(names)} named dimensions)")
    if est.shape != ref.shape:
        raise ValueError(f"est has shape {est.shape}, ref has {ref.shape}")
    if len(set(names)) != len(names):
        raise ValueError("names repeat")
    validate_ratings(ref)
    base = None if constant is None else np.broadcast_to(np.asarray(constant, dtype=float), ref.shape)
    scores: dict[str, dict[str, float]] = {}
    for d, name in enumerate(names):
        r, e = ref[:, d], est[:, d]
        try:
            row = {"n": float(np.count_nonzero(~np.isnan(r)))}
            row |= {metric.__name__: metric(r, e) for metric in (pearson_r, spearman_rho, r2, mae, rmse)}
            if base is not None:
                row["mae_skill"] = mae_skill(r, e, base[:, d])
            row["pair_accuracy"] = pair_accuracy(r, e, min_gap=min_gap)
            if groups is not None:
                row["pair_accuracy_within"] = pair_accuracy(r, e, groups, min_gap)
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}") from problem
        scores[name] = row
    return scores


def mean_scores(
    scores: Mapping[str, Mapping[str, float]], names: Iterable[str] | None = None
) -> dict[str, float]:
    """Mean of each metric over dimensions that have labels; `n` is the number of those dimensions.

    Parameters
    ----------
    scores : as returned by `evaluate`
    names
        The dimensions to average; all by default.

    Returns
    -------
    metric -> mean
        NaN if the metric is undefined for a dimension that has labels.
    """
    rows = [scores[name] for name in (scores if names is None else names)]
    rows = [row for row in rows if row["n"] > 0]
    if not rows:
        raise ValueError("no dimension has a label: there is nothing to average")
    return {"n": float(len(rows))} | {
        metric: float(np.mean([row[metric] for row in rows])) for metric in rows[0] if metric != "n"
    }
