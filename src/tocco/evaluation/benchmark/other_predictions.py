"""Predictions of tocco itself: from assessments, from results of a cross-validation, by shallow models."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tocco.engines import Progress
from tocco.errors import InputError
from tocco.evaluation.benchmark.benchmark import Benchmark, joined
from tocco.evaluation.benchmark.predictions import Prediction, Predictions, from_table, predictions_csv
from tocco.evaluation.cross_validation.baselines import Baseline, ridge10
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.shallow_models import held_out, measure_excerpts
from tocco.evaluation.cross_validation.trees import kernel_statistics, ridge_statistics, trees
from tocco.inference.assessment import Assessment, read_assessment
from tocco.metrics import RATING_RANGE
from tocco.music.statistics import STATISTICS
from tocco.rubrics import TARGETS
from tocco.units import FloatArray


def predictions_of_assessments(folder: Path) -> Predictions:
    """Ratings and standard deviations of every `<segment_id>.json` in a folder of assessments.

    A rating that is missing in an assessment is missing here.

    Raises
    ------
    InputError
        The folder has no assessment, or one cannot be read.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise InputError(folder, "has no assessment", allowed="a folder that `tocco assess -o` wrote")
    of = {"": {path.stem: _of_assessment(read_assessment(path)) for path in files}}
    return Predictions(hashlib.sha256(predictions_csv(of).encode()).hexdigest(), of)


def predictions_of_result(path: Path, system: str, benchmark: Benchmark, protocol: str) -> Predictions:
    """Held-out predictions of one system of a cross-validation, with the folds of a protocol.

    Parameters
    ----------
    path : of the result, without suffix, as `CrossValidationResult.save` takes it
    system
    benchmark, protocol

    Raises
    ------
    InputError
        The result has no such system, or held out other segments together than the protocol does.
    """
    result = CrossValidationResult.load(path)
    if system not in result.predictions:
        raise InputError(path, f"has no system {system!r}", allowed=", ".join(map(repr, result.predictions)))
    place = {name: n for n, name in enumerate(result.segment_ids.tolist())}
    names = benchmark.segment_ids
    lacking = [name for name in names if name not in place]
    if lacking:
        raise InputError(path, f"has no {lacking[0]!r}, which the labels have", next_step="evaluate again")
    order = np.array([place[name] for name in names])
    folds = benchmark.folds(protocol)
    for fold in folds:
        used = np.unique(result.fold[order[fold.test]])
        tested_with = np.flatnonzero(np.isin(result.fold[order], used))
        if not np.array_equal(tested_with, fold.test):
            raise InputError(
                path,
                f"was not evaluated under {protocol}: fold {fold.name} differs",
                next_step="name its protocol",
            )
    sd = result.sd.get(system)
    return from_table(
        names,
        result.names,
        result.predictions[system][order],
        None if sd is None else sd[order],
        folds,
        protocol,
    )


SHALLOW_MODELS: Final = (
    "ridge, 10 features",
    "ridge, statistics",
    "kernel ridge",
    "trees, no score",
    "trees",
)
"""Models of statistics of whole performances, from quick to slow."""


def predictions_of_shallow_model(
    benchmark: Benchmark,
    model: str,
    protocols: Sequence[str] | None = None,
    *,
    jobs: int = 1,
    measuring: Progress | None = None,
    learning: Progress | None = None,
) -> Predictions:
    """Predictions of a model that is fitted anew to the training part of every fold.

    Parameters
    ----------
    benchmark
    model : of `SHALLOW_MODELS`
    protocols : all that the labels allow if not given
    jobs, measuring, learning

    Raises
    ------
    InputError
        The model is unknown, or a record has no MIDI that can be used.
    """
    if model not in SHALLOW_MODELS:
        raise InputError("model", f"is {model!r}", allowed=", ".join(map(repr, SHALLOW_MODELS)))
    measured = measure_excerpts(benchmark.records, jobs=jobs, progress=measuring)
    score_free = [p for p, statistic in enumerate(STATISTICS) if not statistic.needs_score]
    systems: dict[str, tuple[Baseline, FloatArray]] = {
        "ridge, 10 features": (ridge10, measured.ridge),
        "ridge, statistics": (ridge_statistics, measured.statistics),
        "kernel ridge": (kernel_statistics, measured.statistics),
        "trees, no score": (trees, measured.statistics[:, score_free]),
        "trees": (trees, measured.statistics),
    }
    tested = {name for record in benchmark.records for name in record.labels}
    names = tuple(name for name in TARGETS if name in tested)
    labels, parts = benchmark.labels(names), list[Predictions]()
    for protocol in benchmark.protocols if protocols is None else protocols:
        folds = benchmark.folds(protocol)
        sides = [(fold.train, fold.test) for fold in folds]
        found = held_out({model: systems[model]}, labels, sides, jobs=jobs, progress=learning)
        rating = np.clip(found[model], *RATING_RANGE)
        parts.append(from_table(benchmark.segment_ids, names, rating, None, folds, protocol))
    return joined(parts)


def _of_assessment(assessment: Assessment) -> Prediction:
    every = {**assessment.ratings, **assessment.descriptors}
    return Prediction(
        "",
        {name: one.value for name, one in every.items() if one.value is not None},
        {name: one.sigma for name, one in every.items() if one.value is not None and one.sigma},
    )
