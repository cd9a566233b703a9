"""Every method on every part of a table of predictions, each row calibrated on other clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.evaluation.cross_validation.shared_error import shared_error_share
from tocco.evaluation.interval_calibration.methods import Method, sd_factor
from tocco.evaluation.interval_calibration.parts import Part, parts_of
from tocco.evaluation.interval_calibration.predictions import Predictions
from tocco.metrics import (
    INTERVAL_LEVELS,
    Score,
    bootstrap_interval,
    evaluate_distribution,
    interval_score,
    null_of,
    perfect_curves,
)
from tocco.units import FloatArray

ALL: Final = "all"
"""Stands for all dimensions, pooled: every label counts once."""

NULL_DRAWS: Final = 500


@dataclass(frozen=True)
class CoverageRow:
    """What the intervals of one method do on one part.

    Attributes
    ----------
    split, input, method : names
    dimension : name, or `ALL`
    level : 0..1, nominal
    n, clusters : labels, and clusters that they are in
    coverage : 0..1
    low, high : 0..1, 95 % interval of the coverage over draws of clusters; of `ALL` only
    width, score : rating points, mean width and interval score
    """

    split: str
    input: str
    dimension: str
    method: str
    level: float
    n: int
    clusters: int
    coverage: float
    low: float | None
    high: float | None
    width: float
    score: float

    @property
    def holds(self) -> bool:
        """Whether the coverage differs from the level by no more than chance allows."""
        return self.low is not None and self.high is not None and self.low <= self.level <= self.high


def compare(
    predictions: Predictions,
    methods: Sequence[Method],
    generator: np.random.Generator,
    levels: Sequence[float] = INTERVAL_LEVELS,
) -> list[CoverageRow]:
    """Coverage and width of every method, part, dimension and level.

    A method by work is left out of a part in which some work has no other to be calibrated on.

    Parameters
    ----------
    predictions, methods
    generator : of the draws of clusters
    levels : 0..1
    """
    found = []
    for part in parts_of(predictions):
        of_dimension = part.by_dimension()
        for method in filter(part.allows, methods):
            for level in levels:
                low, high = part.intervals(method, level)
                for dimension, own in {ALL: np.arange(len(part.rows)), **of_dimension}.items():
                    name = (part.split, part.input, dimension, method.name, level)
                    found.append(_row(name, part.rows.where(own), low[own], high[own], generator))
    return found


def _row(
    name: tuple[str, str, str, str, float],
    rows: Predictions,
    low: FloatArray,
    high: FloatArray,
    generator: np.random.Generator,
) -> CoverageRow:
    inside = (low <= rows.label) & (rows.label <= high)
    clusters, code = np.unique(rows.cluster, return_inverse=True)
    ends = None, None
    if name[2] == ALL and len(clusters) > 1:
        hits, size = np.bincount(code, weights=inside), np.bincount(code)
        drawn = bootstrap_interval(
            lambda index: hits[index].sum() / size[index].sum(), np.arange(len(clusters)), generator
        )
        ends = float(drawn.low), float(drawn.high)
    return CoverageRow(
        *name,
        n=len(rows),
        clusters=len(clusters),
        coverage=float(inside.mean()),
        low=ends[0],
        high=ends[1],
        width=float(np.mean(high - low)),
        score=interval_score(rows.label, low, high, name[4]),
    )


def scaled_sd(part: Part) -> FloatArray:
    """(K,) rating points: the sd of each row times the factor that is found on the other folds."""
    sd = np.full(len(part.rows), np.nan)
    for side in part.sides("fold"):
        sd[side.index] = side.test.sd * sd_factor(side.calibration)
    return sd


@dataclass(frozen=True)
class DistributionRow:
    """How calibrated the distributions of one dimension are.

    Attributes
    ----------
    split, input, dimension, method : names; the method is "as predicted" or "temperature"
    shared : 0..1, correlation of the standardised errors within a cluster
    figures : metric -> figure, as of `evaluate_distribution`; with `clustered_p95` and
        `quantile_clustered_p95`, the 95th percentiles of both calibration errors of a perfect model with that
        correlation
    """

    split: str
    input: str
    dimension: str
    method: str
    shared: float
    figures: dict[str, Score]


def distributions(predictions: Predictions, generator: np.random.Generator) -> list[DistributionRow]:
    """Calibration, sharpness and scores of every part and dimension, before and after temperature scaling."""
    found = []
    for part in parts_of(predictions):
        rows = part.rows
        for method, sd in (("as predicted", rows.sd), ("temperature", scaled_sd(part))):
            for dimension, own in part.by_dimension().items():
                figures = evaluate_distribution(rows.label[own], rows.mean[own], sd[own], generator)
                z = (rows.label[own] - rows.mean[own]) / sd[own]
                shared = shared_within(z, rows.cluster[own])
                figures |= _clustered_nulls(rows.cluster[own], shared, generator)
                found.append(DistributionRow(part.split, part.input, dimension, method, shared, figures))
    return found


def shared_within(z: FloatArray, clusters: npt.NDArray[np.str_]) -> float:
    """Correlation of the standardised errors of two labels of a cluster, held to 0..1; 0 without such a pair.

    Parameters
    ----------
    z : (N,)
    clusters : (N,)
    """
    if len(np.unique(clusters)) == len(z) or np.ptp(z) == 0:
        return 0.0
    return float(np.clip(shared_error_share(z - z.mean(), clusters), 0.0, 1.0))


def _clustered_nulls(
    clusters: npt.NDArray[np.str_], shared: float, generator: np.random.Generator
) -> dict[str, Score]:
    central, quantile = perfect_curves(clusters, shared, generator, draws=NULL_DRAWS)
    return {"clustered_p95": null_of(central).p95, "quantile_clustered_p95": null_of(quantile).p95}
