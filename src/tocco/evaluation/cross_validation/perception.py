"""Perception without damage, and the ratings that come of it: cross-validation and the predictor that ships.

The predictor (`tocco.models.damage_invariant_ridge`) learns the listeners' ratings of nine dimensions with
the deductions of each performance added back, in a metric from copies that were damaged on purpose; one for
performances with a score, one for those without. What is tested is what people see: its rating less the
deductions (`tocco.inference.combination`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.data.splits import checked_folds
from tocco.engines import LocalEngine, Progress
from tocco.evaluation.cross_validation.baselines import constant
from tocco.evaluation.cross_validation.rated_excerpts import NAMES, Condition, RatedExcerpts
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.combination import deduction_sd, held, total_deductions
from tocco.models.boosted_trees import BoostedTrees, fit_boosted_trees
from tocco.models.by_score import ByScore
from tocco.models.damage_invariant_ridge import DamageInvariantRidge, fit_damage_invariant_ridge
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.units import FloatArray, IntArray

COMBINED, PERCEPTION = "combined", "perception"
"""Systems: what people see, and the same without the deductions."""

WITHHELD = ", no score"

KERNEL, TREES = "perception_kernel", "perception_trees"
"""Folders of the members in a bundle."""

N_FORESTS: Final = 2
"""Forests of a target; the kernel's rating, which is smooth, is half of the whole."""

COPY_WEIGHT: Final = 0.5
"""How much a damaged copy counts beside a clean performance."""


def points_off(condition: Condition) -> FloatArray:
    """(N, D) points that each excerpt loses in each dimension."""
    return np.array([total_deductions(NAMES, one) for one in condition.shortfalls()])


def uncertainty(condition: Condition) -> FloatArray:
    """(N, D) standard deviation, in points, of what the deductions should have been."""
    return np.array([deduction_sd(NAMES, one) for one in condition.shortfalls()])


@dataclass(frozen=True, eq=False)
class Perception:
    """The two members, each with a score and without; perception is their mean.

    Attributes
    ----------
    kernel : a regression in a metric that discounts damage
    trees : learned from clean performances and damaged copies alike, with the labels of the clean ones
    """

    kernel: tuple[DamageInvariantRidge, DamageInvariantRidge]
    trees: tuple[BoostedTrees, BoostedTrees]

    def predictors(self) -> dict[str, ByScore]:
        """Folder in a bundle -> predictor."""
        return {KERNEL: ByScore(*self.kernel), TREES: ByScore(*self.trees)}

    def with_sd(self, sd: tuple[FloatArray, FloatArray]) -> Perception:
        """The same with these sd, with a score and without, (D,) rating points each."""
        return Perception(
            (replace(self.kernel[0], sd=sd[0]), replace(self.kernel[1], sd=sd[1])),
            (replace(self.trees[0], sd=sd[0]), replace(self.trees[1], sd=sd[1])),
        )


def fit_perception(excerpts: RatedExcerpts, rows: IntArray) -> Perception:
    """Fit both members to some of the excerpts.

    Parameters
    ----------
    excerpts
    rows : (n,) which of them
    """
    (kernel, trees), (kernel_alone, trees_alone) = (
        _members(condition.only(rows), excerpts.labels[rows]) for condition in excerpts.both
    )
    return Perception((kernel, kernel_alone), (trees, trees_alone))


def _members(condition: Condition, labels: FloatArray) -> tuple[DamageInvariantRidge, BoostedTrees]:
    labels = labels + points_off(condition)
    names, damaged = condition.statistics, condition.damaged
    kernel = fit_damage_invariant_ridge(NAMES, names, condition.clean, labels, damaged)
    weight = np.concatenate((np.ones(len(labels)), np.full(len(damaged.original), COPY_WEIGHT)))
    trees = fit_boosted_trees(
        NAMES,
        names,
        np.concatenate((condition.clean, damaged.statistics)),
        np.concatenate((labels, labels[damaged.original])),
        weight=weight,
        n_forests=N_FORESTS,
    )
    return kernel, trees


@dataclass(frozen=True, eq=False)
class _Fold:
    excerpts: RatedExcerpts
    train: IntArray
    test: IntArray


def _rate_fold(fold: _Fold) -> tuple[FloatArray, FloatArray]:
    """(n, D) perception of the tested excerpts, with the score and without."""
    fitted = fit_perception(fold.excerpts, fold.train)
    found = []
    for pair, condition in zip(
        zip(fitted.kernel, fitted.trees, strict=True), fold.excerpts.both, strict=True
    ):
        rows = PredictorInput(statistics=StatisticsTable(condition.statistics, condition.clean[fold.test]))
        found.append(np.mean([member.predict(rows).rating for member in pair], axis=0))
    return found[0], found[1]


def perception_result(
    records: Sequence[LabelRecord],
    excerpts: RatedExcerpts,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> CrossValidationResult:
    """Held-out ratings of every record, as people see them and before the deductions (`cv4_cluster`)."""
    folds = checked_folds(records, "cv4_cluster")
    tasks = [_Fold(excerpts, train, test) for train, test in folds]
    found = list(LocalEngine(jobs).map(_rate_fold, tasks, progress))
    fold = np.full(len(records), -1)
    systems = (COMBINED, PERCEPTION, COMBINED + WITHHELD, PERCEPTION + WITHHELD, "constant")
    predictions = {name: np.full(excerpts.labels.shape, np.nan) for name in systems}
    for k, ((train, test), ratings) in enumerate(zip(folds, found, strict=True)):
        fold[test] = k
        for suffix, rating, condition in zip(("", WITHHELD), ratings, excerpts.both, strict=True):
            predictions[PERCEPTION + suffix][test] = held(rating)
            predictions[COMBINED + suffix][test] = held(rating - points_off(condition.only(test)))
        predictions["constant"][test] = constant(fold[train], excerpts.labels[train], fold[test])
    return CrossValidationResult(
        names=NAMES,
        segment_ids=np.array([record.segment_id for record in records]),
        clusters=np.array([record.cluster_id or record.piece_id for record in records]),
        passages=np.array([record.passage_id or record.piece_id for record in records]),
        performers=np.array([record.performer_id or "" for record in records]),
        is_score=np.array([record.is_score_rendering for record in records]),
        fold=fold,
        labels=excerpts.labels,
        predictions=predictions,
        sd=_interval_sd(predictions, excerpts),
    )


def base_sd(predictions: Mapping[str, FloatArray], excerpts: RatedExcerpts) -> tuple[FloatArray, FloatArray]:
    """What perception errs by, the uncertainty of the deductions aside.

    Returns
    -------
    with_score, without_score : (D,) rating points, at least 1
    """
    found = []
    for suffix, condition in zip(("", WITHHELD), excerpts.both, strict=True):
        error = predictions[COMBINED + suffix] - excerpts.labels
        rest = np.nanmean(error**2 - uncertainty(condition) ** 2, axis=0)
        found.append(np.sqrt(np.maximum(rest, 1.0)))
    return found[0], found[1]


def _interval_sd(predictions: Mapping[str, FloatArray], excerpts: RatedExcerpts) -> dict[str, FloatArray]:
    """(N, D) sd of each condition: what perception errs by, and the uncertainty of the deductions."""
    return {
        COMBINED + suffix: np.hypot(base, uncertainty(condition))
        for suffix, base, condition in zip(
            ("", WITHHELD), base_sd(predictions, excerpts), excerpts.both, strict=True
        )
    }
