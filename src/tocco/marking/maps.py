"""From ratings to the marks of one person: a monotone map of each dimension, and weights of the aggregate.

Everything is in points, 0 to 100. A map is a line that does not fall, held to 0..100; without marks it is the
identity. docs/calibration.md has the model, its priors and the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.marking.shrinkage import Posterior, Prior, posterior
from tocco.metrics import RATING_RANGE
from tocco.rubrics import AGGREGATE_WEIGHTS
from tocco.units import FloatArray

Z_90: Final = 1.6449
"""Half of a 90 % interval of the normal distribution, in standard deviations."""

OFFSET_SD: Final = 15.0
"""Points: how far a person's level lies off ours, before any mark is seen. One who marks 30 points higher or
lower throughout is then one in twenty."""

SLOPE_SD: Final = 0.5
"""Of the slope, whose default is 1: one that spreads marks twice as far, or not at all, is one in twenty."""

PIVOTS: Final[Mapping[str, float]] = {"note_accuracy": 97.0}
"""Dimension -> rating at which the offset is measured, where it is not the middle of the scale: a share of
right notes, whose competent takes lie above 97."""

STEEP_SLOPE_SD: Final = 3.0
"""Of the slope of such a dimension: marks spread over it further than its ratings do."""

WEIGHT_SD: Final = 0.06
"""Of the share of one dimension: a weight of .125 is 0 or doubled for one in twenty."""

CONTRADICTION_LEVEL: Final = 0.05
"""One-sided level at which a negative correlation counts as a contradiction."""

MIN_RATED_WEIGHT: Final = 0.5
"""A mark of the whole is given where at least so much of its weight is rated, as the default aggregate is."""

_SAME: Final = 0.01
"""Points: ratings are written to two decimals, and nearer ones are the same."""

MIN_TO_CONTRADICT: Final = 4
"""Fewer marks contradict nothing: a line through three may fall by chance."""


def pivot(dimension: str) -> float:
    """Rating at which the offset of a dimension is measured."""
    return PIVOTS.get(dimension, 50.0)


@dataclass(frozen=True, eq=False)
class MarkMap:
    """Marks from ratings.

    Attributes
    ----------
    names : (D,) dimensions that it reads
    offset : points at the pivots, above the default
    slopes : (D,) points of the mark for one point of the rating, >= 0
    default_slopes : (D,) of the default
    covariance : (1 + D, 1 + D) of offset and slopes
    noise_sd : points, of one mark around the map
    contradicted : whether the marks contradict the ratings, so that the default stands
    """

    names: tuple[str, ...]
    offset: float
    slopes: FloatArray
    default_slopes: FloatArray
    covariance: FloatArray
    noise_sd: float
    contradicted: bool = False

    def among(self, names: Sequence[str]) -> MarkMap | None:
        """The map over those of its dimensions that are rated: the others take the share of what is missing.

        Parameters
        ----------
        names : dimensions that are rated

        Returns
        -------
        None where less than `MIN_RATED_WEIGHT` of its weight is rated.
        """
        there = np.array([name in names for name in self.names])
        if there.all():
            return self
        total, rated = self.slopes.sum(), self.slopes[there].sum()
        default = self.default_slopes[there].sum()
        enough = rated >= MIN_RATED_WEIGHT * total if total > 0.0 else default >= MIN_RATED_WEIGHT
        if not enough or default == 0.0:
            return None
        factor = total / rated if rated > 0.0 else 1.0
        rows = np.concatenate(([True], there))
        grown = np.concatenate(([1.0], np.full(there.sum(), factor)))
        return replace(
            self,
            names=tuple(name for name in self.names if name in names),
            slopes=self.slopes[there] * factor,
            default_slopes=self.default_slopes[there] / default,
            covariance=self.covariance[np.ix_(rows, rows)] * np.outer(grown, grown),
        )

    @property
    def weights(self) -> FloatArray:
        """(D,) shares of the dimensions in the mark; the default's where no slope is above 0."""
        slopes = self.slopes if self.slopes.sum() > 0.0 else self.default_slopes
        return slopes / slopes.sum()

    def predict(self, ratings: FloatArray) -> FloatArray:
        """(N,) points from (N, D) ratings."""
        pivots = np.array([pivot(name) for name in self.names])
        middle = self.default_slopes @ pivots
        return np.clip(middle + self.offset + (ratings - pivots) @ self.slopes, *RATING_RANGE)

    def sd(self, ratings: FloatArray) -> FloatArray:
        """(N,) points: what is unknown about the map there."""
        pivots = np.array([pivot(name) for name in self.names])
        rows = np.column_stack((np.ones(len(ratings)), ratings - pivots))
        return np.sqrt(np.maximum(np.einsum("np,pq,nq->n", rows, self.covariance, rows), 0.0))

    def interval(
        self, ratings: FloatArray, low: FloatArray, high: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """(N,) ends of the interval in which nine in ten marks of the person are expected.

        The ends of the ratings' intervals are mapped. Where they lie nearer than the marks vary around the
        map, the latter counts, which holds the errors of the ratings; what is unknown about the map is added
        in squares.

        Parameters
        ----------
        ratings, low, high : (N, D) with low <= ratings <= high
        """
        value, unknown = self.predict(ratings), Z_90 * self.sd(ratings)
        noise = 0.0 if self.contradicted else Z_90 * self.noise_sd
        ends = [np.abs(value - self.predict(end)) for end in (low, high)]
        below, above = (np.hypot(np.maximum(end, noise), unknown) for end in ends)
        return np.clip(value - below, *RATING_RANGE), np.clip(value + above, *RATING_RANGE)


def default_weights(names: Sequence[str]) -> FloatArray:
    """(D,) shares of the default aggregate over these dimensions."""
    weights = np.array([AGGREGATE_WEIGHTS.get(name, 0.0) for name in names])
    return weights / weights.sum()


def fit_dimension(name: str, ratings: FloatArray, marks: FloatArray) -> MarkMap:
    """The map of one dimension.

    Parameters
    ----------
    name
    ratings : (N, 1), N may be 0
    marks : (N,) points
    """
    slope_sd = STEEP_SLOPE_SD if name in PIVOTS else SLOPE_SD
    return _fitted((name,), np.ones(1), np.array([[slope_sd**2]]), ratings, marks)


def fit_aggregate(names: Sequence[str], ratings: FloatArray, marks: FloatArray) -> MarkMap:
    """The map of the aggregate, with a weight for each dimension.

    Parameters
    ----------
    names : (D,) at least one of them with a weight in the default aggregate
    ratings : (N, D), N may be 0
    marks : (N,) points
    """
    weights = default_weights(names)
    covariance = SLOPE_SD**2 * np.outer(weights, weights) + WEIGHT_SD**2 * np.eye(len(weights))
    return _fitted(tuple(names), weights, covariance, ratings, marks)


def contradicts(ratings: FloatArray, marks: FloatArray) -> bool:
    """Whether marks fall where ratings rise, by more than chance: a one-sided test of the correlation.

    Parameters
    ----------
    ratings, marks : (N,)
    """
    n = len(marks)
    if n < MIN_TO_CONTRADICT or min(np.ptp(ratings), np.ptp(marks)) < _SAME:
        return False
    from scipy.special import stdtr

    r = float(np.corrcoef(ratings, marks)[0, 1])
    t = r * np.sqrt((n - 2) / max(1.0 - r**2, 1e-12))
    return bool(stdtr(n - 2, t) < CONTRADICTION_LEVEL)


def _fitted(
    names: tuple[str, ...],
    default: FloatArray,
    slope_covariance: FloatArray,
    ratings: FloatArray,
    marks: FloatArray,
) -> MarkMap:
    pivots = np.array([pivot(name) for name in names])
    covariance = np.zeros((len(names) + 1, len(names) + 1))
    covariance[0, 0] = OFFSET_SD**2
    covariance[1:, 1:] = slope_covariance
    if contradicts(ratings @ default, marks):
        none = np.zeros_like(covariance)
        return MarkMap(names, 0.0, default, default, none, 0.0, contradicted=True)
    prior = Prior(
        mean=np.concatenate(([0.0], default)),
        covariance=covariance,
        not_below_0=np.array([False] + [True] * len(names)),
    )
    design = np.column_stack((np.ones(len(marks)), ratings - pivots))
    found: Posterior = posterior(design, marks - default @ pivots, prior)
    return MarkMap(names, float(found.mode[0]), found.mode[1:], default, found.covariance, found.noise_sd)
