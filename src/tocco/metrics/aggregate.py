"""Figures of many dimensions in one, and of many performances in one a piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from tocco.metrics.error import mae
from tocco.metrics.undefined import MetricUndefined, Reason, Score, Undefined
from tocco.units import FloatArray


def mean_scores(
    scores: Mapping[str, Mapping[str, Score]], names: Iterable[str] | None = None
) -> dict[str, Score]:
    """Mean of each metric over dimensions that have labels; `n` is the number of those dimensions.

    Parameters
    ----------
    scores : as returned by `evaluate`
    names
        The dimensions to average; all by default.

    Returns
    -------
    metric -> mean
        `Undefined` if the metric is undefined for a dimension that has labels.
    """
    rows = [scores[name] for name in (scores if names is None else names)]
    rows = [row for row in rows if row["n"] != 0]
    if not rows:
        raise ValueError("no dimension has a label: there is nothing to average")
    return {"n": float(len(rows))} | {
        metric: _mean([row[metric] for row in rows]) for metric in rows[0] if metric != "n"
    }


def _mean(values: list[Score]) -> Score:
    if any(isinstance(value, Undefined) for value in values):
        return Undefined(Reason.DIMENSION_UNDEFINED)
    return float(np.mean([float(value) for value in values if not isinstance(value, Undefined)]))


def fisher_mean(r: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float:
    """Weighted mean of correlations, taken of their Fisher z: tanh(sum w atanh(r) / sum w).

    Parameters
    ----------
    r : (D,) -1..1
    weights : (D,) >= 0, or None for equal weights

    Returns
    -------
    -1..1

    Raises
    ------
    MetricUndefined
        No correlation, weights that sum to 0, or a correlation of 1 or -1 with a weight.

    Examples
    --------
    >>> round(fisher_mean([0.2, 0.8]), 3), round(fisher_mean([0.2, 0.8], [1, 0]), 3)
    (0.572, 0.2)
    """
    r = np.asarray(r, dtype=float)
    weights = np.ones(r.shape) if weights is None else np.asarray(weights, dtype=float)
    if r.ndim != 1 or weights.shape != r.shape:
        raise ValueError(f"weights have shape {weights.shape}, must be flat and that of r, {r.shape}")
    if not (np.abs(r) <= 1.0).all():
        raise ValueError(f"r is {r[~(np.abs(r) <= 1.0)][0]:g}, a correlation lies between -1 and 1")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("weights must be finite and 0 or more")
    if len(r) == 0:
        raise MetricUndefined(Reason.NO_LABEL)
    used = weights > 0
    if not used.any():
        raise MetricUndefined(Reason.NO_WEIGHT)
    if (np.abs(r[used]) == 1.0).any():
        raise MetricUndefined(Reason.PERFECT_CORRELATION)
    return float(np.tanh(np.average(np.arctanh(r[used]), weights=weights[used])))


def reliability_weighted_r(
    scores: Mapping[str, Mapping[str, Score]],
    reliability: Mapping[str, float],
    metric: str = "pearson_r",
) -> float:
    """Mean correlation over dimensions, weighted by how reliable their labels are.

    Dimensions without labels are left out, whatever their reliability.

    Parameters
    ----------
    scores : as returned by `evaluate`
    reliability : dimension -> 0..1, of the mean rating; of every dimension that has labels
    metric
        Which correlation of `scores`.

    Returns
    -------
    -1..1

    Raises
    ------
    MetricUndefined
        As `fisher_mean`, or the metric is undefined for a dimension that has labels.
    """
    rated = {name: row[metric] for name, row in scores.items() if row["n"] != 0}
    unknown = [name for name in rated if name not in reliability]
    if unknown:
        raise ValueError(f"no reliability of {unknown[0]}: there is one of {sorted(reliability)}")
    if any(isinstance(r, Undefined) for r in rated.values()):
        raise MetricUndefined(Reason.DIMENSION_UNDEFINED)
    return fisher_mean(
        [float(r) for r in rated.values() if not isinstance(r, Undefined)],
        [reliability[name] for name in rated],
    )


def overall_mae(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Mean absolute error over all labels of all dimensions, each label with equal weight.

    Parameters
    ----------
    ref, est : (N, D) rating, NaN in `ref` where missing

    Returns
    -------
    rating points, >= 0

    Raises
    ------
    MetricUndefined
        No label.
    """
    ref, est = np.asarray(ref, dtype=float), np.asarray(est, dtype=float)
    if ref.shape != est.shape:
        raise ValueError(f"est has shape {est.shape}, ref has {ref.shape}")
    return mae(ref.ravel(), est.ravel())


def group_means(values: npt.ArrayLike, groups: npt.ArrayLike) -> tuple[npt.NDArray, FloatArray]:
    """Means of groups of performances, for figures a piece instead of an excerpt.

    Parameters
    ----------
    values : (N,) or (N, D) rating, NaN where missing
    groups : (N,) any label: the piece of each performance

    Returns
    -------
    names : (G,) sorted
    means : (G,) or (G, D) of the labels that are there; NaN for a group without any
    """
    values, groups = np.asarray(values, dtype=float), np.asarray(groups)
    if groups.shape != values.shape[:1]:
        raise ValueError(f"groups have shape {groups.shape}, must be {values.shape[:1]}")
    names, code = np.unique(groups, return_inverse=True)
    there = ~np.isnan(values)
    total, count = np.zeros((2, len(names), *values.shape[1:]))
    np.add.at(total, code, np.where(there, values, 0.0))
    np.add.at(count, code, there)
    return names, np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
