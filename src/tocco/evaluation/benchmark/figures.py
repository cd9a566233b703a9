"""Figures of a system under one protocol, beside what needs no listening, with intervals over other music."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.benchmark.ceiling import Ceiling, ceiling_of
from tocco.evaluation.benchmark.predictions import PredictedTable
from tocco.evaluation.benchmark.protocols import HeldOutFold
from tocco.evaluation.cross_validation.baselines import Baseline, constant, passage_mean, pianist_mean
from tocco.evaluation.cross_validation.summary import (
    LEAST_CLUSTERS,
    METRICS,
    ClusterScores,
    default_families,
)
from tocco.metrics import (
    BootstrapInterval,
    bootstrap_interval,
    coverage,
    interval_width,
    spearman_rho,
    value_or_nan,
)
from tocco.units import BoolArray, FloatArray, IntArray

SUBMISSION: Final = "submission"
"""The system that is evaluated, beside the baselines."""

NO_LISTENING: Final = ("constant", "passage mean", "pianist mean")
"""What needs no listening: the mean training rating; of the same bars; of the same pianist."""

EVERYONE, HUMANS = "all excerpts", "human performances"

COVERAGE_LEVELS: Final = (0.5, 0.8, 0.9)


@dataclass(frozen=True, eq=False)
class CoverageFigures:
    """Coverage and width of the normal intervals of a predicted standard deviation.

    Attributes
    ----------
    names : of what has a standard deviation
    coverage, width : (names, levels) share, rating points; levels as in `COVERAGE_LEVELS`
    """

    names: tuple[str, ...]
    coverage: FloatArray
    width: FloatArray


@dataclass(frozen=True, eq=False)
class PartFigures:
    """Figures over one part of the tested excerpts.

    Attributes
    ----------
    part : `EVERYONE` or `HUMANS`
    n_excerpts, n_clusters
    names : (D,) what is rated
    n_labels : (D,)
    families : family, such as "19 descriptors" -> (D,) its members
    systems : (S,) `SUBMISSION` first, then those of `NO_LISTENING`
    of_name : (S, M, D) metrics in the order of `METRICS`
    of_family : (S, M, F) means over the members
    gain : (S, M, F) the submission less each system, on the same draws
    rank_correlation : (D,) Spearman's, of the submission; NaN where undefined
    ceiling : of the labels of this part
    coverage : None without a standard deviation
    """

    part: str
    n_excerpts: int
    n_clusters: int
    names: tuple[str, ...]
    n_labels: IntArray
    families: Mapping[str, BoolArray]
    systems: tuple[str, ...]
    of_name: BootstrapInterval
    of_family: BootstrapInterval
    gain: BootstrapInterval
    rank_correlation: FloatArray
    ceiling: Ceiling
    coverage: CoverageFigures | None

    def family_mean(self, values: FloatArray) -> FloatArray:
        """(..., F) means of (..., D) over the members of each family that are known."""
        return np.stack([_known_mean(values[..., mask]) for mask in self.families.values()], axis=-1)


@dataclass(frozen=True, eq=False)
class ProtocolFigures:
    """Figures of a system under one protocol.

    Attributes
    ----------
    protocol
    n_folds
    predicted : what was evaluated
    parts : of all tested excerpts; of the human ones too where some are score renderings
    """

    protocol: str
    n_folds: int
    predicted: PredictedTable
    parts: tuple[PartFigures, ...]


def evaluate_protocol(
    records: Sequence[LabelRecord],
    protocol: str,
    folds: Sequence[HeldOutFold],
    predicted: PredictedTable,
    *,
    draws: int,
    seed: int,
) -> ProtocolFigures:
    """Compute the figures of predictions.

    A missing prediction counts as the constant of its fold.

    Parameters
    ----------
    records, protocol, folds
    predicted : of this protocol
    draws : of the bootstrap over clusters
    seed : of the bootstrap

    Raises
    ------
    InputError
        A fold has something to rate that its training part has no label of.
    """
    names = predicted.names
    labels = np.array([[record.labels.get(name, np.nan) for name in names] for record in records])
    systems = {SUBMISSION: predicted.rating, **no_listening(records, labels, folds)}
    tested = np.zeros(len(records), dtype=bool)
    for fold in folds:
        tested[fold.test] = True
    lacking = np.argwhere(np.isnan(systems["constant"]) & ~np.isnan(labels) & tested[:, None])
    if len(lacking):
        n, d = lacking[0]
        raise InputError(
            records[n].segment_id,
            f"is rated on {names[d]}, and nothing in its training part is, in {protocol}",
        )
    systems[SUBMISSION] = np.where(np.isnan(predicted.rating), systems["constant"], predicted.rating)
    is_human = np.array([not record.is_score_rendering for record in records])
    parts = {EVERYONE: tested}
    if (tested & ~is_human).any():
        parts[HUMANS] = tested & is_human
    return ProtocolFigures(
        protocol,
        len(folds),
        predicted,
        tuple(
            _part(part, records, labels, systems, predicted, keep, draws=draws, seed=seed)
            for part, keep in parts.items()
        ),
    )


def no_listening(
    records: Sequence[LabelRecord], labels: FloatArray, folds: Sequence[HeldOutFold]
) -> dict[str, FloatArray]:
    """Predictions of what needs no listening, learned from the training part of each fold.

    Parameters
    ----------
    records
    labels : (N, D) NaN where missing
    folds

    Returns
    -------
    system -> (N, D); NaN for what no fold tests
    """
    nobody = np.zeros(len(records))
    passage = np.array([record.passage_id or record.piece_id for record in records])
    # An unknown pianist has a name of their own, so that nothing is learned of them.
    pianist = np.array([record.performer_id or f"unknown {n}" for n, record in enumerate(records)])
    models: Mapping[str, tuple[Baseline, npt.NDArray]] = {
        "constant": (constant, nobody),
        "passage mean": (passage_mean, passage),
        "pianist mean": (pianist_mean, pianist),
    }
    found: dict[str, FloatArray] = {}
    for name, (model, inputs) in models.items():
        found[name] = np.full(labels.shape, np.nan)
        for fold in folds:
            found[name][fold.test] = model(inputs[fold.train], labels[fold.train], inputs[fold.test])
    return found


def _part(
    part: str,
    records: Sequence[LabelRecord],
    labels: FloatArray,
    systems: Mapping[str, FloatArray],
    predicted: PredictedTable,
    keep: BoolArray,
    *,
    draws: int,
    seed: int,
) -> PartFigures:
    chosen = [record for record, there in zip(records, keep, strict=True) if there]
    labels, is_human = labels[keep], np.array([not record.is_score_rendering for record in chosen])
    n_labels = np.count_nonzero(~np.isnan(labels), axis=0)
    rated = n_labels > 0
    names = tuple(np.array(predicted.names)[rated].tolist())
    clusters = np.array([record.cluster_id or record.piece_id for record in chosen])
    passages = np.array([record.passage_id or record.piece_id for record in chosen])
    base = systems["constant"][keep][:, rated]
    scores: list[ClusterScores] = []
    seen: list[FloatArray] = []
    for est in (table[keep][:, rated] for table in systems.values()):
        # With new music the passage mean is the constant: pairs are counted once.
        again = next((n for n, other in enumerate(seen) if np.array_equal(est, other)), None)
        new = (
            ClusterScores(labels[:, rated], est, base, clusters, passages, is_human)
            if again is None
            else scores[again]
        )
        seen.append(est)
        scores.append(new)
    families = _families(names)
    figures = _resampled(scores, families, clusters, draws, seed)
    n_names, n_families = len(names), len(families)
    of_name, of_family, gain = (
        _slice(figures, start, width)
        for start, width in ((0, n_names), (n_names, n_families), (n_names + n_families, n_families))
    )
    return PartFigures(
        part=part,
        n_excerpts=len(chosen),
        n_clusters=len(np.unique(clusters)),
        names=names,
        n_labels=n_labels[rated],
        families=families,
        systems=tuple(systems),
        of_name=of_name,
        of_family=of_family,
        gain=gain,
        rank_correlation=np.array(
            [
                value_or_nan(spearman_rho, labels[:, d], systems[SUBMISSION][keep][:, d])
                for d in np.flatnonzero(rated)
            ]
        ),
        ceiling=ceiling_of(chosen, names),
        coverage=_coverage(names, labels[:, rated], predicted, keep, rated),
    )


def _resampled(
    scores: Sequence[ClusterScores],
    families: Mapping[str, BoolArray],
    clusters: npt.NDArray,
    draws: int,
    seed: int,
) -> BootstrapInterval:
    """(S, M, D + 2 F) of each system: metrics by name, means over families, the first less each.

    With fewer than `LEAST_CLUSTERS` there is no interval.
    """

    def statistic(index: IntArray) -> FloatArray:
        table = np.stack([one.at(index) for one in scores])
        means = np.stack([table[..., mask].mean(axis=-1) for mask in families.values()], axis=-1)
        return np.concatenate([table, means, means[:1] - means], axis=-1)

    if len(np.unique(clusters)) < LEAST_CLUSTERS:
        value = statistic(np.arange(len(clusters)))
        return BootstrapInterval(value, np.full_like(value, np.nan), np.full_like(value, np.nan), 0.95)
    return bootstrap_interval(statistic, clusters, np.random.default_rng(seed), draws)


def _slice(figures: BootstrapInterval, start: int, width: int) -> BootstrapInterval:
    value, low, high = (
        array[..., start : start + width] for array in (figures.value, figures.low, figures.high)
    )
    return BootstrapInterval(value, low, high, figures.level)


def _coverage(
    names: Sequence[str], labels: FloatArray, predicted: PredictedTable, keep: BoolArray, rated: BoolArray
) -> CoverageFigures | None:
    from scipy import stats

    if predicted.sd is None:
        return None
    mean, sd = predicted.rating[keep][:, rated], predicted.sd[keep][:, rated]
    rows: dict[str, tuple[list[float], list[float]]] = {}
    for d, name in enumerate(names):
        known = np.isfinite(labels[:, d]) & np.isfinite(sd[:, d]) & np.isfinite(mean[:, d])
        if not known.any():
            continue
        half = [float(stats.norm.ppf(0.5 + level / 2.0)) * sd[known, d] for level in COVERAGE_LEVELS]
        ends = [(labels[known, d], mean[known, d] - h, mean[known, d] + h) for h in half]
        rows[name] = [coverage(*one) for one in ends], [interval_width(*one) for one in ends]
    if not rows:
        return None
    return CoverageFigures(
        tuple(rows), np.array([row[0] for row in rows.values()]), np.array([row[1] for row in rows.values()])
    )


def _families(names: tuple[str, ...]) -> dict[str, BoolArray]:
    """The families with members; one of a single member has its name."""
    return {
        names[int(np.argmax(mask))] if mask.sum() == 1 else family: mask
        for family, mask in default_families(names).items()
    }


def _known_mean(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = np.where(known, values, 0.0).sum(axis=-1)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def metric_index(metric: str) -> int:
    """Place of a metric in the arrays."""
    return METRICS.index(metric)
