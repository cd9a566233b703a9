"""The one place where a rating is put together: perception less deductions.

    rating = held to 0..100 ( perception - sum over measures of points * shortfall )

*Perception* is what a model of listeners says of the performance as if it were free of damage: damage hardly
moves it (`tocco.models.damage_invariant_ridge`), and it was learned from listeners' ratings with the
deductions of each performance added back, so that competent playing is rated as the listeners rated it. A
*shortfall* is 0 where a typical competent performance is, and grows with the damage. So a rating falls
whenever a measure of damage grows and perception stays. docs/combination.md has the formula with an example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from tocco.inference.assessment import Rating
from tocco.inference.shortfalls import Shortfalls
from tocco.inference.verdict import ModelVerdict
from tocco.units import FloatArray

SOFT_END: Final = 10.0
"""Points from either end of the scale within which a rating approaches the end and never reaches it."""

UNCERTAIN_SHARE: Final = 0.5
"""Standard deviation of what a deduction should have been, as a share of it."""

UNKNOWN_SHORTFALL: Final = 0.8
"""Standard deviation of a shortfall that could not be measured."""

_OVERALL: Final[Mapping[str, float]] = {
    # by rule
    "note_accuracy": 8.0,
    "rhythmic_precision": 6.0,
    "dynamics_control": 3.0,
    "articulation_quality": 3.0,
    "pedaling_technique": 4.0,
    "tone_quality": 3.0,
    # damage
    "lost_time": 8.0,
    "worst_stop": 4.0,
    "note_errors": 8.0,
    "unsteadiness": 6.0,
    "slowness": 4.0,
    "flat_levels": 6.0,
    "random_levels": 6.0,
    "smear_sec": 2.0,
    "pedal_held": 5.0,
    "hands_apart": 8.0,
    "overlap": 3.0,
    "clusters": 10.0,
    "density": 10.0,
}


def _share_of_overall(share: float, **own: float) -> dict[str, float]:
    """The same measures at a share of their points: tempo is no fault of an interpretation."""
    return {name: share * points for name, points in _OVERALL.items() if name != "slowness"} | own


DEDUCTIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "rhythmic_precision": {
        "rhythmic_precision": 14.0,
        "lost_time": 10.0,
        "worst_stop": 8.0,
        "unsteadiness": 8.0,
        "hands_apart": 10.0,
    },
    "dynamics_control": {"dynamics_control": 10.0, "random_levels": 12.0, "flat_levels": 8.0},
    "articulation_quality": {"articulation_quality": 10.0, "overlap": 12.0},
    "pedaling_technique": {"pedaling_technique": 10.0, "pedal_held": 10.0, "smear_sec": 2.0},
    "tone_quality": {
        "tone_quality": 12.0,
        "dynamics_control": 2.0,
        "random_levels": 6.0,
        "flat_levels": 4.0,
        "clusters": 5.0,
    },
    "phrasing": _share_of_overall(0.5),
    "musicality": _share_of_overall(0.6),
    "overall_quality": _OVERALL,
    "expressiveness": _share_of_overall(0.4, flat_levels=6.0),
}
"""Dimension -> measure -> points that a shortfall of 1 takes off.

Chosen once, on the 21 corruptions and nine composites of 24 excerpts (PercePiano, Vienna), from a few sets of
round numbers: as little as makes most ratings fall from the third of five steps on. The grades of 45 takes of
students were looked at beside, and no set was preferred for them."""


def deductions(dimension: str, shortfalls: Shortfalls) -> dict[str, float]:
    """Measure -> points that it takes off a dimension; below 0 where it adds some."""
    return {
        measure: points * shortfalls.of[measure]
        for measure, points in DEDUCTIONS.get(dimension, {}).items()
        if measure in shortfalls.of
    }


def total_deductions(names: Sequence[str], shortfalls: Shortfalls) -> FloatArray:
    """(D,) points that are taken off each dimension."""
    return np.array([sum(deductions(name, shortfalls).values()) for name in names], dtype=float)


def deduction_sd(names: Sequence[str], shortfalls: Shortfalls) -> FloatArray:
    """(D,) standard deviation, in points, of what the deductions should have been.

    What is taken off is uncertain by a share of it; what could not be measured, by as much as such a
    shortfall varies.
    """
    found = np.zeros(len(names))
    for d, name in enumerate(names):
        known = UNCERTAIN_SHARE * sum(abs(points) for points in deductions(name, shortfalls).values())
        unknown = [
            UNKNOWN_SHORTFALL * points
            for measure, points in DEDUCTIONS.get(name, {}).items()
            if measure in shortfalls.missing
        ]
        found[d] = np.sqrt(known**2 + sum(points**2 for points in unknown))
    return found


def less_deductions(verdict: ModelVerdict, shortfalls: Shortfalls, local: FloatArray) -> ModelVerdict:
    """The verdict on the performance as it was played, from that of perception.

    Parameters
    ----------
    verdict : perception
    shortfalls : of the whole performance
    local : (K, D) points that each window loses beyond the mean of all windows
    """
    taken = total_deductions(verdict.names, shortfalls)
    spread = deduction_sd(verdict.names, shortfalls)
    around = verdict.merge.curve(local)
    return replace(
        verdict,
        rating=held(verdict.rating - taken),
        curve=held(verdict.curve - taken - around),
        sd=np.hypot(verdict.sd, spread),
        curve_sd=np.hypot(verdict.curve_sd, spread),
    )


def with_account(rating: Rating, dimension: str, perception: float, shortfalls: Shortfalls) -> Rating:
    """The rating with what it was put together from.

    Parameters
    ----------
    rating : of the performance as it was played
    dimension
    perception : points, before the deductions
    shortfalls
    """
    taken = deductions(dimension, shortfalls)
    if rating.value is None or not taken:
        return rating
    account = {"source": "combined", "perception": float(held(np.array(perception))), "deductions": taken}
    return Rating.model_validate(rating.model_dump() | account)


def held(points: FloatArray) -> FloatArray:
    """Hold points to 0..100: unchanged between 10 and 90, and in the same order everywhere.

    Examples
    --------
    >>> held(np.array([-20.0, 0.0, 10.0, 50.0, 90.0, 110.0])).round(2).tolist()
    [0.5, 3.68, 10.0, 50.0, 90.0, 98.65]
    """
    top = 100.0 - SOFT_END
    low = SOFT_END * np.exp((np.minimum(points, SOFT_END) - SOFT_END) / SOFT_END)
    high = 100.0 - SOFT_END * np.exp((top - np.maximum(points, top)) / SOFT_END)
    return np.where(points < SOFT_END, low, np.where(points > top, high, points))
