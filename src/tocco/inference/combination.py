"""The one place where a rating is put together: perception less deductions.

    rating = held to 0..100 ( perception - sum over measures of points * shortfall )

*Perception* is what a model of listeners says of the performance, as if it were free of damage: it is hardly
moved by damage (`tocco.models.damage_invariant_ridge`), and it was learned from listeners' ratings with the
deductions of each performance added back, so that the rating of competent playing stays the listeners'.
A *shortfall* is 0 where the typical competent performance is, and grows with the damage: of the six technical
dimensions as computed by rule, and of the measures of damage of the whole performance. So a rating falls
whenever a measure of damage grows and perception stays. docs/combination.md has the formula with an example.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tocco.inference.assessment import Rating
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.pseudo_labels.damage.anchors import damage_anchors
from tocco.pseudo_labels.damage.harm import harm
from tocco.pseudo_labels.damage.measure import measure_damage
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.rate import rate_performance

RULE_SPREAD: Final = 15.0
"""Standard deviation of the rule ratings of competent pianists; their median is 50."""

SOFT_END: Final = 10.0
"""Points from either end of the scale within which a rating approaches the end and never reaches it."""

UNCERTAIN_SHARE: Final = 0.5
"""Standard deviation of what a deduction should have been, as a share of it."""

UNKNOWN_SHORTFALL: Final = 0.8
"""Standard deviation of a shortfall that could not be measured: that of students' takes."""

DEDUCTIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "rhythmic_precision": {"rhythmic_precision": 14.0},
    "dynamics_control": {"dynamics_control": 10.0},
    "articulation_quality": {"articulation_quality": 10.0},
    "pedaling_technique": {"pedaling_technique": 10.0},
    "tone_quality": {"tone_quality": 12.0, "dynamics_control": 2.0},
}
"""Dimension -> measure -> points that a shortfall of 1 takes off."""


@dataclass(frozen=True)
class Shortfalls:
    """How far a performance falls short of competent playing.

    Attributes
    ----------
    of : measure -> shortfall; 0 is typical of competent playing, below 0 is better (rules alone)
    missing : measure -> why it could not be measured
    """

    of: Mapping[str, float]
    missing: Mapping[str, str]


def measure_shortfalls(performance: Performance, alignment: Alignment | None) -> Shortfalls:
    """Measure a whole performance.

    Parameters
    ----------
    performance
    alignment : with its score; without one, what needs it is missing
    """
    evidence = Evidence(performance, alignment)
    of, missing = {}, {}
    for name, label in rate_performance(evidence).items():
        if label.rating is None:
            missing[name] = label.missing.get(name, "it could not be measured")
        else:
            of[name] = shortfall(label.rating)
    damage = measure_damage(evidence)
    return Shortfalls({**of, **harm(damage, damage_anchors())}, {**missing, **damage.missing})


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


def deductions(dimension: str, shortfalls: Shortfalls) -> dict[str, float]:
    """Measure -> points that it takes off a dimension; below 0 where it adds some."""
    return {
        measure: points * shortfalls.of[measure]
        for measure, points in DEDUCTIONS.get(dimension, {}).items()
        if measure in shortfalls.of
    }


def combined(dimension: str, perception: Rating, shortfalls: Shortfalls) -> Rating:
    """The rating of one dimension.

    Its interval is that of perception, with what is uncertain in the deductions and what could not be
    measured added in squares.

    Parameters
    ----------
    dimension
    perception : of the model, with its calibrated interval
    shortfalls : of the whole performance
    """
    if perception.value is None or perception.interval_90 is None or perception.sigma is None:
        return perception
    taken = deductions(dimension, shortfalls)
    spread = deduction_sd(dimension, shortfalls)
    low, high = perception.interval_90
    half = math.hypot((high - low) / 2.0, 1.645 * spread)
    middle = perception.value - sum(taken.values())
    return perception.model_copy(
        update={
            "value": held(middle),
            "sigma": math.hypot(perception.sigma, spread),
            "interval_90": (held(middle - half), held(middle + half)),
            "source": "combined" if taken else perception.source,
            "perception": held(perception.value),
            "deductions": {name: round(points, 3) for name, points in taken.items()},
        }
    )


def deduction_sd(dimension: str, shortfalls: Shortfalls) -> float:
    """Standard deviation, in points, of what the deductions should have been."""
    weights = DEDUCTIONS.get(dimension, {})
    known = UNCERTAIN_SHARE * sum(abs(points) for points in deductions(dimension, shortfalls).values())
    unknown = [UNKNOWN_SHORTFALL * points for name, points in weights.items() if name in shortfalls.missing]
    return math.hypot(known, *unknown)


def held(points: float) -> float:
    """Hold points to 0..100: unchanged between 10 and 90, and in the same order everywhere.

    Examples
    --------
    >>> [round(held(points), 2) for points in (-20, 0, 10, 50, 90, 110)]
    [0.5, 3.68, 10, 50, 90, 98.65]
    """
    if points < SOFT_END:
        return SOFT_END * math.exp((points - SOFT_END) / SOFT_END)
    if points > 100.0 - SOFT_END:
        return 100.0 - SOFT_END * math.exp((100.0 - SOFT_END - points) / SOFT_END)
    return points
