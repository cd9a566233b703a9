"""Resampling: how far a figure would move if other music had been rated.

Resampling draws whole clusters, because excerpts of one cluster share notes and players; drawing
single excerpts would make every figure look surer than it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.metrics.validation import validate_level
from tocco.units import FloatArray, IntArray

N_DRAWS = 2000
MOST_UNDEFINED = 0.05
"""Share of draws that may be without a value; with more, the interval is that of other data."""

Statistic = Callable[[IntArray], npt.ArrayLike]
"""A figure, or several, of the performances with the given indices (repeats allowed)."""


@dataclass(frozen=True, eq=False)
class BootstrapInterval:
    """Figures with the range in which another sample of the same kind would put them.

    Attributes
    ----------
    value : (...) the figures of the sample itself
    low, high : (...) ends of the percentile interval
    level : 0..1, the coverage that the interval claims
    n_undefined : draws for which the figure is undefined; they are left out
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    level: float
    n_undefined: int = 0


def bootstrap_interval(
    statistic: Statistic,
    clusters: npt.ArrayLike,
    generator: np.random.Generator,
    n: int = N_DRAWS,
    level: float = 0.95,
) -> BootstrapInterval:
    """A figure and the range that draws of whole clusters, with replacement, give it.

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993: ch. 8 on data that are not
    independent, ch. 13 on the percentile interval.

    Parameters
    ----------
    statistic
        Takes indices of performances, a cluster drawn twice listed twice; returns one figure or an
        array of them, always of one shape.
    clusters : (N,) any label, at least two of them
    generator
        Source of the draws.
    n : draws, >= 1
    level : 0..1

    Returns
    -------
    BootstrapInterval
        NaN ends where an array that the statistic returns has NaN for a draw.

    Raises
    ------
    MetricUndefined
        The statistic is undefined for the sample itself, or for more than 5 % of the draws.
    """
    validate_level(level)
    if n < 1:
        raise ValueError(f"n is {n}, must be at least 1 draw")
    clusters = np.asarray(clusters)
    if clusters.ndim != 1:
        raise ValueError(f"clusters must be flat, one a performance, not of shape {clusters.shape}")
    names, code = np.unique(clusters, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"{len(names)} cluster: a bootstrap over clusters needs at least 2")
    members = [np.flatnonzero(code == c) for c in range(len(names))]
    value = np.asarray(statistic(np.arange(len(clusters))), dtype=float)
    draws = list[FloatArray]()
    for pick in generator.integers(len(names), size=(n, len(names))):
        try:
            draws.append(np.asarray(statistic(np.concatenate([members[c] for c in pick])), dtype=float))
        except MetricUndefined:
            continue
    if n - len(draws) > MOST_UNDEFINED * n:
        raise MetricUndefined(Reason.DRAWS_UNDEFINED)
    low, high = np.quantile(np.stack(draws), [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0)
    return BootstrapInterval(value, low, high, level, n_undefined=n - len(draws))


def paired_bootstrap_difference(
    first: Statistic,
    second: Statistic,
    clusters: npt.ArrayLike,
    generator: np.random.Generator,
    n: int = N_DRAWS,
    level: float = 0.95,
) -> BootstrapInterval:
    """By how much one system differs from another on the same music: `first` - `second`.

    Both are measured on the same draws of clusters, so that what is hard for both cancels; an
    interval that leaves out 0 is a difference that this sample can show.

    Parameters
    ----------
    first, second, clusters, generator, n, level
        As for `bootstrap_interval`.
    """

    def difference(index: IntArray) -> FloatArray:
        return np.asarray(first(index), dtype=float) - np.asarray(second(index), dtype=float)

    return bootstrap_interval(difference, clusters, generator, n, level)
