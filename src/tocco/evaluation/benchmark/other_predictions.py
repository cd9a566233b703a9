"""Predictions from what tocco itself writes: assessments, and results of a cross-validation."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from tocco.errors import InputError
from tocco.evaluation.benchmark.benchmark import Benchmark
from tocco.evaluation.benchmark.predictions import Prediction, Predictions, from_table, predictions_csv
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.assessment import Assessment, read_assessment


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


def _of_assessment(assessment: Assessment) -> Prediction:
    every = {**assessment.ratings, **assessment.descriptors}
    return Prediction(
        "",
        {name: one.value for name, one in every.items() if one.value is not None},
        {name: one.sigma for name, one in every.items() if one.value is not None and one.sigma},
    )
