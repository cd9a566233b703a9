"""From numbers to what is said: ratings with intervals, their aggregate, the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tocco.inference.assessment import Aggregate, Curve, Part, Rating
from tocco.inference.intervals import IntervalCalibration
from tocco.inference.windows import Merge
from tocco.metrics import RATING_RANGE
from tocco.models.predictor import Prediction
from tocco.rubrics import Rubric
from tocco.units import FloatArray

MIN_RATED_WEIGHT = 0.5
"""An aggregate is given where at least so much of its shares is rated."""


@dataclass(frozen=True, eq=False)
class ModelVerdict:
    """What the model says about a whole performance, merged from its windows.

    Attributes
    ----------
    names : (D,) outputs of the network
    rating, sd : (D,) rating points, sd not calibrated
    curve, curve_sd : (G, D) the same over time
    window_sd : (K, D) of each window
    merge
    """

    names: tuple[str, ...]
    rating: FloatArray
    sd: FloatArray
    curve: FloatArray
    curve_sd: FloatArray
    window_sd: FloatArray
    merge: Merge


def merge_windows(names: Sequence[str], rating: FloatArray, sd: FloatArray, merge: Merge) -> ModelVerdict:
    """Merge windows by the centre-weighted mean.

    The variance of the whole is the mean of the windows' variances: their errors are those of one
    player in one room, and do not average out.

    Parameters
    ----------
    rating, sd : (K, D) per window
    """
    return ModelVerdict(
        names=tuple(names),
        rating=merge.overall(rating),
        sd=np.sqrt(merge.overall(sd**2)),
        curve=merge.curve(rating),
        curve_sd=np.sqrt(merge.curve(sd**2)),
        window_sd=sd,
        merge=merge,
    )


def at_level(verdict: ModelVerdict, names: Sequence[str], whole: Prediction, share: float) -> ModelVerdict:
    """The verdict with the rating of the whole performance: a weighted mean of two predictions of it.

    The curve keeps its shape, which only the windows show, and moves by as much as the rating. The sd is the
    weighted mean of both, as for fully correlated errors; that of single windows stays.

    Parameters
    ----------
    verdict : merged from the windows
    names : (E,) targets of `whole`; those that the verdict does not have are left out
    whole : (1, E) of the whole performance
    share : 0..1, how much `whole` counts
    """
    rating, sd = verdict.rating.copy(), verdict.sd.copy()
    curve_, curve_sd = verdict.curve.copy(), verdict.curve_sd.copy()
    for d, name in enumerate(verdict.names):
        if name not in names:
            continue
        column = names.index(name)
        shift = share * (whole.rating[0, column] - rating[d])
        rating[d] = np.clip(rating[d] + shift, *RATING_RANGE)
        curve_[:, d] = np.clip(curve_[:, d] + shift, *RATING_RANGE)
        sd[d] += share * (whole.sd[0, column] - sd[d])
        curve_sd[:, d] += share * (whole.sd[0, column] - curve_sd[:, d])
    return replace(verdict, rating=rating, curve=curve_, sd=sd, curve_sd=curve_sd)


def model_ratings(verdict: ModelVerdict, intervals: IntervalCalibration) -> dict[str, Rating]:
    """The calibrated ratings of every output that has a calibration."""
    low, high = intervals.interval(verdict.names, verdict.rating, verdict.sd)
    sigma = intervals.sigma(verdict.names, verdict.sd)
    return {
        name: Rating(
            value=float(verdict.rating[d]),
            sigma=float(sigma[d]),
            interval_90=(float(low[d]), float(high[d])),
            reliability=intervals.dimensions[name].reliability,
            source="model",
        )
        for d, name in enumerate(verdict.names)
        if name in intervals.dimensions
    }


def aggregate(ratings: Mapping[str, Rating], rubric: Rubric) -> Aggregate:
    """Weighted mean of a rubric, over what is rated: what is missing leaves its share to the others.

    With less than `MIN_RATED_WEIGHT` of the shares it would be another thing, and there is none.

    One halo factor carries almost half of the ratings' variance, so their errors are taken to fall
    together: the ends of the interval are the weighted means of the ends. That errs on the wide side.
    """
    weights = dict(rubric.weights)
    rated = {name: rating for name, rating in ratings.items() if name in weights and rating.value is not None}
    without = tuple(name for name in rubric.names if name in weights and name not in rated)
    there = sum(weights[name] for name in rated)
    if there < MIN_RATED_WEIGHT:
        return Aggregate(
            value=None, weights=weights, without=without, reason=f"missing: {', '.join(without)}"
        )
    share = {name: weights[name] / there for name in rubric.names if name in rated}
    value = {name: float(rated[name].value or 0.0) for name in share}
    ends = {name: rated[name].interval_90 or (value[name], value[name]) for name in share}
    low, high = (sum(share[name] * ends[name][end] for name in share) for end in (0, 1))
    return Aggregate(
        value=round(sum(share[name] * value[name] for name in share), 9),
        interval_90=(low, high),
        parts=tuple(Part(dimension=name, value=value[name], weight=share[name]) for name in share),
        without=without,
        weights=weights,
    )


def merge_known(per_window: FloatArray, merge: Merge) -> FloatArray:
    """(G,) over time from (K,) per window, by those windows that have a value; NaN where none has."""
    known = np.isfinite(per_window)
    weight = merge.share * known
    total = weight.sum(axis=1)
    with np.errstate(invalid="ignore"):
        merged = weight @ np.where(known, per_window, 0.0) / total
    return np.where(total > 0, np.clip(merged, 0.0, 100.0), np.nan)


def curve(
    verdict: ModelVerdict,
    intervals: IntervalCalibration,
    dimensions: Sequence[str],
    computed: Mapping[str, FloatArray],
) -> Curve:
    """Ratings over time of the dimensions that are rated.

    Parameters
    ----------
    dimensions
        Those that are shown, in this order: outputs of the model, or in `computed`.
    computed : dimension -> (G,) of those that are computed; NaN where there is none
    """
    low, high = intervals.interval(verdict.names, verdict.curve, verdict.curve_sd)
    column = {name: verdict.names.index(name) for name in dimensions if name not in computed}
    half = verdict.merge.step_sec / 2
    time = verdict.merge.time_sec
    values = {
        name: _points(computed[name] if name in computed else verdict.curve[:, column[name]])
        for name in dimensions
    }
    return Curve(
        time_sec=tuple(time.tolist()),
        start_sec=tuple((time - half).tolist()),
        end_sec=tuple((time + half).tolist()),
        value=values,
        low_90={name: _points(low[:, d]) for name, d in column.items()},
        high_90={name: _points(high[:, d]) for name, d in column.items()},
    )


def _points(values: FloatArray) -> tuple[float | None, ...]:
    return tuple(float(v) if np.isfinite(v) else None for v in values)
