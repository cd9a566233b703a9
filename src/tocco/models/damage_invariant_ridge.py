"""Kernel ridge regression that is hardly moved by damage.

Statistics of the same performance, clean and damaged (wrong notes, stops, random loudness), differ in some
directions of their space more than in others. Distances between performances are taken in a metric that
discounts those directions, as within-class covariance normalisation does for the channels of recordings
(Hatch, Kajarekar, Stolcke, Interspeech 2006). So a damaged performance is rated about as the clean one would
be, and what the damage costs can be taken off by rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from tocco.models.predictor import Prediction, PredictorInput
from tocco.models.predictor_files import (
    ArrayKind,
    Header,
    read_arrays,
    read_header,
    refused,
    write_arrays,
    write_header,
)
from tocco.models.statistics_models import StatisticsScale, fit_statistics_scale, label_sd
from tocco.units import FloatArray, IntArray

INVARIANCE: Final = 10.0
"""Weight of the covariance of the damage in the metric, where 1 is the variance of the clean performances.
More of it moves ratings less where a performance is damaged and costs agreement with listeners
(docs/experiments/accuracy.md)."""

RIDGE_PENALTY: Final = 0.5
LINEAR_SHARE: Final = 0.2
"""Weight of the linear kernel beside the rational quadratic one."""

_SCALE_ROWS: Final = 300


@dataclass(frozen=True, eq=False)
class DamageInvariantRidge:
    """Ratings of the performances that are alike, whatever damage was done to them.

    Attributes
    ----------
    names : (D,) targets
    statistics : (P,) names of the statistics that are read
    scale
    metric : (P, P) float32, symmetric; standardised statistics times it are compared
    training : (N, P) float32, standardised statistics of the training performances, times the metric
    distance : squared distance at which the rational quadratic kernel is one half
    dual : (N, D) rating points, weight of each training performance
    mean : (D,) rating points, mean of the training labels
    sd : (D,) rating points, their spread
    """

    names: tuple[str, ...]
    statistics: tuple[str, ...]
    scale: StatisticsScale
    metric: FloatArray
    training: FloatArray
    distance: float
    dual: FloatArray
    mean: FloatArray
    sd: FloatArray

    kind: ClassVar[str] = "damage_invariant_ridge"

    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`; ratings are not held to 0..100."""
        z = self.scale.standardised(rows.read_statistics(self.statistics)) @ self.metric.astype(float)
        rating = self.mean + kernel(z, self.training.astype(float), self.distance) @ self.dual
        return Prediction(rating, np.tile(self.sd, (len(z), 1)))

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        write_arrays(
            folder,
            {
                "statistics_mean": self.scale.mean,
                "statistics_sd": self.scale.sd,
                "metric": self.metric,
                "training": self.training,
                "distance": np.array([self.distance]),
                "dual": self.dual,
                "label_mean": self.mean,
                "sd": self.sd,
            },
        )
        write_header(folder, Header(self.kind, self.names, self.statistics))

    @classmethod
    def load(cls, folder: Path) -> DamageInvariantRidge:
        """See `Predictor.load`."""
        header = read_header(folder, cls.kind)
        n_targets, n_statistics = len(header.names), len(header.statistics)
        kinds = {
            "statistics_mean": (n_statistics,),
            "statistics_sd": (n_statistics,),
            "metric": (n_statistics, n_statistics),
            "training": (None, n_statistics),
            "distance": (1,),
            "dual": (None, n_targets),
            "label_mean": (n_targets,),
            "sd": (n_targets,),
        }
        single = ("metric", "training")
        arrays = read_arrays(
            folder,
            {
                name: ArrayKind("float32" if name in single else "float64", shape)
                for name, shape in kinds.items()
            },
        )
        if len(arrays["training"]) != len(arrays["dual"]):
            raise refused(folder, "training and dual differ in length")
        if (arrays["statistics_sd"] < 0).any() or arrays["distance"][0] <= 0:
            raise refused(folder, "a spread or the distance is not above 0")
        return cls(
            header.names,
            header.statistics,
            StatisticsScale(arrays["statistics_mean"], arrays["statistics_sd"]),
            arrays["metric"],
            arrays["training"],
            float(arrays["distance"][0]),
            arrays["dual"],
            arrays["label_mean"],
            arrays["sd"],
        )


@dataclass(frozen=True, eq=False)
class DamagedCopies:
    """Statistics of performances that were damaged on purpose.

    Attributes
    ----------
    statistics : (M, P) NaN where missing
    original : (M,) index of the clean performance
    """

    statistics: FloatArray
    original: IntArray

    def of(self, originals: IntArray) -> DamagedCopies:
        """The copies of these performances, counted from 0 in the order of `originals`."""
        place = {int(row): k for k, row in enumerate(originals)}
        taken = np.flatnonzero(np.isin(self.original, originals))
        return DamagedCopies(
            self.statistics[taken], np.array([place[int(row)] for row in self.original[taken]], dtype=int)
        )


def fit_damage_invariant_ridge(
    names: Sequence[str],
    statistics: Sequence[str],
    inputs: FloatArray,
    labels: FloatArray,
    damaged: DamagedCopies,
    *,
    invariance: float = INVARIANCE,
) -> DamageInvariantRidge:
    """Fit to clean performances, in a metric from their damaged copies.

    Parameters
    ----------
    names : (D,) targets
    statistics : (P,) names
    inputs : (N, P) NaN where missing
    labels : (N, D) rating points, finite
    damaged : of the same performances; their labels are not used
    invariance : weight of the damage's covariance in the metric
    """
    scale = fit_statistics_scale(inputs)
    z = scale.standardised(inputs)
    metric = damage_metric(scale.standardised(damaged.statistics) - z[damaged.original], invariance)
    # As they will be stored, so that a predictor rates alike before and after.
    metric = metric.astype(np.float32).astype(float)
    training = (z @ metric).astype(np.float32).astype(float)
    distance = float(np.median(squared_distances(training[:_SCALE_ROWS], training)))
    mean = labels.mean(axis=0)
    equations = kernel(training, training, distance) + RIDGE_PENALTY * np.eye(len(training))
    return DamageInvariantRidge(
        tuple(names),
        tuple(statistics),
        scale,
        metric.astype(np.float32),
        training.astype(np.float32),
        distance,
        np.linalg.solve(equations, labels - mean),
        mean,
        label_sd(labels),
    )


def damage_metric(difference: FloatArray, invariance: float) -> FloatArray:
    """The inverse square root of `1 + invariance * covariance` of the damage.

    Parameters
    ----------
    difference : (M, P) standardised statistics, damaged less clean
    invariance : 0 or more

    Returns
    -------
    (P, P) symmetric
    """
    n_statistics = difference.shape[1]
    covariance = difference.T @ difference / max(len(difference), 1)
    values, vectors = np.linalg.eigh(np.eye(n_statistics) + invariance * covariance)
    return (vectors / np.sqrt(values)) @ vectors.T


def kernel(a: FloatArray, b: FloatArray, distance: float) -> FloatArray:
    """Rational quadratic kernel, and a linear one beside it.

    Parameters
    ----------
    a : (N, P), b : (M, P)
    distance : squared distance at which the first is one half

    Returns
    -------
    (N, M)
    """
    return 1.0 / (1.0 + squared_distances(a, b) / distance) + LINEAR_SHARE * (a @ b.T) / distance


def squared_distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """(N, M) squared Euclidean distances of (N, P) and (M, P)."""
    squared = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b)[None, :]
    return np.maximum(squared - 2.0 * a @ b.T, 0.0)
