"""Cross-validation of shallow models on statistics of whole excerpts, as baselines of the network.

Networks read windows; shallow models read each excerpt as a whole, through the statistics of
`tocco.music.statistics` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tocco.data.records import LabelRecord
from tocco.data.sources import read_record
from tocco.data.splits import Fold, Protocol, checked_folds, fold_indices
from tocco.engines import LocalEngine, Progress
from tocco.errors import InputError
from tocco.evaluation.cross_validation.baselines import (
    Baseline,
    constant,
    feature_matrix,
    passage_mean,
    pianist_mean,
    ridge10,
)
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.trees import kernel_statistics, ridge_statistics, trees
from tocco.music.alignment import Alignment
from tocco.music.midi import notes_within, ridge_features, segment_midi
from tocco.music.performance import Performance
from tocco.music.statistics import STATISTICS, performance_statistics
from tocco.rubrics import TARGETS
from tocco.units import FloatArray, IntArray

TREES, TREES_WITHOUT_SCORE, KERNEL, BLEND = "trees", "trees, no score", "kernel ridge", "blend"
"""Names of systems: `BLEND` is the mean of the ratings of `TREES` and `KERNEL`."""


@dataclass(frozen=True, eq=False)
class ExcerptStatistics:
    """Statistics of whole excerpts.

    Attributes
    ----------
    statistics : (R, P) in the order of `STATISTICS`; NaN where missing
    ridge : (R, 10) in the order of `RIDGE_FEATURES`
    score_refusal : (R,) why a record's score is not of the same music; "" where it is, or there is none
    """

    statistics: FloatArray
    ridge: FloatArray
    score_refusal: tuple[str, ...]


class _Measured(NamedTuple):
    statistics: FloatArray
    ridge: dict[str, float]
    score_refusal: str


class _Task(NamedTuple):
    """Fit of one system for one fold."""

    model: Baseline
    inputs: npt.NDArray
    labels: FloatArray
    train: IntArray
    test: IntArray


def measure_excerpts(
    records: Sequence[LabelRecord], *, jobs: int = 1, progress: Progress | None = None
) -> ExcerptStatistics:
    """Align and measure every record as a whole.

    A score of other music is not used; see `ExcerptStatistics.score_refusal`.

    Raises
    ------
    InputError
        A record has no MIDI, or its files cannot be used.
    """
    measured = list(LocalEngine(jobs).map(measure_excerpt, records, progress))
    return ExcerptStatistics(
        np.stack([one.statistics for one in measured]),
        feature_matrix([one.ridge for one in measured]),
        tuple(one.score_refusal for one in measured),
    )


def measure_excerpt(record: LabelRecord) -> _Measured:
    """Statistics of one record, relative to its score if it has one."""
    read = read_record(record, refuse_other_score=False)
    performance, alignment = excerpt_of(record, read.performance, read.alignment)
    return _Measured(
        performance_statistics(performance, alignment).values, ridge_features(performance), read.score_refusal
    )


def shallow_model_result(
    records: Sequence[LabelRecord],
    measured: ExcerptStatistics,
    protocol: Protocol,
    *,
    as_published: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> CrossValidationResult:
    """Held-out predictions of trees with and without the score, their blend, and the baselines.

    Every system of a fold is trained on the same records. In "cv4_performer" a score rendering, which
    has no pianist, is in the training data of every fold and tested in none, except with `as_published`,
    which leaks.

    Raises
    ------
    InputError
        The protocol is unknown, the records do not state it, or a fold leaks.
    """
    folds = (
        fold_indices(records, protocol, as_published=True)
        if as_published
        else checked_folds(records, protocol)
    )
    labels = np.array([[record.labels.get(name, np.nan) for name in TARGETS] for record in records])
    fold = np.full(len(records), -1)
    for k, (_, test) in enumerate(folds):
        fold[test] = k
    rated = np.flatnonzero(np.isfinite(labels[fold >= 0]).any(axis=0))
    labels = labels[:, rated]
    passages = np.array([record.passage_id or record.piece_id for record in records])
    performers = np.array([record.performer_id or "" for record in records])
    score_free = [p for p, statistic in enumerate(STATISTICS) if not statistic.needs_score]
    systems: dict[str, tuple[Baseline, npt.NDArray]] = {
        TREES: (trees, measured.statistics),
        TREES_WITHOUT_SCORE: (trees, measured.statistics[:, score_free]),
        KERNEL: (kernel_statistics, measured.statistics),
        "ridge, 10 features": (ridge10, measured.ridge),
        "ridge, statistics": (ridge_statistics, measured.statistics),
        "constant": (constant, fold),
        "passage mean": (passage_mean, passages),
        "pianist mean": (pianist_mean, performers),
    }
    predictions = held_out(systems, labels, folds, jobs=jobs, progress=progress)
    blend = (predictions[TREES] + predictions[KERNEL]) / 2.0
    return CrossValidationResult(
        names=tuple(TARGETS[d] for d in rated),
        segment_ids=np.array([record.segment_id for record in records]),
        clusters=np.array([record.cluster_id or record.piece_id for record in records]),
        passages=passages,
        performers=performers,
        is_score=np.array([record.is_score_rendering for record in records]),
        fold=fold,
        labels=labels,
        predictions={TREES: predictions[TREES], BLEND: blend, **predictions},
    )


def held_out(
    systems: Mapping[str, tuple[Baseline, npt.NDArray]],
    labels: FloatArray,
    folds: Sequence[Fold],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[str, FloatArray]:
    """Predictions of every system for every performance, with its fold held out.

    Parameters
    ----------
    systems : name -> model, and its inputs, (R, ...)
    labels : (R, D) rating, NaN where missing
    folds

    Returns
    -------
    name -> (R, D) rating; NaN for a performance that no fold tests
    """
    tasks = [
        _Task(model, inputs, labels, train, test)
        for model, inputs in systems.values()
        for train, test in folds
    ]
    found = LocalEngine(jobs).map(_fit_fold, tasks, progress)
    predictions: dict[str, FloatArray] = {}
    for name in systems:
        predictions[name] = np.full(labels.shape, np.nan)
        for _, test in folds:
            predictions[name][test] = next(found)
    return predictions


def _fit_fold(task: _Task) -> FloatArray:
    train, test = task.train, task.test
    return task.model(task.inputs[train], task.labels[train], task.inputs[test])


def excerpt_of(
    record: LabelRecord, performance: Performance, alignment: Alignment | None
) -> tuple[Performance, Alignment | None]:
    """The part of a performance that a record describes."""
    if record.start_time == 0.0 and record.end_time is None:
        return performance, alignment
    start = record.start_time
    end = performance.duration_sec if record.end_time is None else record.end_time
    if start >= end:
        raise InputError(
            record.segment_id,
            f"starts at {start:g} s, after its MIDI ends",
            allowed=f"0 to {end:g} s",
            next_step="correct start_time",
        )
    (segment,) = segment_midi(performance, np.array([[start, end]]))
    if alignment is not None:
        alignment = alignment.window(start, end, notes_within(performance, start, end))
    return segment, alignment
