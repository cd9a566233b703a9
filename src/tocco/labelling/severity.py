"""How severe each rater is: rating = segment + rater + error, for each dimension by itself.

A plain form of a many-facet model. A rater with few shared segments is known badly, so the severity that is
taken off is shrunk towards 0 by what its standard error allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.labelling.table import RatingTable
from tocco.units import BoolArray, FloatArray, IntArray

_TINY: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Severity:
    """Leniency of raters, in points; negative where a rater is severe.

    Attributes
    ----------
    leniency : (K, D) mean over raters 0; NaN where a rater shares no segment with another
    standard_error : (K, D)
    shrunk : (K, D) what is taken off a rating to debias it; 0 where nothing is known
    residual : (R,) rating minus what the segment's other ratings and the rater's severity say
        NaN where the segment has one rating.
    residual_sd : (R,) its standard deviation, as the errors of that dimension are
    groups : number of groups of raters that share no segment with each other; 0 without shared segments
    """

    leniency: FloatArray
    standard_error: FloatArray
    shrunk: FloatArray
    residual: FloatArray
    residual_sd: FloatArray
    groups: int


def fit_severity(table: RatingTable) -> Severity:
    """Least squares on the first ratings of each segment.

    Parameters
    ----------
    table : rows that make labels, one a rater, segment and dimension
    """
    shape = (len(table.raters), len(table.dimensions))
    leniency, error, shrunk = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    residual, residual_sd = np.full(len(table), np.nan), np.full(len(table), np.nan)
    groups = 0
    for d in range(shape[1]):
        rows = np.flatnonzero(table.dimension == d)
        shared = rows[_is_shared(table.segment[rows])]
        if len(shared) == 0:
            continue
        fit = _fit(table.rater[shared], table.segment[shared], table.value[shared], shape[0])
        groups = max(groups, fit.n_groups)
        known = np.flatnonzero(fit.is_known)
        leniency[known, d], error[known, d] = fit.effect[known], fit.standard_error[known]
        of_one = np.unique(table.segment[shared], return_inverse=True, return_counts=True)
        m = of_one[2][of_one[1]].astype(float)
        residual[shared] = fit.residual * m / (m - 1.0)  # the rating itself is in the segment's mean
        residual_sd[shared] = fit.error_sd * np.sqrt(m / (m - 1.0))
        shrunk[known, d] = _shrunk(fit.effect[known], fit.standard_error[known])
    return Severity(leniency, error, shrunk, residual, residual_sd, groups)


@dataclass(frozen=True, eq=False)
class _Fit:
    effect: FloatArray
    standard_error: FloatArray
    is_known: BoolArray
    residual: FloatArray
    error_sd: float
    n_groups: int


def _is_shared(segment: IntArray) -> BoolArray:
    _, code, count = np.unique(segment, return_inverse=True, return_counts=True)
    return count[code] >= 2


def _fit(rater: IntArray, segment: IntArray, value: FloatArray, n_raters: int) -> _Fit:
    """Segment effects are swept out; what is left is solved for the raters."""
    _, code = np.unique(segment, return_inverse=True)
    count = np.bincount(code).astype(float)
    is_of = np.zeros((len(value), n_raters))
    is_of[np.arange(len(value)), rater] = 1.0
    mean_of = np.stack([np.bincount(code, weights=column) / count for column in is_of.T], axis=1)
    swept = is_of - mean_of[code]
    target = value - (np.bincount(code, weights=value) / count)[code]
    normal = swept.T @ swept
    group = _groups(rater, code, n_raters)
    is_same = group[:, None] == group[None, :]
    constant = is_same / is_same.sum(axis=1)  # only differences within a group are known: they sum to 0
    inverse = np.linalg.inv(normal + constant) - constant
    effect = inverse @ (swept.T @ target)
    residual = target - swept @ effect
    is_known = np.diag(normal) > _TINY
    n_groups = len(set(group[is_known].tolist()))
    freedom = len(value) - len(count) - (int(is_known.sum()) - n_groups)
    sd = float(np.sqrt(np.square(residual).sum() / freedom)) if freedom > 0 else float("nan")
    return _Fit(effect, sd * np.sqrt(np.diag(inverse)), is_known, residual, sd, n_groups)


def _groups(rater: IntArray, segment: IntArray, n_raters: int) -> IntArray:
    """(n_raters,) the lowest rater that each is linked with by shared segments."""
    group = np.arange(n_raters)
    for one in range(int(segment.max()) + 1):
        linked = np.isin(group, group[rater[segment == one]])
        group[linked] = group[linked].min()
    return group


def _shrunk(effect: FloatArray, standard_error: FloatArray) -> FloatArray:
    """Posterior means: the variance between raters is what the effects vary beyond their errors."""
    noise = np.square(standard_error)
    if not np.isfinite(noise).all():
        return np.zeros(len(effect))
    between = max(float(np.mean(np.square(effect) - noise)), 0.0)
    return effect * between / np.maximum(between + noise, _TINY)
