"""Calibration of normal predictions: whether events happen as often as predicted.

A calibration error is never 0, even for a perfect model: with few labels it is large by chance alone.
`tocco.metrics.perfect_model` says how large.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.metrics.validation import standardised, validate_levels
from tocco.units import FloatArray

CALIBRATION_LEVELS = tuple((np.arange(1, 20) / 20).tolist())
"""0.05 to 0.95: where curves and errors of calibration are taken."""

ENCE_BINS = 10


def coverage_curve(
    ref: npt.ArrayLike,
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    levels: Iterable[float] = CALIBRATION_LEVELS,
) -> FloatArray:
    """Observed coverage of the central normal intervals of given levels.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0
    levels : (K,) 0..1, nominal coverage of each interval

    Returns
    -------
    (K,) 0..1, equal to `levels` where the sd is calibrated

    Raises
    ------
    MetricUndefined
        No label.
    """
    from scipy.special import ndtr

    levels = validate_levels(levels)
    z, _ = standardised(ref, mean, sd)
    # Level of the narrowest central interval that contains each rating.
    return _share_up_to(2.0 * ndtr(np.abs(z)) - 1.0, levels)


def quantile_curve(
    ref: npt.ArrayLike,
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    levels: Iterable[float] = CALIBRATION_LEVELS,
) -> FloatArray:
    """Share of ratings at or below the predicted quantiles of given levels.

    Unlike `coverage_curve` it also shows a bias: too low a mean lies below the diagonal.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0
    levels : (K,) 0..1

    Returns
    -------
    (K,) 0..1, equal to `levels` where the distribution is calibrated

    Raises
    ------
    MetricUndefined
        No label.
    """
    from scipy.special import ndtr

    levels = validate_levels(levels)
    z, _ = standardised(ref, mean, sd)
    return _share_up_to(ndtr(z), levels)


def _share_up_to(values: FloatArray, levels: FloatArray) -> FloatArray:
    return np.searchsorted(np.sort(values), levels, side="right") / len(values)


def calibration_error(
    ref: npt.ArrayLike,
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    levels: Iterable[float] = CALIBRATION_LEVELS,
) -> float:
    """Expected calibration error of central intervals: mean |observed - nominal coverage|.

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
    0..1; compare with `calibration_error_null`

    Raises
    ------
    MetricUndefined
        No label.
    """
    levels = validate_levels(levels)
    return float(np.mean(np.abs(coverage_curve(ref, mean, sd, levels) - levels)))


def quantile_calibration_error(
    ref: npt.ArrayLike,
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    levels: Iterable[float] = CALIBRATION_LEVELS,
) -> float:
    """Expected calibration error of quantiles: mean |observed - nominal share below|.

    Kuleshov, Fenner & Ermon (ICML 2018), with absolute instead of squared differences.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0
    levels : (K,) 0..1

    Returns
    -------
    0..1; compare with `calibration_error_null`

    Raises
    ------
    MetricUndefined
        No label.
    """
    levels = validate_levels(levels)
    return float(np.mean(np.abs(quantile_curve(ref, mean, sd, levels) - levels)))


def mean_squared_z(ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> float:
    """Mean squared error in units of the predicted sd; its root is the factor that the sds lack.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0

    Returns
    -------
    >= 0; 1 for calibrated sds, above 1 where they are too small

    Raises
    ------
    MetricUndefined
        No label.
    """
    z, _ = standardised(ref, mean, sd)
    return float(np.mean(z**2))


def ence(ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike, bins: int = ENCE_BINS) -> float:
    """Expected normalised calibration error: whether a larger predicted sd means larger errors.

    Labels are sorted by predicted sd into bins of equal number; mean over bins of
    |RMV - RMSE| / RMV, RMV being the root mean predicted variance (Levi, Gispan, Giladi & Fetaya,
    Sensors 22, 2022).

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0
    bins : >= 1

    Returns
    -------
    >= 0; compare with `ence_null`: bins of few labels alone make it large

    Raises
    ------
    MetricUndefined
        No label, or fewer labels than bins.
    """
    z, labelled_sd = standardised(ref, mean, sd)
    return float(ence_of(labelled_sd, (z * labelled_sd)[None], bins)[0])


def ence_of(sd: FloatArray, errors: FloatArray, bins: int) -> FloatArray:
    """(B,) ENCE of B sets of errors.

    Parameters
    ----------
    sd : (N,) rating points, > 0
    errors : (B, N) rating points
    bins : 1..N
    """
    if bins < 1:
        raise ValueError(f"bins is {bins}, must be at least 1")
    if len(sd) < bins:
        raise MetricUndefined(Reason.FEWER_LABELS_THAN_BINS)
    order = np.argsort(sd, kind="stable")
    starts = np.array([part[0] for part in np.array_split(np.arange(len(sd)), bins)])
    counts = np.diff(np.append(starts, len(sd)))
    predicted = np.sqrt(np.add.reduceat(sd[order] ** 2, starts) / counts)
    observed = np.sqrt(np.add.reduceat(errors[:, order] ** 2, starts, axis=1) / counts)
    return np.mean(np.abs(predicted - observed) / predicted, axis=1)
