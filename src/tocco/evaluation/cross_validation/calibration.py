"""How sure are we: intervals that hold the share of ratings that they claim.

A network states an sd beside each rating, but an sd learnt on the training music is too small on
new music. Held-out predictions tell by how much: for each dimension one factor is found such that
`rating +- scale * sd` would have held the claimed share of labels (normalised split-conformal
prediction: Lei, G'Sell, Rinaldo, Tibshirani & Wasserman, JASA 113, 2018, sec. 5.2; Romano,
Patterson & Candes, NeurIPS 2019). The quantile carries the finite-sample correction
ceil((n + 1) * level) / n, so that the claim holds on average over calibration sets of n.

What the claim does not cover. It rests on the new performance being exchangeable with the
calibration set. Excerpts come in clusters of shared music: a new piece is a new cluster, so the
number that counts is that of the clusters, not of the excerpts, and coverage on one new piece
scatters widely around the claim. Music further away, or played by others than advanced pianists,
may be covered less than claimed. `cross_fitted_coverage` measures what remains when every scale is
applied to clusters that it was not fitted on; that figure belongs in every report.
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
)
from tocco.units import FloatArray


def conformal_scale(
    ref: npt.ArrayLike, rating: npt.ArrayLike, sd: npt.ArrayLike, level: float = DEFAULT_LEVEL
) -> float:
    """The factor by which an sd must be taken so that intervals hold `level` of the labels.

    The ceil((n + 1) * level)-th smallest |label - rating| / sd.

    Parameters
    ----------
    ref : (N,) label, NaN where there is none
    rating : (N,) rating predicted for performances that the model was not trained on
    sd : (N,) rating points, > 0
    level : 0..1

    Returns
    -------
    > 0

    Raises
    ------
    ValueError
        Too few labels to claim the level at all: 90 % needs 9.

    Examples
    --------
    >>> conformal_scale([51, 52, 53, 54, 55, 56, 57, 58, 59], [50.0] * 9, [2.0] * 9)
    4.5
    """
    validate_level(level)
    kept, rating_kept = validate(ref, rating)
    _, sd_kept = validate(ref, sd)
    if (sd_kept <= 0).any():
        raise ValueError(f"sd is {sd_kept.min():g} for a labelled performance, must be above 0 rating points")
    score = np.sort(np.abs(kept - rating_kept) / sd_kept)
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
    """What intervals hold when each scale comes from other clusters.

    Attributes
    ----------
    names : (D,)
    n : (D,) labels
    coverage : (D,) 0..1
    width, score : (D,) rating points, mean length and interval score
    low, high : (N, D) rating, the intervals themselves; NaN without a label in the dimension
    sigma : (N, D) rating points, the normal sd that has the same interval before it is held to 0..100
    level : 0..1, what was claimed
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
            raise ValueError(f"cluster {cluster} is in more than one fold: its music would vouch for itself")
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
    """Measure intervals honestly: each fold is judged by scales fitted on the others.

    Parameters
    ----------
    names : (D,) dimension names
    labels : (N, D) rating 0..100, NaN where there is none
    rating, sd : (N, D) held-out predictions
    fold : (N,) any number
    clusters : (N,) what folds must not split: shared music, or the pianist where folds are of pianists
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
        coverage=np.array([coverage(*column) for column in columns]),
        width=np.array([interval_width(*column) for column in columns]),
        score=np.array([interval_score(*column, level) for column in columns]),
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
    """The calibration that ships with a model: scales from all held-out predictions, coverage cross-fitted.

    Parameters
    ----------
    names, labels, rating, sd, fold, clusters, level
        As for `cross_fitted_coverage`.
    protocol
        How the predictions were held out, in words.
    reliability : dimension name -> 0..1
        See `tocco.evaluation.cross_validation.reliability`.

    Returns
    -------
    IntervalCalibration
        Dimensions without labels are left out.
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
    """Claimed against observed coverage.

    Attributes
    ----------
    level : (K,) 0..1, claimed
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
    """Whether sds are honest at every level, not only at the one that was calibrated.

    Parameters
    ----------
    labels : (N, D) or (N,) rating, NaN where there is none; dimensions are pooled
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
