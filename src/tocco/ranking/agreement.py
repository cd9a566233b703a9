"""How far jurors agree with each other, and a rating with the jurors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.metrics import spearman_rho
from tocco.units import FloatArray

LEAST_PERFORMANCES = 5
"""With fewer a rank correlation says nothing: by chance alone it is above 0.8 once in ten times."""


@dataclass(frozen=True)
class JurorCorrelation:
    """Rank correlations of jurors with the mean order of the others.

    Attributes
    ----------
    between_jurors : mean over jurors of the correlation of one with the others
    of_ratings : mean over jurors of the correlation of the ratings with the same others; None without ratings
    n_jurors : that could be compared
    n_performances : the fewest that one of these correlations rests on
    """

    between_jurors: float
    of_ratings: float | None
    n_jurors: int
    n_performances: int


def kendall_w(mark: FloatArray) -> float | None:
    """Kendall's coefficient of concordance, corrected for ties: 0 by chance, 1 where all put one order.

    Kendall and Babington Smith, *The problem of m rankings*, Annals of Mathematical Statistics 10, 1939.

    Parameters
    ----------
    mark : (J, N) no NaN

    Returns
    -------
    None with fewer than two jurors or three performances, or where every juror gives equal marks to all.
    """
    from scipy.stats import rankdata

    n_jurors, n = mark.shape
    if n_jurors < 2 or n < 3:
        return None
    rank = np.stack([rankdata(row) for row in mark])
    ties = sum(
        float((count**3 - count).sum())
        for row in rank
        for count in [np.unique(row, return_counts=True)[1].astype(float)]
    )
    most = n_jurors**2 * (n**3 - n) - n_jurors * ties
    sums = rank.sum(axis=0)
    return None if most <= 0.0 else float(12.0 * ((sums - sums.mean()) ** 2).sum() / most)


def juror_correlation(mark: FloatArray, rating: FloatArray) -> JurorCorrelation | None:
    """One juror against the mean order of the others, and the ratings against the same others.

    Where enough of the performances are rated, both are compared on these alone.

    Parameters
    ----------
    mark : (J, N) NaN where a juror gave none
    rating : (N,) NaN where there is none

    Returns
    -------
    None where no juror shares `LEAST_PERFORMANCES` with others, or all of these marks are alike.
    """
    is_rated = ~np.isnan(rating)
    if is_rated.sum() >= LEAST_PERFORMANCES and (found := _compared(mark[:, is_rated], rating[is_rated])):
        return found
    return _compared(mark, None)


def _compared(mark: FloatArray, rating: FloatArray | None) -> JurorCorrelation | None:
    between, of_ratings, counts = list[float](), list[float](), list[int]()
    for juror in range(len(mark)):
        others = _mean_order(np.delete(mark, juror, axis=0))
        shared = ~np.isnan(mark[juror]) & ~np.isnan(others)
        columns = [others[shared], mark[juror][shared]] + ([] if rating is None else [rating[shared]])
        if shared.sum() < LEAST_PERFORMANCES or any(np.ptp(column) == 0.0 for column in columns):
            continue
        between.append(spearman_rho(columns[0], columns[1]))
        of_ratings += [] if rating is None else [spearman_rho(columns[0], columns[2])]
        counts.append(int(shared.sum()))
    if not counts:
        return None
    return JurorCorrelation(
        between_jurors=float(np.mean(between)),
        of_ratings=float(np.mean(of_ratings)) if of_ratings else None,
        n_jurors=len(counts),
        n_performances=min(counts),
    )


def chance_bound(n: int) -> float:
    """Rank correlation that one in ten unrelated orders of n performances exceeds upwards or downwards.

    Normal approximation: 1.645 / sqrt(n - 1).
    """
    return min(1.645 / np.sqrt(n - 1.0), 1.0)


def _mean_order(mark: FloatArray) -> FloatArray:
    """(N,) mean over jurors of a performance's place among those a juror marked, 0 to 1; NaN for none."""
    from scipy.stats import rankdata

    place = np.full(mark.shape, np.nan)
    for k, row in enumerate(mark):
        given = ~np.isnan(row)
        if given.sum() > 1:
            place[k, given] = (rankdata(row[given]) - 1.0) / (given.sum() - 1.0)
    known = ~np.isnan(place)
    total = np.where(known, place, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)
