"""How far raters agree: intraclass correlations over mean squares, and Krippendorff's alpha.

ICC(1,1) is the reliability of one rating by whichever rater; ICC(2,k) that of the mean of these k raters,
whose severity counts as error. Shrout and Fleiss, Psychological Bulletin 86, 1979; intervals: McGraw and
Wong, Psychological Methods 1, 1996.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from tocco.units import FloatArray

LEVEL: Final = 0.95
FEWEST_SEGMENTS: Final = 5
"""Fewer segments than this that all raters rated give no intraclass correlation."""

MOST_SUBSETS: Final = 12
"""Up to so many raters, every subset of them is tried for the largest block without gaps."""


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval; NaN where there is too little for it."""

    value: float
    low: float
    high: float


NOTHING: Final = Figure(float("nan"), float("nan"), float("nan"))


def complete_block(matrix: FloatArray) -> FloatArray:
    """Segments that all of some raters rated: the block with most ratings, two raters or more.

    Blocks of fewer segments than an intraclass correlation needs come last.

    Parameters
    ----------
    matrix : (S, K) NaN where there is no rating

    Returns
    -------
    (n, k) without NaN; (0, 0) where no two raters share a segment
    """
    is_rated = np.isfinite(matrix)
    n_raters = matrix.shape[1]
    if n_raters <= MOST_SUBSETS:
        subsets = [list(c) for k in range(2, n_raters + 1) for c in combinations(range(n_raters), k)]
    else:
        by_number = np.argsort(-is_rated.sum(axis=0), kind="stable").tolist()
        subsets = [by_number[:k] for k in range(2, n_raters + 1)]
    best, size = np.zeros((0, 0)), (False, 0)
    for subset in subsets:
        rows = is_rated[:, subset].all(axis=1)
        n = int(rows.sum())
        if n and (n >= FEWEST_SEGMENTS, n * len(subset)) > size:
            best, size = matrix[rows][:, subset], (n >= FEWEST_SEGMENTS, n * len(subset))
    return best


def _mean_squares(block: FloatArray) -> tuple[float, float, float, float]:
    """Between segments, within segments, between raters, residual."""
    n, k = block.shape
    of_segment, of_rater, whole = block.mean(axis=1), block.mean(axis=0), block.mean()
    between = k * np.square(of_segment - whole).sum() / (n - 1)
    within = np.square(block - of_segment[:, None]).sum() / (n * (k - 1))
    raters = n * np.square(of_rater - whole).sum() / (k - 1)
    residual = np.square(block - of_segment[:, None] - of_rater + whole).sum() / ((n - 1) * (k - 1))
    return float(between), float(within), float(raters), float(residual)


def icc_1_1(block: FloatArray) -> Figure:
    """Reliability of a single rating, one-way random effects.

    Parameters
    ----------
    block : (n, k) segments by raters, without NaN
    """
    n, k = block.shape
    if n < FEWEST_SEGMENTS or k < 2:
        return NOTHING
    from scipy.stats import f

    between, within, _, _ = _mean_squares(block)
    if within == 0.0:
        return Figure(1.0, 1.0, 1.0) if between > 0.0 else NOTHING
    ratio, tail = between / within, 1.0 - (1.0 - LEVEL) / 2.0
    low = ratio / f.ppf(tail, n - 1, n * (k - 1))
    high = ratio * f.ppf(tail, n * (k - 1), n - 1)
    return Figure(*(float((x - 1.0) / (x + k - 1.0)) for x in (ratio, low, high)))


def icc_2_k(block: FloatArray) -> Figure:
    """Reliability of the mean of the raters, two-way random effects, absolute agreement.

    Parameters
    ----------
    block : (n, k) segments by raters, without NaN
    """
    n, k = block.shape
    if n < FEWEST_SEGMENTS or k < 2:
        return NOTHING
    from scipy.stats import f

    between, _, raters, residual = _mean_squares(block)
    if residual == 0.0 and raters == 0.0:
        return Figure(1.0, 1.0, 1.0) if between > 0.0 else NOTHING
    single = (between - residual) / (between + (k - 1) * residual + k * (raters - residual) / n)
    mean = (between - residual) / (between + (raters - residual) / n)
    if residual == 0.0:
        return Figure(float(mean), float("nan"), float("nan"))
    # Degrees of freedom of the combined error, by Satterthwaite (McGraw and Wong, table 7).
    a = k * single / (n * (1.0 - single))
    b = 1.0 + k * single * (n - 1) / (n * (1.0 - single))
    freedom = (a * raters + b * residual) ** 2 / (
        (a * raters) ** 2 / (k - 1) + (b * residual) ** 2 / ((n - 1) * (k - 1))
    )
    tail = 1.0 - (1.0 - LEVEL) / 2.0
    f_low, f_high = f.ppf(tail, n - 1, freedom), f.ppf(tail, freedom, n - 1)
    error = k * raters + (n * k - k - n) * residual
    low = n * (between - f_low * residual) / (f_low * error + n * between)
    high = n * (f_high * between - residual) / (error + n * f_high * between)
    return Figure(float(mean), *(float(k * x / (1.0 + (k - 1) * x)) for x in (low, high)))


def krippendorff_alpha(matrix: FloatArray, *, draws: int = 500, seed: int = 0) -> Figure:
    """Krippendorff's alpha for values on an interval scale, with any gaps.

    Krippendorff, Content Analysis, 2004, ch. 11: 1 - observed / expected disagreement, squared differences.
    The interval is of draws of segments with replacement.

    Parameters
    ----------
    matrix : (S, K) NaN where there is no rating
    draws, seed : of the interval
    """
    is_rated = np.isfinite(matrix)
    several = is_rated.sum(axis=1) >= 2
    rated, value = is_rated[several], np.where(is_rated, matrix, 0.0)[several]
    if several.sum() < 2:
        return NOTHING
    m = rated.sum(axis=1).astype(float)
    centred = np.where(rated, value - value.sum() / m.sum(), 0.0)  # smaller squares, less rounding
    total, squares = centred.sum(axis=1), np.square(centred).sum(axis=1)

    def alpha(rows: np.ndarray) -> float:
        n = m[rows].sum()
        observed = ((m[rows] * squares[rows] - total[rows] ** 2) / (m[rows] - 1.0)).sum() / n
        expected = (n * squares[rows].sum() - total[rows].sum() ** 2) / (n * (n - 1.0))
        return float(1.0 - observed / expected) if expected > 0.0 else float("nan")

    whole = alpha(np.arange(len(m)))
    if np.isnan(whole):
        return NOTHING
    rng = np.random.default_rng(seed)
    drawn = np.array([alpha(rng.integers(len(m), size=len(m))) for _ in range(draws)])
    low, high = np.quantile(drawn[np.isfinite(drawn)], [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Figure(whole, float(low), float(high))
