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

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from scipy import stats

from tocco.errors import BundleError, OutputError
from tocco.metrics import (
    RATING_RANGE,
    coverage,
    coverage_curve,
    interval_score,
    interval_width,
    validate,
    validate_level,
    validate_ratings,
)
from tocco.units import FloatArray

DEFAULT_LEVEL = 0.9

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class DimensionCalibration(BaseModel):
    """What held-out performances say about the sd of one dimension.

    Attributes
    ----------
    scale : > 0, half the interval in units of the predicted sd
    n : labels that it was found on
    coverage : 0..1, share of labels within the interval when the scale came from other clusters
    width : rating points, mean length of those intervals
    reliability : 0..1, how much of the labels' variance is shared by raters; None where unknown
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    scale: float = Field(gt=0.0)
    n: int = Field(ge=1)
    coverage: Share | None = None
    width: Annotated[float, Field(ge=0.0)] | None = None
    reliability: Share | None = None


class IntervalCalibration(BaseModel):
    """The factors that turn predicted sds into intervals, and the evidence for them.

    Attributes
    ----------
    level : 0..1, the share of labels that an interval claims to hold
    protocol : how the held-out predictions were made, in words ("cv4_cluster: four folds of new music")
    dimensions : dimension name -> its calibration
        A dimension that has no labels is not listed, and has no interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = 1
    method: Literal["normalised split conformal"] = "normalised split conformal"
    level: float = Field(default=DEFAULT_LEVEL, gt=0.0, lt=1.0)
    protocol: str
    dimensions: dict[str, DimensionCalibration]

    @model_validator(mode="after")
    def _has_dimensions(self) -> IntervalCalibration:
        if not self.dimensions:
            raise ValueError("no dimension is calibrated")
        return self

    def scale(self, names: Sequence[str]) -> FloatArray:
        """(D,) factor of each named dimension; NaN for one that is not calibrated."""
        known = self.dimensions
        return np.array([known[name].scale if name in known else math.nan for name in names])

    def interval(
        self, names: Sequence[str], rating: npt.ArrayLike, sd: npt.ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """The range in which the raters' mean is to be expected.

        Parameters
        ----------
        names : (D,) dimension names
        rating : (..., D) rating 0..100
        sd : (..., D) rating points, > 0, as predicted

        Returns
        -------
        low, high : (..., D) rating, held to 0..100; NaN for a dimension that is not calibrated
        """
        rating, sd = np.asarray(rating, dtype=float), np.asarray(sd, dtype=float)
        if rating.shape != sd.shape or rating.shape[-1:] != (len(names),):
            raise ValueError(
                f"rating {rating.shape} and sd {sd.shape} must both end in {len(names)} dimensions"
            )
        return _interval(rating, sd, self.scale(names))

    def sigma(self, names: Sequence[str], sd: npt.ArrayLike) -> FloatArray:
        """The sd that an honest normal prediction would state: its interval is the calibrated one.

        Parameters
        ----------
        names : (D,) dimension names
        sd : (..., D) rating points, > 0, as predicted

        Returns
        -------
        (..., D) rating points; NaN for a dimension that is not calibrated
        """
        return np.asarray(sd, dtype=float) * self.scale(names) / _normal_half_width(self.level)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `calibration.json`; the file is there whole or not at all."""
        path = Path(path)
        text = json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"
        draft = path.with_name(path.name + ".part")
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        except OSError as problem:
            raise OutputError(
                path,
                f"cannot be written: {problem.strerror}",
                next_step="name a folder that can be written to",
            ) from problem

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> IntervalCalibration:
        """Read `calibration.json`.

        Raises
        ------
        BundleError
            It is missing, is not JSON, or says something that a calibration cannot say.
        """
        path = Path(path)
        next_step = "use the bundle as it was exported, or export it again"
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as problem:
            raise BundleError(path, f"cannot be read: {problem.strerror}", next_step=next_step) from problem
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BundleError(
                path, f"is no calibration: {place}: {first['msg']}", next_step=next_step
            ) from problem


def _normal_half_width(level: float) -> float:
    """Half the central interval of a standard normal distribution."""
    return float(stats.norm.ppf((1.0 + level) / 2.0))


def _interval(rating: FloatArray, sd: FloatArray, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    # Clipping costs no coverage: labels lie within 0..100 themselves.
    return np.clip(rating - scale * sd, *RATING_RANGE), np.clip(rating + scale * sd, *RATING_RANGE)


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
    level : 0..1, what was claimed
    """

    names: tuple[str, ...]
    n: FloatArray
    coverage: FloatArray
    width: FloatArray
    score: FloatArray
    low: FloatArray
    high: FloatArray
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
    low, high = np.full(labels.shape, math.nan), np.full(labels.shape, math.nan)
    labelled = ~np.isnan(labels)
    for d in np.flatnonzero(labelled.any(axis=0)):
        for k in np.unique(fold):
            test, train = fold == k, fold != k
            if not labelled[test, d].any():
                continue
            scale = conformal_scale(labels[train, d], rating[train, d], sd[train, d], level)
            low[test, d], high[test, d] = _interval(rating[test, d], sd[test, d], np.asarray(scale))
    columns = [(labels[:, d], low[:, d], high[:, d]) for d in range(len(names))]
    return CrossFittedCoverage(
        names=tuple(names),
        n=np.count_nonzero(labelled, axis=0).astype(float),
        coverage=np.array([coverage(*column) for column in columns]),
        width=np.array([interval_width(*column) for column in columns]),
        score=np.array([interval_score(*column, level) for column in columns]),
        low=low,
        high=high,
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
        See `tocco.evaluation.reliability`.

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
