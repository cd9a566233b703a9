"""Calibration of prediction intervals, so that they cover the nominal share of ratings.

A network predicts an sd with each rating, but an sd learnt on the training music is too small on
new music. Held-out predictions show by how much: for each dimension one factor is found such that
`rating +- scale * sd` would have covered the nominal share of labels (normalised split-conformal
prediction: Lei, G'Sell, Rinaldo, Tibshirani & Wasserman, JASA 113, 2018, sec. 5.2; Romano,
Patterson & Candes, NeurIPS 2019). The quantile has the finite-sample correction
ceil((n + 1) * level) / n, so that coverage holds on average over calibration sets of n.

Limits: the new performance has to be exchangeable with the calibration set. Excerpts come in
clusters of shared music and a new piece is a new cluster, so the effective sample size is the number of
clusters, not of excerpts, and coverage on one new piece varies widely around the nominal one. Very different
music, or music played by less advanced pianists, may be covered less. `cross_fitted_coverage` measures the
coverage when every scale is applied to clusters that it was not fitted on; every report should state it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.inference.intervals import (
    DEFAULT_LEVEL,
    DimensionCalibration,
    IntervalCalibration,
    normal_sigma,
    scaled_interval,
)
from tocco.metrics import (
    coverage,
    coverage_curve,
    interval_score,
    interval_width,
    validate,
    validate_level,
    validate_ratings,
    value_or_nan,
)
from tocco.units import FloatArray


def conformal_scale(
    ref: npt.ArrayLike, rating: npt.ArrayLike, sd: npt.ArrayLike, level: float = DEFAULT_LEVEL
) -> float:
    """The factor for an sd with which intervals cover `level` of the labels.

    The ceil((n + 1) * level)-th smallest |label - rating| / sd.

    Parameters
    ----------
    ref : (N,) label, NaN where missing
    rating : (N,) rating predicted for performances outside the training data
    sd : (N,) rating points, > 0
    level : 0..1

    Returns
    -------
    > 0

    Raises
    ------
    ValueError
        Too few labels for the level: 90 % needs 9.

    Examples
    --------
    >>> conformal_scale([51, 52, 53, 54, 55, 56, 57, 58, 59], [50.0] * 9, [2.0] * 9)
    4.5
    """
    validate_level(level)
    labelled, labelled_rating = validate(ref, rating)
    _, labelled_sd = validate(ref, sd)
    if (labelled_sd <= 0).any():
        raise ValueError(
            f"sd is {labelled_sd.min():g} for a labelled performance, must be above 0 rating points"
        )
    score = np.sort(np.abs(labelled - labelled_rating) / labelled_sd)
    # Rounded first: (9 + 1) * 0.9 must not become the tenth of nine scores by a rounding error.
    rank = math.ceil(round((len(score) + 1) * level, 9))
    if rank > len(score):
        least = math.ceil(round(level / (1.0 - level), 9))
        raise ValueError(
            f"{len(score)} labels cannot support intervals of {level:.0%}, at least {least} must be held out"
        )
    if score[rank - 1] == 0:
        raise ValueError("ratings equal their labels: these predictions were not held out")
    return float(score[rank - 1])


@dataclass(frozen=True, eq=False)
class CrossFittedCoverage:
    """Coverage of intervals whose scales were fitted on other clusters.

    Attributes
    ----------
    names : (D,)
    n : (D,) labels
    coverage : (D,) 0..1
    width, score : (D,) rating points, mean width and interval score
    low, high : (N, D) rating, the intervals themselves; NaN without a label in the dimension
    sigma : (N, D) rating points, the normal sd with the same interval before clipping to 0..100
    level : 0..1, nominal coverage
    """

    names: tuple[str, ...]
    n: FloatArray
    coverage: FloatArray
    width: FloatArray
    score: FloatArray
    low: FloatArray
    high: FloatArray
    sigma: FloatArray
    level: float


def _validate_predictions(
    names: Sequence[str], labels: npt.ArrayLike, rating: npt.ArrayLike, sd: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    labels, rating, sd = (np.asarray(a, dtype=float) for a in (labels, rating, sd))
    if labels.ndim != 2 or labels.shape[1] != len(names):
        raise ValueError(f"labels have shape {labels.shape}, must be (performances, {len(names)} dimensions)")
    for what, array in (("rating", rating), ("sd", sd)):
        if array.shape != labels.shape:
            raise ValueError(f"{what} has shape {array.shape}, labels have {labels.shape}")
    validate_ratings(labels)
    return labels, rating, sd


def _validate_folds(fold: npt.ArrayLike, clusters: npt.ArrayLike, n: int) -> npt.NDArray:
    fold, clusters = np.asarray(fold), np.asarray(clusters)
    if fold.shape != (n,) or clusters.shape != (n,):
        raise ValueError(
            f"fold {fold.shape} and clusters {clusters.shape} must have one entry for each of {n} labels"
        )
    for cluster in np.unique(clusters):
        if len(np.unique(fold[clusters == cluster])) > 1:
            raise ValueError(
                f"cluster {cluster} is in more than one fold: calibration and test would share its music"
            )
    return fold


def cross_fitted_coverage(
    names: Sequence[str],
    labels: npt.ArrayLike,
    rating: npt.ArrayLike,
    sd: npt.ArrayLike,
    fold: npt.ArrayLike,
    clusters: npt.ArrayLike,
    level: float = DEFAULT_LEVEL,
) -> CrossFittedCoverage:
    """Measure coverage out of sample: each fold is evaluated with scales fitted on the others.

    Parameters
    ----------
    names : (D,) dimension names
    labels : (N, D) rating 0..100, NaN where missing
    rating, sd : (N, D) held-out predictions
    fold : (N,) any number
    clusters : (N,) units that folds must not divide: shared music, or the pianist in folds of pianists
    level : 0..1

    Returns
    -------
    CrossFittedCoverage
        NaN for a dimension without labels.
    """
    labels, rating, sd = _validate_predictions(names, labels, rating, sd)
    fold = _validate_folds(fold, clusters, len(labels))
    low, high, sigma = np.full((3, *labels.shape), math.nan)
    labelled = ~np.isnan(labels)
    for d in np.flatnonzero(labelled.any(axis=0)):
        for k in np.unique(fold):
            test, train = fold == k, fold != k
            if not labelled[test, d].any():
                continue
            scale = conformal_scale(labels[train, d], rating[train, d], sd[train, d], level)
            low[test, d], high[test, d] = scaled_interval(rating[test, d], sd[test, d], scale)
            sigma[test, d] = normal_sigma(sd[test, d], scale, level)
    columns = [(labels[:, d], low[:, d], high[:, d]) for d in range(len(names))]
    return CrossFittedCoverage(
        names=tuple(names),
        n=np.count_nonzero(labelled, axis=0).astype(float),
        coverage=np.array([value_or_nan(coverage, *column) for column in columns]),
        width=np.array([value_or_nan(interval_width, *column) for column in columns]),
        score=np.array([value_or_nan(interval_score, *column, level) for column in columns]),
        low=low,
        high=high,
        sigma=sigma,
        level=level,
    )


def fit_interval_calibration(
    names: Sequence[str],
    labels: npt.ArrayLike,
    rating: npt.ArrayLike,
    sd: npt.ArrayLike,
    fold: npt.ArrayLike,
    clusters: npt.ArrayLike,
    *,
    protocol: str,
    reliability: Mapping[str, float] | None = None,
    level: float = DEFAULT_LEVEL,
) -> IntervalCalibration:
    """The calibration of a bundle: scales from all held-out predictions, coverage cross-fitted.

    Parameters
    ----------
    names, labels, rating, sd, fold, clusters, level
        As for `cross_fitted_coverage`.
    protocol
        Description of how the predictions were held out.
    reliability : dimension name -> 0..1
        See `tocco.evaluation.cross_validation.reliability`.

    Returns
    -------
    IntervalCalibration
        Dimensions without labels are omitted.
    """
    labels, rating, sd = _validate_predictions(names, labels, rating, sd)
    measured = cross_fitted_coverage(names, labels, rating, sd, fold, clusters, level)
    known = reliability or {}
    unknown = set(known) - set(names)
    if unknown:
        raise ValueError(f"reliability of dimensions that are not rated: {sorted(unknown)}")
    return IntervalCalibration(
        level=level,
        protocol=protocol,
        dimensions={
            name: DimensionCalibration(
                scale=conformal_scale(labels[:, d], rating[:, d], sd[:, d], level),
                n=int(measured.n[d]),
                coverage=float(measured.coverage[d]),
                width=float(measured.width[d]),
                reliability=known.get(name),
            )
            for d, name in enumerate(names)
            if measured.n[d]
        },
    )


@dataclass(frozen=True, eq=False)
class ReliabilityDiagram:
    """Nominal and observed coverage.

    Attributes
    ----------
    level : (K,) 0..1, nominal
    observed : (K,) 0..1, share of labels within the intervals of that level
    n : labels
    """

    level: FloatArray
    observed: FloatArray
    n: int


def reliability_diagram(
    labels: npt.ArrayLike,
    rating: npt.ArrayLike,
    sigma: npt.ArrayLike,
    levels: Sequence[float] = tuple(np.arange(1, 20) / 20),
) -> ReliabilityDiagram:
    """Observed coverage of the predicted sds at many levels, not only at the calibrated one.

    Parameters
    ----------
    labels : (N, D) or (N,) rating, NaN where missing; dimensions are pooled
    rating, sigma : of the same shape
    levels : (K,) 0..1

    Returns
    -------
    ReliabilityDiagram
        Above the diagonal: intervals too wide; below: too narrow.
    """
    labels, rating, sigma = (np.asarray(a, dtype=float).ravel() for a in (labels, rating, sigma))
    observed = coverage_curve(labels, rating, sigma, levels)
    return ReliabilityDiagram(
        level=np.asarray(levels, dtype=float), observed=observed, n=int(np.count_nonzero(~np.isnan(labels)))
    )
