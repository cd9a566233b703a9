"""Prediction intervals: how many labels they contain, how wide they are, and both in one figure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tocco.metrics.validation import validate_intervals, validate_level, validate_sd
from tocco.units import FloatArray

INTERVAL_LEVELS = (0.5, 0.8, 0.9)
"""Nominal coverages that are reported."""


def normal_interval(
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    level: float = 0.9,
    bounds: tuple[float, float] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Central interval of a normal prediction.

    Parameters
    ----------
    mean : (N,) rating
    sd : (N,) rating points, > 0
    level : 0..1
    bounds : rating, or None
        Ends are moved into these: no rating lies outside 0 to 100.

    Returns
    -------
    low, high : (N,) rating
    """
    from scipy.special import ndtri

    validate_level(level)
    mean, sd = np.asarray(mean, dtype=float), validate_sd(sd)
    half = ndtri((1.0 + level) / 2.0) * sd
    low, high = mean - half, mean + half
    return (low, high) if bounds is None else (np.clip(low, *bounds), np.clip(high, *bounds))


def coverage(ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Share of ratings that lie within their interval, ends included.

    Parameters
    ----------
    ref, low, high : (N,) rating, low <= high

    Returns
    -------
    0..1

    Raises
    ------
    MetricUndefined
        No label.
    """
    ref, low, high = validate_intervals(ref, low, high)
    return float(np.mean((low <= ref) & (ref <= high)))


def interval_width(ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Mean width of the intervals of labelled performances.

    Parameters
    ----------
    ref, low, high : (N,) rating, low <= high

    Returns
    -------
    rating points, >= 0

    Raises
    ------
    MetricUndefined
        No label.
    """
    _, low, high = validate_intervals(ref, low, high)
    return float(np.mean(high - low))


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
    rating points, >= 0

    Raises
    ------
    MetricUndefined
        No label.
    """
    validate_level(level)
    ref, low, high = validate_intervals(ref, low, high)
    outside = np.maximum(low - ref, 0.0) + np.maximum(ref - high, 0.0)
    return float(np.mean(high - low + 2.0 / (1.0 - level) * outside))
