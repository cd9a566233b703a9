"""Range accuracy: the share of estimates within the range of the raters.

A performance with one rater has no range and is ignored; so is one without raters. Wide ranges are easy
to hit: where raters disagree, a constant estimate lies within their range too. Report it beside
`range_accuracy_of_raters`, what one rater reaches against the others, and beside a constant estimate.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.units import FloatArray

RANGE_MARGINS = (0.0, 5.0, 10.0)
"""Rating points by which the range is usually widened."""


def rater_table(items: npt.ArrayLike, item: npt.ArrayLike, rating: npt.ArrayLike) -> FloatArray:
    """One row a performance, from one row a rating.

    Parameters
    ----------
    items : (N,) any label, unique: the performances, in the order of the rows
    item : (K,) any label, the performance of each rating; others than `items` are left out
    rating : (K,) rating

    Returns
    -------
    (N, R) rating, NaN where a performance has fewer than R raters; R >= 1

    Examples
    --------
    >>> rater_table(["a", "b"], ["b", "a", "b"], [10.0, 20.0, 30.0])
    array([[20., nan],
           [10., 30.]])
    """
    item, rating = np.asarray(item), np.asarray(rating, dtype=float)
    if item.shape != rating.shape or item.ndim != 1:
        raise ValueError(f"item has shape {item.shape}, rating has {rating.shape}: one entry a rating")
    of_item: dict[object, list[float]] = {name: [] for name in np.asarray(items).tolist()}
    if len(of_item) != np.asarray(items).size:
        raise ValueError("items repeat")
    for name, value in zip(item.tolist(), rating.tolist(), strict=True):
        if name in of_item and not math.isnan(value):
            of_item[name].append(value)
    table = np.full((len(of_item), max(1, *(len(v) for v in of_item.values()), 1)), math.nan)
    for row, values in zip(table, of_item.values(), strict=True):
        row[: len(values)] = values
    return table


def _with_range(ratings: npt.ArrayLike, est: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Performances of two raters or more."""
    ratings, est = np.asarray(ratings, dtype=float), np.asarray(est, dtype=float)
    if ratings.ndim != 2:
        raise ValueError(f"ratings have shape {ratings.shape}, must be (performances, raters)")
    if est.shape != ratings.shape[:1]:
        raise ValueError(f"est has shape {est.shape}, must be {ratings.shape[:1]}")
    if np.isinf(ratings).any():
        raise ValueError("ratings are infinite")
    raters = np.count_nonzero(~np.isnan(ratings), axis=1)
    bad = (raters > 0) & ~np.isfinite(est)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(f"est is {est[first]} at index {first}, which has {raters[first]} raters")
    if not raters.any():
        raise MetricUndefined(Reason.NO_LABEL)
    if (raters < 2).all():
        raise MetricUndefined(Reason.ONE_RATER)
    return ratings[raters > 1], est[raters > 1]


def range_accuracy(ratings: npt.ArrayLike, est: npt.ArrayLike, alpha: float = 0.0) -> float:
    """Share of estimates inside the raters' interquartile range, widened by `alpha` at both ends.

    Ends count as inside. Quartiles are interpolated linearly between order statistics.

    Parameters
    ----------
    ratings : (N, R) rating, NaN where missing; one column a rater, in any order within a row
    est : (N,) rating
    alpha : rating points, >= 0

    Returns
    -------
    0..1

    Raises
    ------
    MetricUndefined
        No rating, or no performance has two raters.

    Examples
    --------
    >>> range_accuracy([[40, 50, 60], [40, 50, 60]], [56, 54]), range_accuracy([[40, 60]], [30], alpha=15)
    (0.5, 1.0)
    """
    _validate_margin(alpha)
    ratings, est = _with_range(ratings, est)
    low, high = np.nanquantile(ratings, [0.25, 0.75], axis=1)
    return float(np.mean((low - alpha <= est) & (est <= high + alpha)))


def sd_range_accuracy(ratings: npt.ArrayLike, est: npt.ArrayLike, k: float = 1.0) -> float:
    """Share of estimates within `k` standard deviations of the mean of the raters (ends included).

    The form in units of the raters' spread, for labels that are published as mean and sd, as those of
    PercePiano are. The sd is that of the population (divided by R), as they publish it.

    Parameters
    ----------
    ratings : (N, R) rating, NaN where missing
    est : (N,) rating
    k : > 0

    Returns
    -------
    0..1

    Raises
    ------
    MetricUndefined
        No rating, or no performance has two raters.
    """
    if not k > 0:
        raise ValueError(f"k is {k}, must be above 0 standard deviations")
    ratings, est = _with_range(ratings, est)
    distance = np.abs(est - np.nanmean(ratings, axis=1))
    return float(np.mean(distance <= k * np.nanstd(ratings, axis=1)))


def range_accuracy_of_raters(ratings: npt.ArrayLike, alpha: float = 0.0) -> float:
    """What raters reach: each against the range of the others, all ratings with equal weight.

    Parameters
    ----------
    ratings : (N, R) rating, NaN where missing
    alpha : rating points, >= 0

    Returns
    -------
    0..1

    Raises
    ------
    MetricUndefined
        No performance has three raters, so that two others have a range.
    """
    _validate_margin(alpha)
    ratings = np.asarray(ratings, dtype=float)
    inside = count = 0
    for row in ratings:
        known = row[~np.isnan(row)]
        if len(known) < 3:
            continue
        others = np.stack([np.delete(known, i) for i in range(len(known))])
        low, high = np.quantile(others, [0.25, 0.75], axis=1)
        inside += int(np.count_nonzero((low - alpha <= known) & (known <= high + alpha)))
        count += len(known)
    if count == 0:
        raise MetricUndefined(Reason.FEW_RATERS)
    return inside / count


def _validate_margin(alpha: float) -> None:
    if not alpha >= 0:
        raise ValueError(f"alpha is {alpha}, must be 0 or more rating points")
