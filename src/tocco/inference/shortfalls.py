"""How far a performance falls short of competent playing, in every measure that ratings are reduced for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.pseudo_labels.damage.anchors import reference_anchors
from tocco.pseudo_labels.damage.harm import harm
from tocco.pseudo_labels.damage.measure import measure_damage
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.rate import rate_performance, rate_span
from tocco.units import FloatArray

RULE_SPREAD: Final = 15.0
"""Standard deviation of the rule ratings of competent pianists; their median is 50."""


@dataclass(frozen=True)
class Shortfalls:
    """How far a performance falls short of competent playing.

    Attributes
    ----------
    of : measure -> shortfall
        0 is typical of competent playing. That of a dimension rated by rule is below 0 where it is better.
    missing : measure -> why it could not be measured
    """

    of: Mapping[str, float]
    missing: Mapping[str, str]


def measure_shortfalls(evidence: Evidence) -> Shortfalls:
    """Measure a whole performance: the six technical dimensions by rule, and its damage.

    Parameters
    ----------
    evidence : of the whole performance
    """
    of: dict[str, float] = {}
    missing: dict[str, str] = {}
    for name, label in rate_performance(evidence).items():
        if label.rating is None:
            missing[name] = label.missing.get(name, "it could not be measured")
        else:
            of[name] = shortfall(label.rating)
    damage = measure_damage(evidence)
    return Shortfalls({**of, **harm(damage, reference_anchors())}, {**missing, **damage.missing})


def window_shortfalls(evidence: Evidence, bounds_sec: FloatArray) -> list[Mapping[str, float]]:
    """Shortfalls of each window, of the dimensions that are rated by rule.

    Parameters
    ----------
    evidence : of the whole performance
    bounds_sec : (K, 2) seconds
    """
    found = []
    for start, end in bounds_sec:
        labels = rate_span(evidence, (float(start), float(end)))
        found.append({name: shortfall(one.rating) for name, one in labels.items() if one.rating is not None})
    return found


def local_deductions(
    windows: list[Mapping[str, float]], points: list[Mapping[str, float]], share: FloatArray
) -> FloatArray:
    """Points that each window loses beyond the mean of all windows.

    Parameters
    ----------
    windows : of K windows, measure -> shortfall
    points : of D dimensions, measure -> points that a shortfall of 1 takes off
    share : (K,) weight of each window in the rating of the whole

    Returns
    -------
    (K, D)
        A measure that a window lacks counts there as its mean.
    """
    lost = np.zeros((len(windows), len(points)))
    for measure in sorted({name for dimension in points for name in dimension}):
        value = np.array([window.get(measure, np.nan) for window in windows])
        known = np.isfinite(value) & (share > 0)
        if not known.any():
            continue
        beyond = np.where(known, value - np.average(value[known], weights=share[known]), 0.0)
        for d, dimension in enumerate(points):
            lost[:, d] += dimension.get(measure, 0.0) * beyond
    return lost


def shortfall(rule_rating: float) -> float:
    """Shortfall of a rating computed by rule.

    Parameters
    ----------
    rule_rating : 0..100 on the reference scale, where 50 is the median of competent pianists

    Examples
    --------
    >>> [round(shortfall(rating), 2) for rating in (80, 65, 50, 35, 20, 5)]
    [-0.57, -0.38, 0.0, 0.62, 1.43, 2.36]
    """
    return math.log1p(math.exp((50.0 - rule_rating) / RULE_SPREAD)) - math.log(2.0)
