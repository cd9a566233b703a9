"""Cross-validation of the predictors that rate a whole performance by its measures.

Members are boosted trees on the statistics and a kernel regression on the measures expressed against norms;
their mean is the rating. Each has learned twice, with scores and without, and is tested with the score and
with the score withheld. Settings are chosen inside each training side (`kernel_settings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.data.records import LabelRecord
from tocco.data.sources import read_record
from tocco.data.splits import BARRIERS, Fold, Protocol, checked_folds, field_of
from tocco.engines import LocalEngine, Progress
from tocco.evaluation.cross_validation.baselines import Baseline, constant, feature_matrix, ridge10
from tocco.evaluation.cross_validation.kernel_settings import choose_kernel_settings
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.shallow_models import excerpt_of
from tocco.models.blend import Blend
from tocco.models.boosted_trees import BoostedTrees, fit_boosted_trees
from tocco.models.by_score import ByScore
from tocco.models.norm_kernel import KernelSettings, NormKernelRidge, fit_kernel_to_features
from tocco.models.predictor import Predictor, PredictorInput, StatisticsTable, rating_by_name
from tocco.models.statistics_norms import NormNames, StatisticsNorms
from tocco.music.measures import HALF_NAMES, MEASURES, SCORE_NAMES, WHOLE_NAMES, performance_measures
from tocco.music.midi import ridge_features
from tocco.music.statistics import STATISTICS
from tocco.rubrics import TARGETS
from tocco.units import BoolArray, FloatArray

TREES, KERNEL, BLEND = "trees", "norm kernel", "trees + norm kernel"
WITHHELD: Final = ", no score"

SCORE_FREE: Final = tuple(statistic.name for statistic in STATISTICS if not statistic.needs_score)
PAGE: Final = (
    "score_density",
    "score_ioi_beat_median",
    "score_chord_size",
    "score_duration_beat",
    "score_bar_beat",
)
"""Statistics of a performance that the score alone determines."""

NORM_NAMES: Final = NormNames(WHOLE_NAMES, HALF_NAMES, (*SCORE_NAMES, *PAGE))


@dataclass(frozen=True, eq=False)
class MeasuredExcerpts:
    """Measures of whole excerpts.

    Attributes
    ----------
    measures : (R, M) in the order of `MEASURES`; NaN where missing
    ridge : (R, 10) in the order of `RIDGE_FEATURES`
    score_refusal : (R,) why a record's score is not of the same music; "" where it is, or there is none
    """

    measures: FloatArray
    ridge: FloatArray
    score_refusal: tuple[str, ...]

    @property
    def without_score(self) -> FloatArray:
        """(R, M) the measures that are left when no score is given."""
        return np.where(IS_SCORE_FREE, self.measures, np.nan)


def _is_score_free(name: str) -> bool:
    part, _, statistic = name.rpartition(".")
    return statistic in _FREE and part != "score"


_FREE: Final = frozenset(SCORE_FREE)
IS_SCORE_FREE: Final = np.array([_is_score_free(name) for name in MEASURES])


def measure_excerpts(
    records: Sequence[LabelRecord], *, jobs: int = 1, progress: Progress | None = None
) -> MeasuredExcerpts:
    """Align and measure every record as a whole; a score of other music is not used.

    Raises
    ------
    InputError
        A record has no MIDI, or its files cannot be used.
    """
    found = list(LocalEngine(jobs).map(_measured, records, progress))
    return MeasuredExcerpts(
        np.stack([measures for measures, _, _ in found]),
        feature_matrix([ridge for _, ridge, _ in found]),
        tuple(refusal for _, _, refusal in found),
    )


def _measured(record: LabelRecord) -> tuple[FloatArray, dict[str, float], str]:
    read = read_record(record, refuse_other_score=False)
    performance, alignment = excerpt_of(record, read.performance, read.alignment)
    return performance_measures(performance, alignment), ridge_features(performance), read.score_refusal


@dataclass(frozen=True, eq=False)
class TrainingSide:
    """What predictors of one fold learn from.

    Attributes
    ----------
    names : (D,) targets
    measures : (N, M) in the order of `MEASURES`
    labels : (N, D) rating, NaN where missing
    groups : (N,) what inner folds must not divide
    norms
    seed : of the inner folds
    """

    names: tuple[str, ...]
    measures: FloatArray
    labels: FloatArray
    groups: npt.NDArray
    norms: StatisticsNorms
    seed: int

    def columns(self, names: Sequence[str]) -> FloatArray:
        """(N, len(names)) measures by name."""
        return StatisticsTable(MEASURES, self.measures).columns(names)


@dataclass(frozen=True, eq=False)
class FittedMembers:
    """The two members, each for performances with a score and for those without.

    Attributes
    ----------
    trees, kernel : with a score, without
    """

    trees: tuple[BoostedTrees, BoostedTrees]
    kernel: tuple[NormKernelRidge, NormKernelRidge]

    def predictors(self) -> dict[str, ByScore]:
        """Name of the member -> one predictor for both."""
        return {TREES: ByScore(*self.trees), KERNEL: ByScore(*self.kernel)}

    @property
    def settings(self) -> tuple[KernelSettings, KernelSettings]:
        """Of the kernel with a score, and without."""
        return self.kernel[0].settings, self.kernel[1].settings

    def with_sd(self, with_score: FloatArray, without_score: FloatArray) -> FittedMembers:
        """The same members with these sd, (D,) rating points each."""
        return FittedMembers(
            (replace(self.trees[0], sd=with_score), replace(self.trees[1], sd=without_score)),
            (replace(self.kernel[0], sd=with_score), replace(self.kernel[1], sd=without_score)),
        )


def fit_members(side: TrainingSide) -> FittedMembers:
    """Fit both members to a training side."""
    with_score, without = (
        fit_boosted_trees(side.names, names, side.columns(names), side.labels)
        for names in (WHOLE_NAMES, SCORE_FREE)
    )
    return FittedMembers(
        (with_score, without),
        (
            fit_chosen_kernel(side, side.norms),
            fit_chosen_kernel(side, side.norms.performed(SCORE_FREE)),
        ),
    )


def fit_chosen_kernel(side: TrainingSide, norms: StatisticsNorms) -> NormKernelRidge:
    """Fit the kernel regression with the settings that are best on inner folds."""
    names = norms.names.all
    features = norms.features(StatisticsTable(names, side.columns(names)))
    generator = np.random.default_rng(side.seed)
    settings = choose_kernel_settings(features, side.labels, side.groups, generator)
    return fit_kernel_to_features(side.names, norms, features, side.labels, settings)


@dataclass(frozen=True, eq=False)
class StatisticsResult:
    """Held-out ratings of members and blend.

    Attributes
    ----------
    result : with the score, with the score withheld (`WITHHELD`), and of baselines
    settings : of each fold's kernel, chosen inside its training side, with the score and without
    """

    result: CrossValidationResult
    settings: tuple[tuple[KernelSettings, KernelSettings], ...]


def statistics_result(
    records: Sequence[LabelRecord],
    measured: MeasuredExcerpts,
    norms: StatisticsNorms,
    protocol: Protocol,
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> StatisticsResult:
    """Held-out ratings of every record.

    Raises
    ------
    InputError
        The protocol is unknown, the records do not state it, or a fold leaks.
    """
    folds = checked_folds(records, protocol)
    fold = np.full(len(records), -1)
    for k, (_, test) in enumerate(folds):
        fold[test] = k
    names, labels = rated_labels(records, fold >= 0)
    groups = np.array([group_of(record, protocol) for record in records])
    tasks = [_task(measured, norms, names, labels, groups, one, seed) for one in folds]
    found = list(LocalEngine(jobs).map(_rate_fold, tasks, progress))
    baselines = {
        "ridge, 10 features": _held_out(ridge10, measured.ridge, labels, folds),
        "constant": _held_out(constant, fold, labels, folds),
    }
    result = CrossValidationResult(
        names=names,
        segment_ids=np.array([record.segment_id for record in records]),
        clusters=np.array([record.cluster_id or record.piece_id for record in records]),
        passages=np.array([record.passage_id or record.piece_id for record in records]),
        performers=np.array([record.performer_id or "" for record in records]),
        is_score=np.array([record.is_score_rendering for record in records]),
        fold=fold,
        labels=labels,
        predictions={**_joined([one.ratings for one in found], folds, labels.shape), **baselines},
        sd=_joined([one.sd for one in found], folds, labels.shape),
    )
    return StatisticsResult(result, tuple(one.settings for one in found))


def rated_labels(records: Sequence[LabelRecord], tested: BoolArray) -> tuple[tuple[str, ...], FloatArray]:
    """Targets that have a label among the tested records, and (R, D) all labels of them."""
    labels = np.array([[record.labels.get(name, np.nan) for name in TARGETS] for record in records])
    rated = np.flatnonzero(np.isfinite(labels[tested]).any(axis=0))
    return tuple(TARGETS[d] for d in rated), labels[:, rated]


def group_of(record: LabelRecord, protocol: Protocol) -> str:
    """What inner folds must not divide: the pianist where new pianists are tested, else shared music."""
    if BARRIERS[protocol][0] == "performer":
        return record.performer_id or ""  # all score renderings are one group
    return field_of(record, "cluster")


@dataclass(frozen=True, eq=False)
class _Task:
    side: TrainingSide
    test: FloatArray
    test_without: FloatArray


def _task(
    measured: MeasuredExcerpts,
    norms: StatisticsNorms,
    names: tuple[str, ...],
    labels: FloatArray,
    groups: npt.NDArray,
    fold: Fold,
    seed: int,
) -> _Task:
    train, test = fold
    side = TrainingSide(names, measured.measures[train], labels[train], groups[train], norms, seed)
    return _Task(side, measured.measures[test], measured.without_score[test])


@dataclass(frozen=True, eq=False)
class _FoldRatings:
    """Held-out ratings and sd of one fold by system, and the settings that were chosen."""

    ratings: dict[str, FloatArray]
    sd: dict[str, FloatArray]
    settings: tuple[KernelSettings, KernelSettings]


def _rate_fold(task: _Task) -> _FoldRatings:
    members = fit_members(task.side)
    both = members.predictors()
    systems: dict[str, Predictor] = {**both, BLEND: Blend(tuple(both.values()), (1.0, 1.0))}
    ratings: dict[str, FloatArray] = {}
    sd: dict[str, FloatArray] = {}
    for suffix, measures in (("", task.test), (WITHHELD, task.test_without)):
        rows = PredictorInput(statistics=StatisticsTable(MEASURES, measures))
        for name, predictor in systems.items():
            found = predictor.predict(rows)
            ratings[name + suffix] = rating_by_name(predictor, found, task.side.names)
            sd[name + suffix] = found.sd
    return _FoldRatings(ratings, sd, members.settings)


def _joined(
    tables: Sequence[Mapping[str, FloatArray]], folds: Sequence[Fold], shape: tuple[int, ...]
) -> dict[str, FloatArray]:
    """Tables of all folds in the order of the records; NaN where no fold tests."""
    joined: dict[str, FloatArray] = {}
    for name in tables[0]:
        joined[name] = np.full(shape, np.nan)
        for table, (_, test) in zip(tables, folds, strict=True):
            joined[name][test] = table[name]
    return joined


def _held_out(model: Baseline, inputs: npt.NDArray, labels: FloatArray, folds: Sequence[Fold]) -> FloatArray:
    est = np.full(labels.shape, np.nan)
    for train, test in folds:
        est[test] = model(inputs[train], labels[train], inputs[test])
    return est
