"""Summary of a cross-validation: means over dimensions, their intervals, and differences of systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.metrics import BootstrapInterval, pair_counts
from tocco.rubrics import DESCRIPTORS, DIMENSIONS
from tocco.units import BoolArray, FloatArray, IntArray

METRICS = ("pearson_r", "r2", "mae", "rmse", "mae_skill", "pair_accuracy", "pair_accuracy_within")
"""The rows of every table here; the last counts pairs of human performances of one passage."""

CONSTANT = "constant"
"""The reference system of the skill of all others."""

EVERYONE, HUMANS = "all performances", "human performances"

LEAST_CLUSTERS = 5
"""With fewer clusters, draws have a handful of values, and an interval over them would look far too sure."""

_DRAWS_AT_ONCE = 200
"""Draws whose table of pairs is in memory: 5 MB for every cluster and 28 targets."""

Families = Callable[[tuple[str, ...]], Mapping[str, BoolArray]]
"""Names of targets -> title of a family -> mask of its targets."""

_FAMILIES = (("descriptors", DESCRIPTORS), ("dimensions", DIMENSIONS))


class ClusterScores:
    """Metrics of one system, prepared for bootstrap draws of whole clusters.

    Every metric is a ratio of sums over performances or over pairs; the sums of each cluster are
    computed once, so that a thousand draws cost a thousand small products. In a draw, a cluster that
    is drawn twice is paired with its copy, as with any other cluster, but its passages are not.

    Parameters
    ----------
    labels : (N, D) rating, NaN where missing; at least one in each column
    est, constant : (N, D) rating
    clusters, passages : (N,) any label; each passage within one cluster
    is_human : (N,)
    """

    def __init__(
        self,
        labels: FloatArray,
        est: FloatArray,
        constant: FloatArray,
        clusters: npt.NDArray,
        passages: npt.NDArray,
        is_human: BoolArray,
    ) -> None:
        _, self._cluster, self._size = np.unique(clusters, return_inverse=True, return_counts=True)
        there = ~np.isnan(labels)
        # Sums of squares are taken about the middle of the scale, to keep their digits.
        y, p, c = (np.where(there, table - 50.0, 0.0) for table in (labels, est, constant))
        terms = (there, y, y * y, p, p * p, y * p, (y - p) ** 2, np.abs(y - p), np.abs(y - c))
        self._sums = np.zeros((len(terms), len(self._size), labels.shape[1]))
        for total, term in zip(self._sums, terms, strict=True):
            np.add.at(total, self._cluster, term)
        columns = range(labels.shape[1])
        pairs = [pair_counts(labels[:, d], est[:, d], clusters=self._cluster) for d in columns]
        human = np.where(is_human[:, None], labels, np.nan)
        within = [
            pair_counts(human[:, d], est[:, d], clusters=self._cluster, groups=passages) for d in columns
        ]
        # (C, C, 2 D): a draw is two products with the multiplicity of each cluster.
        self._pairs = np.stack([table for pair in zip(*pairs, strict=True) for table in pair], axis=-1)
        of_passages = np.moveaxis(np.array(within), 0, -1)  # (2, C, C, D)
        self._within = np.einsum("kccd->kcd", of_passages)
        if not np.isclose(self._within.sum(), of_passages.sum()):
            raise ValueError("a passage is in more than one cluster: the bootstrap cannot draw it as a whole")

    def at(self, index: IntArray) -> FloatArray:
        """Metrics of a draw.

        Parameters
        ----------
        index : (K,) whole clusters of performances

        Returns
        -------
        (7, D) in the order of `METRICS`; NaN where one is undefined
        """
        times = np.bincount(self._cluster[index], minlength=len(self._size)) / self._size
        return self.over_draws(times[None])[0]

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self._size)

    def over_draws(self, times: FloatArray) -> FloatArray:
        """Metrics of many draws at once.

        Parameters
        ----------
        times : (B, C) how often each cluster, in sorted order, is in each draw

        Returns
        -------
        (B, 7, D) in the order of `METRICS`; NaN where one is undefined
        """
        n, y, yy, p, pp, yp, square, error, base = np.einsum("bc,tcd->tbd", times, self._sums)
        won, compared = np.split(self._pair_sums(times), 2, axis=1)
        won_within, compared_within = np.einsum("bc,kcd->kbd", times, self._within)
        n = np.where(n > 0, n, np.nan)
        var_y, var_p = _sum_of_squares(n, y, yy), _sum_of_squares(n, p, pp)
        r = _ratio(yp - y * p / n, np.sqrt(var_y * var_p))
        return np.stack(
            [
                np.where((var_p == 0) & (var_y > 0), 0.0, r),
                1.0 - _ratio(square, var_y),
                error / n,
                np.sqrt(square / n),
                1.0 - _ratio(error, base),
                _ratio(won, compared),
                _ratio(won_within, compared_within),
            ],
            axis=1,
        )

    def _pair_sums(self, times: FloatArray) -> FloatArray:
        """(B, 2 D) pairs won and compared, each counted as often as its two clusters are drawn."""
        clusters = times.shape[1]
        found = np.empty((len(times), self._pairs.shape[-1]))
        for first in range(0, len(times), _DRAWS_AT_ONCE):
            some = slice(first, first + _DRAWS_AT_ONCE)
            lower = (times[some] @ self._pairs.reshape(clusters, -1)).reshape(-1, clusters, found.shape[1])
            found[some] = np.einsum("bc,bcd->bd", times[some], lower)
        return found


def _sum_of_squares(n: FloatArray, total: FloatArray, squares: FloatArray) -> FloatArray:
    """About the mean; rounding errors of equal values count as 0."""
    about_mean = squares - total * total / n
    return np.where(about_mean <= 1e-12 * np.maximum(squares, n), 0.0, about_mean)


def _ratio(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.divide(a, b, out=np.full(np.shape(a), np.nan), where=b > 0)


@dataclass(frozen=True, eq=False)
class PartSummary:
    """Metrics of the systems over one part of the performances.

    Attributes
    ----------
    part : `EVERYONE` or `HUMANS`
    n_performances, n_clusters
    names : (D,) targets that have labels here
    labels : (D,) number of labels of each
    scores : system -> (7, D) in the order of `METRICS`
    families : family -> (D,) mask of its targets
    means : (family, system) -> (7,) means over the family
    gains : (family, system) -> (7,) main system minus this one, on the same draws
    """

    part: str
    n_performances: int
    n_clusters: int
    names: tuple[str, ...]
    labels: IntArray
    scores: Mapping[str, FloatArray]
    families: Mapping[str, BoolArray]
    means: Mapping[tuple[str, str], BootstrapInterval]
    gains: Mapping[tuple[str, str], BootstrapInterval]


def default_families(names: tuple[str, ...]) -> dict[str, BoolArray]:
    """The families with members, named with their number ("19 descriptors")."""
    masks = {family: np.isin(names, members) for family, members in _FAMILIES}
    return {f"{mask.sum()} {family}": mask for family, mask in masks.items() if mask.any()}


def summarise_part(
    result: CrossValidationResult,
    part: str,
    main: str,
    generator: np.random.Generator,
    n_resamples: int = 1000,
    families_of: Families | None = None,
) -> PartSummary:
    """Compute the metrics of every system over one part of the performances.

    Parameters
    ----------
    result
        Must contain the system `constant`.
    part : `EVERYONE` or `HUMANS`
    main
        The system that is compared with each of the others.
    generator
        Random generator of the bootstrap.
    n_resamples : >= 1
    families_of
        Names of targets -> families whose means are computed; descriptors and dimensions if None.
    """
    for system in (main, CONSTANT):
        if system not in result.predictions:
            raise ValueError(f"no system {system!r}: there are {sorted(result.predictions)}")
    if part not in (EVERYONE, HUMANS):
        raise ValueError(f"part is {part!r}, must be {EVERYONE!r} or {HUMANS!r}")
    here = result.subset((result.fold >= 0) & (~result.is_score | (part == EVERYONE)))
    n_labels = np.count_nonzero(~np.isnan(here.labels), axis=0)
    rated = n_labels > 0
    if not rated.any():
        raise ValueError(f"{part}: there is no label")
    names = tuple(np.asarray(here.names)[rated].tolist())
    families = (families_of or default_families)(names)
    systems = {
        system: ClusterScores(
            here.labels[:, rated],
            est[:, rated],
            here.predictions[CONSTANT][:, rated],
            here.clusters,
            here.passages,
            ~here.is_score,
        )
        for system, est in here.predictions.items()
    }
    means, gains = _means_and_gains(systems, families, main, generator, n_resamples)
    return PartSummary(
        part=part,
        n_performances=len(here),
        n_clusters=len(np.unique(here.clusters)),
        names=names,
        labels=n_labels[rated],
        scores={system: scores.at(np.arange(len(here))) for system, scores in systems.items()},
        families=families,
        means=means,
        gains=gains,
    )


def _means_and_gains(
    systems: Mapping[str, ClusterScores],
    families: Mapping[str, BoolArray],
    main: str,
    generator: np.random.Generator,
    n_resamples: int,
) -> tuple[dict[tuple[str, str], BootstrapInterval], dict[tuple[str, str], BootstrapInterval]]:
    """Means over families, and the main system minus each other, all on the same draws."""
    n_clusters = systems[main].n_clusters
    times = _draws(n_clusters, generator, n_resamples)
    tables = {system: _family_means(scores.over_draws(times), families) for system, scores in systems.items()}
    means: dict[tuple[str, str], BootstrapInterval] = {}
    gains: dict[tuple[str, str], BootstrapInterval] = {}
    for system, table in tables.items():
        for i, family in enumerate(families):
            means[family, system] = _interval(table[:, i], n_clusters)
            if system != main:
                gains[family, system] = _interval(tables[main][:, i] - table[:, i], n_clusters)
    return means, gains


def _draws(n_clusters: int, generator: np.random.Generator, n: int) -> FloatArray:
    """(1 + n, C) how often each cluster is in a draw with replacement; first the sample itself."""
    if n < 1:
        raise ValueError(f"n is {n}, must be at least 1 draw")
    pick = generator.integers(n_clusters, size=(n, n_clusters))
    drawn = np.zeros((n, n_clusters))
    np.add.at(drawn, (np.arange(n)[:, None], pick), 1.0)
    return np.concatenate([np.ones((1, n_clusters)), drawn])


def _family_means(table: FloatArray, families: Mapping[str, BoolArray]) -> FloatArray:
    """(B, F, 7) means over the targets of each family."""
    return np.stack([table[:, :, mask].mean(axis=2) for mask in families.values()], axis=1)


def _interval(draws: FloatArray, n_clusters: int) -> BootstrapInterval:
    """Value of the first draw, the sample, and interval of the others; NaN ends of few clusters."""
    if n_clusters < LEAST_CLUSTERS:
        nothing = np.full(draws[0].shape, np.nan)
        return BootstrapInterval(draws[0], nothing, nothing, 0.95)
    low, high = np.quantile(draws[1:], [0.025, 0.975], axis=0)
    return BootstrapInterval(draws[0], low, high, 0.95)
