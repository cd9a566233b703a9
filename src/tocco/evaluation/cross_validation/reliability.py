"""Inter-rater reliability, the upper limit of agreement with mean ratings.

The model is the one-way random-effects analysis of variance with unequal numbers of raters, each
rating = item + rater and residual: ICC(1,1) and ICC(1,k) of Shrout & Fleiss, Psychological
Bulletin 86, 1979. A rater's leniency counts as noise, because a plain mean over different raters
includes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.units import FloatArray, IntArray


@dataclass(frozen=True)
class RaterReliability:
    """Reliability of the ratings of one dimension.

    Attributes
    ----------
    mean_reliability : 0..1, ICC(1,k) averaged over items
        Share of the variance of the mean rating that other raters would reproduce: the highest expected
        R2 against such means. Its root is the highest expected r.
    single_reliability : 0..1, ICC(1,1), of one rater's rating
    item_variance, residual_variance
        Squared units of the ratings; `item_variance` is 0 where raters agree no better than chance.
    n_items, n_ratings
    raters_per_item : mean
    """

    mean_reliability: float
    single_reliability: float
    item_variance: float
    residual_variance: float
    n_items: int
    n_ratings: int
    raters_per_item: float


def _average_repeats(item: IntArray, rater: IntArray, rating: FloatArray) -> tuple[IntArray, FloatArray]:
    """Average a rater's repeated ratings of an item, which are not independent."""
    pair = item.astype(np.int64) * (int(rater.max()) + 1) + rater
    _, first, code = np.unique(pair, return_index=True, return_inverse=True)
    mean = np.bincount(code, weights=rating) / np.bincount(code)
    return item[first], mean


def rater_reliability(
    item: npt.ArrayLike,
    rater: npt.ArrayLike,
    rating: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
) -> RaterReliability:
    """Reliability of one dimension's ratings, from one row per rating.

    Parameters
    ----------
    item : (K,) any label, the performance
    rater : (K,) any label
    rating : (K,) any scale
    groups : (K,) any label, the same for all ratings of an item; or None
        Only differences within groups count: with passages as groups, how reliably performances of
        the same music are distinguished.

    Returns
    -------
    RaterReliability

    Raises
    ------
    ValueError
        Columns of different length, a rating that is not finite, an item in two groups, or too
        little data: at least two items in a group, and an item with two raters.

    Notes
    -----
    With k_i raters of item i, N_g ratings and I_g items in group g, the mean squares between items
    within groups has expectation residual + n0 * item, where
    n0 = sum_g (N_g - sum_i k_i^2 / N_g) / sum_g (I_g - 1).

    Examples
    --------
    >>> rater_reliability([0, 0, 1, 1], [0, 1, 0, 1], [2, 4, 6, 8]).single_reliability
    0.7777777777777778
    """
    item, rater, rating = np.asarray(item), np.asarray(rater), np.asarray(rating, dtype=float)
    if not (item.shape == rater.shape == rating.shape) or rating.ndim != 1:
        raise ValueError(
            f"item {item.shape}, rater {rater.shape} and rating {rating.shape} must be flat and of one length"
        )
    if len(rating) == 0 or not np.isfinite(rating).all():
        raise ValueError("ratings are missing, NaN or infinite: leave such rows out")
    _, item_code = np.unique(item, return_inverse=True)
    group_of = _group_of_item(item_code, groups)
    vote_item, vote = _average_repeats(item_code, np.unique(rater, return_inverse=True)[1], rating)
    k = np.bincount(vote_item)
    mean = np.bincount(vote_item, weights=vote) / k
    n_votes, n_items = len(vote), len(k)
    per_group = np.bincount(group_of, weights=k)
    df_between, df_within = n_items - len(per_group), n_votes - n_items
    if df_between < 1 or df_within < 1:
        raise ValueError("too few ratings: two items in a group and an item with two raters are the least")
    group_mean = np.bincount(group_of, weights=k * mean) / per_group
    ms_between = float(np.sum(k * (mean - group_mean[group_of]) ** 2)) / df_between
    residual = float(np.sum((vote - mean[vote_item]) ** 2)) / df_within
    n0 = (n_votes - float(np.sum(np.bincount(group_of, weights=k**2) / per_group))) / df_between
    between = max(0.0, (ms_between - residual) / n0)
    if between + residual == 0:
        raise ValueError("all ratings are equal: reliability is undefined")
    return RaterReliability(
        mean_reliability=float(np.mean(between / (between + residual / k))),
        single_reliability=between / (between + residual),
        item_variance=between,
        residual_variance=residual,
        n_items=n_items,
        n_ratings=n_votes,
        raters_per_item=float(k.mean()),
    )


def _group_of_item(item: IntArray, groups: npt.ArrayLike | None) -> IntArray:
    """(I,) number of the group of each item."""
    n_items = int(item.max()) + 1
    if groups is None:
        return np.zeros(n_items, dtype=int)
    groups = np.asarray(groups)
    if groups.shape != item.shape:
        raise ValueError(f"groups have shape {groups.shape}, ratings {item.shape}")
    _, code = np.unique(groups, return_inverse=True)
    group_of = np.zeros(n_items, dtype=int)
    group_of[item] = code
    if (group_of[item] != code).any():
        raise ValueError("an item is in more than one group")
    return group_of


def reliability_of_means(label: FloatArray, label_sd: FloatArray, n_raters: FloatArray) -> FloatArray:
    """Reliability of mean ratings from the standard deviation and the number of raters.

    The mean of n raters with standard deviation s has the error variance s^2 / n; the remaining variance
    of the means is common to raters (classical test theory: Lord & Novick 1968).

    Parameters
    ----------
    label, label_sd : (N, D) rating points; NaN where missing
    n_raters : (N,) NaN where unknown

    Returns
    -------
    (D,) 0..1
        NaN for a dimension with fewer than two labels whose error is known.

    Examples
    --------
    >>> reliability_of_means(np.array([[40.0], [60.0]]), np.array([[10.0], [10.0]]), np.array([2.0, 2.0]))
    array([0.75])
    """
    label, label_sd = np.asarray(label, dtype=float), np.asarray(label_sd, dtype=float)
    error = label_sd**2 / np.asarray(n_raters, dtype=float)[:, None]
    reliability = np.full(label.shape[1], np.nan)
    for d in range(label.shape[1]):
        known = np.isfinite(label[:, d]) & np.isfinite(error[:, d])
        if known.sum() >= 2 and (variance := label[known, d].var(ddof=1)) > 0:
            reliability[d] = np.clip(1.0 - error[known, d].mean() / variance, 0.0, 1.0)
    return reliability
