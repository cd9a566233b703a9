"""Checks of what metrics are given: shapes, missing values, the rating scale."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.units import FloatArray, IntArray

RATING_RANGE = (0.0, 100.0)


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


def validate_some(ref: npt.ArrayLike, est: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """`validate`, of which at least one pair must be left.

    Raises
    ------
    MetricUndefined
        There is no label.
    """
    labelled, estimated = validate(ref, est)
    if len(labelled) == 0:
        raise MetricUndefined(Reason.NO_LABEL)
    return labelled, estimated


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


def validate_table(ref: npt.ArrayLike, est: npt.ArrayLike, columns: int) -> tuple[FloatArray, FloatArray]:
    """Tables of ratings, one column a dimension.

    Parameters
    ----------
    ref, est : (N, D) rating
    columns : D

    Raises
    ------
    ValueError
        The shapes differ, or `ref` are no ratings.
    """
    ref, est = np.asarray(ref, dtype=float), np.asarray(est, dtype=float)
    if ref.ndim != 2 or ref.shape[1] != columns:
        raise ValueError(f"ref has shape {ref.shape}, must be (performances, {columns} named dimensions)")
    if est.shape != ref.shape:
        raise ValueError(f"est has shape {est.shape}, ref has {ref.shape}")
    validate_ratings(ref)
    return ref, est


def validate_level(level: float) -> None:
    """Refuse a coverage that is not a fraction, such as 90 for 90 %."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}, must lie between 0 and 1 (0.9 for 90 %)")


def validate_levels(levels: Iterable[float]) -> FloatArray:
    """Levels as an array, each of them checked by `validate_level`."""
    found = np.asarray(list(levels), dtype=float)
    for level in found:
        validate_level(level)
    return found


def validate_intervals(
    ref: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Labels and the ends of their intervals, where there is a label; at least one."""
    labelled, labelled_low = validate_some(ref, low)
    _, labelled_high = validate(ref, high)
    if (labelled_low > labelled_high).any():
        raise ValueError("low exceeds high: intervals are given as (low, high)")
    return labelled, labelled_low, labelled_high


def validate_sd(sd: npt.ArrayLike) -> FloatArray:
    """Predicted standard deviations: finite and above 0.

    Parameters
    ----------
    sd : (N,) rating points
    """
    sd = np.asarray(sd, dtype=float)
    if sd.ndim != 1:
        raise ValueError(f"sd must be flat, one a performance, not of shape {sd.shape}")
    if not np.isfinite(sd).all() or (sd <= 0).any():
        wrong = sd[~np.isfinite(sd) | (sd <= 0)][0]
        raise ValueError(f"sd is {wrong:g} for a labelled performance, must be above 0 rating points")
    return sd


def standardised(ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Errors in units of the predicted sd, and the sd, where there is a label; at least one.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0 where `ref` has a label

    Returns
    -------
    z : (M,) (ref - mean) / sd
    sd : (M,) rating points
    """
    labelled, labelled_mean = validate_some(ref, mean)
    _, labelled_sd = validate(ref, sd)
    validate_sd(labelled_sd)
    return (labelled - labelled_mean) / labelled_sd, labelled_sd


def codes(labels: npt.ArrayLike | None, ref: FloatArray, what: str) -> IntArray:
    """Labels numbered 0.. in sorted order; all 0 without labels."""
    if labels is None:
        return np.zeros(ref.shape, dtype=int)
    labels = np.asarray(labels)
    if labels.shape != ref.shape:
        raise ValueError(f"{what} have shape {labels.shape}, ref has {ref.shape}")
    return np.unique(labels, return_inverse=True)[1]


def is_constant(values: FloatArray) -> bool:
    """Whether all values are equal up to rounding."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))
