"""Order of pairs of performances: over all of them, or within a passage, a work, any group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.metrics.validation import codes, validate
from tocco.units import FloatArray

_PAIR_CHUNK = 1024
"""Rows of the pair matrix in memory at a time: 8 MB for every thousand performances."""


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
    0..1; 0.5 is chance

    Raises
    ------
    MetricUndefined
        No pair of ratings that differ by more than `min_gap`.

    Examples
    --------
    >>> pair_accuracy([10, 20, 30], [1, 3, 2])
    0.6666666666666666
    """
    won, comparable = pair_counts(ref, est, groups=groups, min_gap=min_gap)
    if not comparable.sum():
        raise MetricUndefined(Reason.NO_PAIR)
    return float(won.sum() / comparable.sum())


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
    cluster = codes(clusters, ref_all, "clusters")
    n_clusters = int(cluster.max(initial=0)) + 1
    cluster = cluster[~np.isnan(ref_all)]
    group = codes(groups, ref_all, "groups")[~np.isnan(ref_all)]
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
