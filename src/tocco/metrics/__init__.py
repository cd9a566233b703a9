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
    A metric of too few labels, or of constant labels where they have to differ, raises
    `MetricUndefined` with its `reason`; it never returns NaN. `evaluate` gives `Undefined`, which
    prints as the reason, in the place of the figure. `attempt` and `value_or_nan` do so for one metric. A
    constant estimate has a correlation of 0: it has no information about the order.

Metrics
-------
Agreement: `pearson_r`, `spearman_rho`, `kendall_tau_b`, `ccc`, `r2`.
Error: `mae`, `rmse`, `mae_skill`.
Range of the raters: `range_accuracy`, `sd_range_accuracy`, `range_accuracy_of_raters`.
Pairs: `pair_accuracy`, `pair_counts`.
Intervals: `coverage`, `interval_width`, `interval_score`.
Distributions: `gaussian_crps`, `gaussian_nll`, `sharpness`, `sd_spread`.
Calibration: `coverage_curve`, `quantile_curve`, `calibration_error`, `quantile_calibration_error`,
`mean_squared_z`, `ence`; of a perfect model: `calibration_error_null`, `calibration_band`, `ence_null`; with
errors shared in clusters: `perfect_curves`, `null_of`, `band_of`.
Many in one: `mean_scores`, `fisher_mean`, `reliability_weighted_r`, `overall_mae`, `group_means`.
All at once: `evaluate` for ratings, `evaluate_distribution` for means with sds.
Uncertainty over other music: `bootstrap_interval`, `paired_bootstrap_difference`.

docs/metrics.md has a table of them with formula, range, source and when they are undefined.
"""

from __future__ import annotations

from tocco.metrics.aggregate import (
    fisher_mean,
    group_means,
    mean_scores,
    overall_mae,
    reliability_weighted_r,
)
from tocco.metrics.agreement import ccc, kendall_tau_b, pearson_r, r2, spearman_rho
from tocco.metrics.calibration import (
    CALIBRATION_LEVELS,
    calibration_error,
    coverage_curve,
    ence,
    mean_squared_z,
    quantile_calibration_error,
    quantile_curve,
)
from tocco.metrics.distributions import gaussian_crps, gaussian_nll, sd_spread, sharpness
from tocco.metrics.error import mae, mae_skill, rmse
from tocco.metrics.intervals import (
    INTERVAL_LEVELS,
    coverage,
    interval_score,
    interval_width,
    normal_interval,
)
from tocco.metrics.pairs import pair_accuracy, pair_counts
from tocco.metrics.perfect_model import (
    NullDistribution,
    band_of,
    calibration_band,
    calibration_error_null,
    ence_null,
    null_of,
    perfect_curves,
)
from tocco.metrics.range_accuracy import (
    RANGE_MARGINS,
    range_accuracy,
    range_accuracy_of_raters,
    rater_table,
    sd_range_accuracy,
)
from tocco.metrics.resampling import (
    BootstrapInterval,
    Statistic,
    bootstrap_interval,
    paired_bootstrap_difference,
)
from tocco.metrics.table import evaluate, evaluate_distribution, range_scores
from tocco.metrics.undefined import MetricUndefined, Reason, Score, Undefined, attempt, value_or_nan
from tocco.metrics.validation import RATING_RANGE, validate, validate_level, validate_ratings

__all__ = [
    "CALIBRATION_LEVELS",
    "INTERVAL_LEVELS",
    "RANGE_MARGINS",
    "RATING_RANGE",
    "BootstrapInterval",
    "MetricUndefined",
    "NullDistribution",
    "Reason",
    "Score",
    "Statistic",
    "Undefined",
    "attempt",
    "band_of",
    "bootstrap_interval",
    "calibration_band",
    "calibration_error",
    "calibration_error_null",
    "ccc",
    "coverage",
    "coverage_curve",
    "ence",
    "ence_null",
    "evaluate",
    "evaluate_distribution",
    "fisher_mean",
    "gaussian_crps",
    "gaussian_nll",
    "group_means",
    "interval_score",
    "interval_width",
    "kendall_tau_b",
    "mae",
    "mae_skill",
    "mean_scores",
    "mean_squared_z",
    "normal_interval",
    "null_of",
    "overall_mae",
    "pair_accuracy",
    "pair_counts",
    "paired_bootstrap_difference",
    "pearson_r",
    "perfect_curves",
    "quantile_calibration_error",
    "quantile_curve",
    "r2",
    "range_accuracy",
    "range_accuracy_of_raters",
    "range_scores",
    "rater_table",
    "reliability_weighted_r",
    "rmse",
    "sd_range_accuracy",
    "sd_spread",
    "sharpness",
    "spearman_rho",
    "validate",
    "validate_level",
    "validate_ratings",
    "value_or_nan",
]
