"""Ways to turn a predicted mean and sd into intervals that hold their level on music not seen before.

A method is given calibration rows and test rows that share no cluster. It never sees the labels of the test
rows. Intervals end within 0 to 100. Where the calibration rows are too few for a level, a conformal interval
is the whole scale: nothing narrower is warranted.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from tocco.errors import MissingPartError
from tocco.evaluation.interval_calibration.predictions import Predictions
from tocco.metrics import RATING_RANGE, mean_squared_z, normal_interval
from tocco.units import FloatArray, IntArray

Ends = tuple[FloatArray, FloatArray]
MakeIntervals = Callable[[Predictions, Predictions, float], Ends]
"""Calibration rows, test rows, level -> low and high end for each test row."""

Unit = Literal["fold", "work"]
"""What is calibrated on the others: each fold on the other folds, or each work on the other works."""

SD_GROUPS: Final = 3
"""Groups of equal number, by predicted sd, in the Mondrian method."""


@dataclass(frozen=True)
class Method:
    """A way to make intervals.

    Attributes
    ----------
    name
    about : what it does, in a line
    intervals
    unit : what it is calibrated on the others of
    """

    name: str
    about: str
    intervals: MakeIntervals
    unit: Unit = "fold"


def as_predicted(calibration: Predictions, test: Predictions, level: float) -> Ends:
    """Normal intervals of the sd as the model states it."""
    del calibration
    return normal_interval(test.mean, test.sd, level, RATING_RANGE)


def temperature(calibration: Predictions, test: Predictions, level: float) -> Ends:
    """Normal intervals of the sd times one factor: `sd_factor` of the calibration rows."""
    return normal_interval(test.mean, test.sd * sd_factor(calibration), level, RATING_RANGE)


def sd_factor(calibration: Predictions) -> float:
    """The factor for all sds with the highest likelihood: the root of the mean squared standardised error.

    Levi, Gispan, Giladi & Fetaya, Sensors 22, 2022, sec. 3.4.
    """
    factor = np.sqrt(mean_squared_z(calibration.label, calibration.mean, calibration.sd))
    if factor == 0:
        raise ValueError("means equal their labels: these predictions were not held out")
    return float(factor)


def isotonic(calibration: Predictions, test: Predictions, level: float) -> Ends:
    """Quantiles are moved to where as large a share of the calibration labels lay below them.

    Kuleshov, Fenner & Ermon (ICML 2018): an increasing map from nominal to observed shares, here read in the
    other direction, from the wanted share to the normal quantile that had it. Intervals may be lopsided.
    """
    z = np.sort((calibration.label - calibration.mean) / calibration.sd)
    shares = np.arange(1, len(z) + 1) / (len(z) + 1)
    quantile_of = _isotonic_regression()(out_of_bounds="clip").fit(shares, z)
    low, high = quantile_of.predict([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return _clipped(test.mean + low * test.sd, test.mean + high * test.sd)


def _isotonic_regression() -> Any:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingPartError(
            "isotonic calibration", "needs scikit-learn", next_step="install tocco[train]"
        ) from error
    return IsotonicRegression


def conformal(calibration: Predictions, test: Predictions, level: float, *, use_sd: bool = True) -> Ends:
    """Mean +- a multiple of the sd, or of one point without `use_sd`, that held the calibration labels.

    Normalised split conformal prediction (Lei, G'Sell, Rinaldo, Tibshirani & Wasserman, JASA 113, 2018).
    """
    sigmas = (calibration.sd, test.sd) if use_sd else (None, None)
    return _conformal_of(calibration, test, level, sigmas=sigmas)


def conformal_by_sd(calibration: Predictions, test: Predictions, level: float) -> Ends:
    """The same, with a multiple for each of `SD_GROUPS` groups of equal number by predicted sd.

    Mondrian conformal prediction (Bostrom & Johansson, COPA 2020).
    """
    edges = np.quantile(calibration.sd, np.arange(1, SD_GROUPS) / SD_GROUPS)
    groups = np.searchsorted(edges, calibration.sd), np.searchsorted(edges, test.sd)
    sigmas = calibration.sd, test.sd
    return _conformal_of(calibration, test, level, sigmas=sigmas, bins=groups)


def conformal_by_cluster(calibration: Predictions, test: Predictions, level: float) -> Ends:
    """Mean +- a multiple of the sd, with equal weight for every calibration cluster.

    For a label of a cluster not seen before, where clusters, not labels, are exchangeable (Lee, Barber &
    Willett, Distribution-free inference with hierarchical data, 2023, sec. 3): each of C clusters has the
    weight 1 / (C + 1), shared by its labels; the rest lies at infinity.
    """
    score = np.abs(calibration.label - calibration.mean) / calibration.sd
    _, cluster, size = np.unique(calibration.cluster, return_inverse=True, return_counts=True)
    weight = 1.0 / (size[cluster] * (len(size) + 1))
    order = np.argsort(score)
    # Rounded: a sum of tenths must not miss the level by a rounding error.
    enough = np.round(np.cumsum(weight[order]), 12) >= level
    if not enough.any():
        return _clipped(np.full(len(test), -np.inf), np.full(len(test), np.inf))
    half = score[order][np.argmax(enough)] * test.sd
    return _clipped(test.mean - half, test.mean + half)


def _conformal_of(
    calibration: Predictions,
    test: Predictions,
    level: float,
    *,
    sigmas: tuple[FloatArray | None, FloatArray | None],
    bins: tuple[IntArray | None, IntArray | None] = (None, None),
) -> Ends:
    try:
        from crepes import ConformalRegressor
    except ImportError as error:
        raise MissingPartError("conformal calibration", "needs crepes", next_step="install crepes") from error
    low, high = RATING_RANGE
    regressor = ConformalRegressor()
    regressor.fit(residuals=calibration.label - calibration.mean, sigmas=sigmas[0], bins=bins[0])
    with warnings.catch_warnings():
        # Too few rows for the level: its interval is then the whole scale, as stated above.
        warnings.simplefilter("ignore", UserWarning)
        ends = regressor.predict_int(
            y_hat=test.mean, sigmas=sigmas[1], bins=bins[1], confidence=level, y_min=low, y_max=high
        )
    return ends[:, 0], ends[:, 1]


def _clipped(low: npt.NDArray, high: npt.NDArray) -> Ends:
    return np.clip(low, *RATING_RANGE), np.clip(high, *RATING_RANGE)


METHODS: Final = (
    Method("as predicted", "normal interval of the predicted sd", as_predicted),
    Method("temperature", "all sds times one factor, of highest likelihood", temperature),
    Method("isotonic", "quantiles moved by an increasing map", isotonic),
    Method("conformal without sd", "one half-width for all", functools.partial(conformal, use_sd=False)),
    Method("conformal", "one multiple of the sd", conformal),
    Method("conformal by sd", f"a multiple for each of {SD_GROUPS} groups by sd (Mondrian)", conformal_by_sd),
    Method("conformal by cluster", "one multiple of the sd; equal weight a cluster", conformal_by_cluster),
    Method("temperature by work", "temperature, each work calibrated on the others", temperature, "work"),
    Method("conformal by work", "conformal, each work calibrated on the others", conformal, "work"),
)
"""Every dimension is calibrated for itself, by each of these."""
