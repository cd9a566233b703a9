"""All metrics of all dimensions at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from tocco.metrics.agreement import ccc, kendall_tau_b, pearson_r, r2, spearman_rho
from tocco.metrics.calibration import (
    calibration_error,
    ence,
    mean_squared_z,
    quantile_calibration_error,
)
from tocco.metrics.distributions import gaussian_crps, gaussian_nll, sd_spread, sharpness
from tocco.metrics.error import mae, mae_skill, rmse
from tocco.metrics.intervals import INTERVAL_LEVELS, coverage, interval_score, interval_width, normal_interval
from tocco.metrics.pairs import pair_accuracy
from tocco.metrics.perfect_model import NullDistribution, calibration_error_null, ence_null
from tocco.metrics.range_accuracy import RANGE_MARGINS, range_accuracy, sd_range_accuracy
from tocco.metrics.undefined import Score, Undefined, attempt
from tocco.metrics.validation import RATING_RANGE, validate_sd, validate_table
from tocco.units import FloatArray

POINT_METRICS = (pearson_r, spearman_rho, kendall_tau_b, ccc, r2, mae, rmse)
SD_RANGES = (1.0, 2.0)
"""Standard deviations of the raters in the k-sd form of range accuracy."""


def evaluate(
    ref: npt.ArrayLike,
    est: npt.ArrayLike,
    names: Sequence[str],
    *,
    groups: npt.ArrayLike | None = None,
    works: npt.ArrayLike | None = None,
    constant: npt.ArrayLike | None = None,
    ratings: npt.ArrayLike | None = None,
    min_gap: float = 0.0,
) -> dict[str, dict[str, Score]]:
    """Every point metric of every dimension.

    Parameters
    ----------
    ref : (N, D) rating 0..100, NaN where missing
    est : (N, D) rating
    names : (D,) dimension names
    groups : (N,) passage of each performance
        Adds `pair_accuracy_within`, over pairs of one passage.
    works : (N,) work of each performance
        Adds `pair_accuracy_within_work`.
    constant : (D,) or (N, D) rating
        The constant estimate; adds `mae_skill`.
    ratings : (N, D, R) rating of each rater, NaN where missing
        Adds `range_accuracy_0`, `_5`, `_10` and `range_accuracy_1sd`, `_2sd`.
    min_gap : rating points
        For the pair accuracies.

    Returns
    -------
    name -> metric -> figure or `Undefined`, in the order of `names`
        `n` is the number of labels, always a number.
    """
    if len(set(names)) != len(names):
        raise ValueError("names repeat")
    ref, est = validate_table(ref, est, len(names))
    base = None if constant is None else np.broadcast_to(np.asarray(constant, dtype=float), ref.shape)
    raters = None if ratings is None else _rater_ratings(ratings, ref.shape)
    scores: dict[str, dict[str, Score]] = {}
    for d, name in enumerate(names):
        r, e = ref[:, d], est[:, d]
        try:
            row: dict[str, Score] = {"n": float(np.count_nonzero(~np.isnan(r)))}
            row |= {metric.__name__: attempt(metric, r, e) for metric in POINT_METRICS}
            if base is not None:
                row["mae_skill"] = attempt(mae_skill, r, e, base[:, d])
            row["pair_accuracy"] = attempt(pair_accuracy, r, e, min_gap=min_gap)
            if groups is not None:
                row["pair_accuracy_within"] = attempt(pair_accuracy, r, e, groups, min_gap)
            if works is not None:
                row["pair_accuracy_within_work"] = attempt(pair_accuracy, r, e, works, min_gap)
            if raters is not None:
                row |= range_scores(raters[:, d], e)
        except ValueError as problem:
            raise ValueError(f"{name}: {problem}") from problem
        scores[name] = row
    return scores


def range_scores(ratings: npt.ArrayLike, est: npt.ArrayLike) -> dict[str, Score]:
    """Range accuracies of one dimension at every margin.

    Parameters
    ----------
    ratings : (N, R) rating, NaN where missing
    est : (N,) rating
    """
    found = {
        f"range_accuracy_{alpha:g}": attempt(range_accuracy, ratings, est, alpha) for alpha in RANGE_MARGINS
    }
    return found | {f"range_accuracy_{k:g}sd": attempt(sd_range_accuracy, ratings, est, k) for k in SD_RANGES}


def _rater_ratings(ratings: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    ratings = np.asarray(ratings, dtype=float)
    if ratings.ndim != 3 or ratings.shape[:2] != shape:
        raise ValueError(f"ratings have shape {ratings.shape}, must be {(*shape, 'raters')}")
    return ratings


def evaluate_distribution(
    ref: npt.ArrayLike,
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    generator: np.random.Generator,
) -> dict[str, Score]:
    """Every metric of normal predictions, for one dimension or several pooled.

    Parameters
    ----------
    ref : (N,) rating, NaN where missing
    mean : (N,) rating
    sd : (N,) rating points, > 0
    generator
        Source of the null distributions.

    Returns
    -------
    metric -> figure or `Undefined`
        `n`; `coverage_50`, `width_50`, `interval_score_50` and so at 80 and 90 (ends inside 0..100);
        `calibration_error` and `quantile_calibration_error` with their common `calibration_error_null`
        (mean) and `calibration_error_p95`; `ence`, `ence_null`, `ence_p95`; `mean_squared_z`; `sharpness`,
        `sd_spread`; `gaussian_crps`, `gaussian_nll`.
    """
    ref, mean, sd = (np.asarray(values, dtype=float) for values in (ref, mean, sd))
    known = ~np.isnan(ref)
    n, labelled_sd = int(np.count_nonzero(known)), sd[known]
    found: dict[str, Score] = {"n": float(n)}
    for level in INTERVAL_LEVELS:
        ends = _ends(mean, sd, known, level)
        percent = round(100 * level)
        found[f"coverage_{percent}"] = attempt(coverage, ref, *ends)
        found[f"width_{percent}"] = attempt(interval_width, ref, *ends)
        found[f"interval_score_{percent}"] = attempt(interval_score, ref, *ends, level)
    found["calibration_error"] = attempt(calibration_error, ref, mean, sd)
    found["quantile_calibration_error"] = attempt(quantile_calibration_error, ref, mean, sd)
    found |= _null_of("calibration_error", found, lambda: calibration_error_null(n, generator))
    found["ence"] = attempt(ence, ref, mean, sd)
    found |= _null_of("ence", found, lambda: ence_null(labelled_sd, generator))
    found["mean_squared_z"] = attempt(mean_squared_z, ref, mean, sd)
    found["sharpness"] = attempt(sharpness, labelled_sd)
    found["sd_spread"] = attempt(sd_spread, labelled_sd)
    found["gaussian_crps"] = attempt(gaussian_crps, ref, mean, sd)
    found["gaussian_nll"] = attempt(gaussian_nll, ref, mean, sd)
    return found


def _null_of(
    metric: str, found: Mapping[str, Score], simulate: Callable[[], NullDistribution]
) -> dict[str, Score]:
    """Mean and 95th percentile of a metric's null distribution; undefined where the metric is."""
    own = found[metric]
    if isinstance(own, Undefined):
        return {f"{metric}_null": own, f"{metric}_p95": own}
    null = simulate()
    return {f"{metric}_null": null.mean, f"{metric}_p95": null.p95}


def _ends(mean: FloatArray, sd: FloatArray, known: np.ndarray, level: float) -> tuple[FloatArray, FloatArray]:
    """Interval ends where there is a label, NaN elsewhere."""
    low, high = np.full((2, *mean.shape), np.nan)
    low[known], high[known] = normal_interval(mean[known], validate_sd(sd[known]), level, RATING_RANGE)
    return low, high
