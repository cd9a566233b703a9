"""Figures that are compared with the bars, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from tocco.evaluation.validity.bars import BARS
from tocco.evaluation.validity.rows import Row
from tocco.metrics import bootstrap_interval
from tocco.schema import StrictModel
from tocco.units import FloatArray, IntArray

N_DRAWS: Final = 400
MISSING_CHANGE: Final = 100.0
"""Points that a rating which appears or goes counts as: the whole scale."""


class Figure(StrictModel):
    """One figure and its bar."""

    bar: str
    """Name of the bar."""

    modality: str
    group: str
    """Group of damages, or kind of change; "" where there is one group."""

    value: float | None
    """null where nothing could be computed."""

    low: float | None
    high: float | None
    """95 % bootstrap interval; null with fewer than two pieces."""

    n: int
    """Pairs, takes or passages that it is computed from."""

    held: bool


def figure_of(
    bar: str,
    modality: str,
    group: str,
    statistic: Callable[[IntArray], float],
    clusters: Sequence[str],
) -> Figure:
    """A figure with its interval.

    Parameters
    ----------
    bar : its name
    modality, group
    statistic : of the items with the given indices
    clusters : (N,) what is drawn in the bootstrap: pieces, or players
    """
    n = len(clusters)
    value = float(statistic(np.arange(n))) if n else float("nan")
    low, high = _ends(statistic, clusters)
    return Figure(
        bar=bar,
        modality=modality,
        group=group,
        value=_known(value),
        low=_known(low),
        high=_known(high),
        n=n,
        held=BARS[bar].is_held(value),
    )


def _ends(statistic: Callable[[IntArray], float], clusters: Sequence[str]) -> tuple[float, float]:
    if len(set(clusters)) < 2:
        return float("nan"), float("nan")
    with np.errstate(invalid="ignore"):
        found = bootstrap_interval(statistic, np.array(clusters), np.random.default_rng(0), N_DRAWS)
    return float(found.low), float(found.high)


def _known(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def mean_by_kind(value: FloatArray, kind: IntArray) -> Callable[[IntArray], float]:
    """Mean of values in which every kind weighs the same; NaN values count for nothing.

    Parameters
    ----------
    value : (N,)
    kind : (N,) index of the kind
    """

    def statistic(index: IntArray) -> float:
        known = index[np.isfinite(value[index])]
        if not len(known):
            return float("nan")
        total = np.bincount(kind[known], value[known])
        count = np.bincount(kind[known])
        return float(np.mean(total[count > 0] / count[count > 0]))

    return statistic


def median(value: FloatArray) -> Callable[[IntArray], float]:
    """Median of values; NaN values count for nothing."""

    def statistic(index: IntArray) -> float:
        known = value[index][np.isfinite(value[index])]
        return float(np.median(known)) if len(known) else float("nan")

    return statistic


def percentile(value: FloatArray, percent: float) -> Callable[[IntArray], float]:
    """Percentile of values."""

    def statistic(index: IntArray) -> float:
        return float(np.percentile(value[index], percent)) if len(index) else float("nan")

    return statistic


def share(value: Iterable[bool]) -> FloatArray:
    """Truth values as numbers."""
    return np.array([float(one) for one in value])


def is_silent(row: Row) -> bool:
    """Whether nothing is said of a file: an abstention, or a refusal."""
    return row.abstained or row.refusal is not None


def change(row: Row, reference: Row | None, dimension: str) -> float:
    """Points by which a rating, or the "aggregate", differs from another row's; NaN where one is missing."""
    if reference is None:
        return float("nan")
    new, old = rating(row, dimension), rating(reference, dimension)
    return float("nan") if new is None or old is None else new - old


def rating(row: Row, dimension: str) -> float | None:
    """A rating, or the "aggregate"; None where it is missing."""
    return row.aggregate if dimension == "aggregate" else row.ratings.get(dimension)
