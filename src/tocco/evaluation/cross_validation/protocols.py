"""Held-out predictions of a run: every record rated by a network that was not trained on its music."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tocco.data.preparation import WindowInputs
from tocco.data.prepared import PreparedRecord, prepared_folds
from tocco.data.records import LabelRecord
from tocco.data.splits import Fold
from tocco.errors import InputError
from tocco.evaluation.cross_validation.baselines import (
    constant,
    cross_validate_baseline,
    feature_matrix,
    passage_mean,
    pianist_mean,
    ridge10,
)
from tocco.evaluation.cross_validation.calibration import fit_interval_calibration
from tocco.evaluation.cross_validation.reliability import reliability_of_means
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.intervals import IntervalCalibration
from tocco.inference.rating import rate_windows
from tocco.inference.windows import centre_weighted_merge
from tocco.models.network import PerformanceNetwork
from tocco.models.network_predictor import NetworkPredictor
from tocco.music.midi import load_midi, ridge_features
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.members import member_folders
from tocco.training.module_of_config import network_from_config
from tocco.training.outputs import columns_of, rated_targets
from tocco.training.run_folder import WEIGHTS_FILE
from tocco.training.stages import load_weights
from tocco.units import FloatArray, IntArray

NETWORK, WITHOUT_SCORE = "tocco", "tocco, no score"
"""Names of the two systems of a run: the same weights, with the score or without."""


@dataclass(frozen=True, eq=False)
class HeldOutRatings:
    """Predictions of a run for records that it was not trained on.

    Attributes
    ----------
    fold : (R,) the fold that each record was held out in; -1 where excluded
    rating, sd : (R, D) rating points, in the order of `TARGETS`
        NaN where the fold is -1, and for what the network does not rate.
    """

    fold: IntArray
    rating: FloatArray
    sd: FloatArray


def averaged(members: Sequence[HeldOutRatings]) -> HeldOutRatings:
    """Ratings of an ensemble: the mean, with the variance of the mixture of its members.

    Lakshminarayanan, Pritzel and Blundell, Simple and scalable predictive uncertainty estimation using deep
    ensembles, 2017.

    Parameters
    ----------
    members : of the same records and folds
    """
    rating = np.stack([one.rating for one in members])
    variance = np.stack([one.sd for one in members]) ** 2
    spread = np.sqrt(variance.mean(axis=0) + rating.var(axis=0))
    return HeldOutRatings(members[0].fold, rating.mean(axis=0), spread)


def rate_record(
    network: PerformanceNetwork, record: PreparedRecord, *, use_score: bool
) -> tuple[FloatArray, FloatArray]:
    """Rating and sd of a whole excerpt, its windows merged as in an assessment.

    Returns
    -------
    rating, sd : (D,)
    """
    windows: Iterable[WindowInputs] = (w.inputs(use_score=use_score) for w in record.windows)
    rated = rate_windows(NetworkPredictor(network), windows)
    merge = centre_weighted_merge(record.bounds_sec, rated.heard)
    if not len(merge.time_sec):
        raise InputError(record.record.segment_id, "has too few notes to be rated", next_step="leave it out")
    return merge.overall(rated.rating), np.sqrt(merge.overall(rated.sd**2))


def held_out_ratings(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    run_dir: Path,
    *,
    use_score: bool,
    progress: Callable[[int, int], None] | None = None,
) -> HeldOutRatings:
    """Rate every record with the network of the fold that held it out.

    The split of each fold is read from its folder and must match the label file.

    Raises
    ------
    InputError
        A fold is not trained, or was trained on another split.
    """
    folds = prepared_folds(records, config.data.protocol)
    fold = np.full(len(records), -1)
    rating = np.full((len(records), len(TARGETS)), np.nan)
    sd = rating.copy()
    total = sum(len(test) for _, test in folds)
    for k, (train, test) in enumerate(folds):
        done = int(np.count_nonzero(fold >= 0))
        rating[test], sd[test] = rate_fold(
            config,
            records,
            run_dir / f"fold{k}",
            (train, test),
            use_score=use_score,
            progress=None if progress is None else lambda n, _, done=done: progress(done + n, total),
        )
        fold[test] = k
    if not (fold >= 0).any():
        raise InputError(run_dir, "has no fold with a record")
    return HeldOutRatings(fold, rating, sd)


def rate_fold(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    folder: Path,
    fold: Fold,
    *,
    use_score: bool,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Rate the records that a fold holds out.

    Parameters
    ----------
    config
    records
    folder
        Of the part of the run: `split.json`, weights.
    fold
        Indices into the records.
    use_score, progress

    Returns
    -------
    rating, sd : (T, D) rating points, in the order of `TARGETS`; NaN for what the network does not rate

    Raises
    ------
    InputError
        The fold is not trained, or was trained on another split.
    """
    train, test = fold
    _assert_same_split(folder, [records[i].record.segment_id for i in train])
    network = load_weights(network_from_config(config), folder / WEIGHTS_FILE)
    use_score = use_score and config.data.score_features
    return rate_records(network, [records[i] for i in test], use_score=use_score, progress=progress)


def rate_records(
    network: PerformanceNetwork,
    records: Sequence[PreparedRecord],
    *,
    use_score: bool,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Rate whole excerpts.

    Returns
    -------
    rating, sd : (R, D) rating points, in the order of `TARGETS`; NaN for what the network does not rate
    """
    outputs = columns_of(network.dimensions)
    rating = np.full((len(records), len(TARGETS)), np.nan)
    sd = rating.copy()
    for row, record in enumerate(records):
        rating[row, outputs], sd[row, outputs] = rate_record(network, record, use_score=use_score)
        if progress is not None:
            progress(row + 1, len(records))
    return rating, sd


def baseline_ratings(
    records: Sequence[PreparedRecord], fold: IntArray, labels: FloatArray
) -> dict[str, FloatArray]:
    """Held-out predictions of the four baselines, by name.

    Parameters
    ----------
    labels : (R, D) NaN where missing
    """
    passages = np.array([r.record.passage_id or r.record.piece_id for r in records])
    pianists = np.array([r.record.performer_id or "" for r in records])
    features = feature_matrix([ridge_features(load_midi(Path(str(r.record.midi_path)))) for r in records])
    nothing = np.zeros(len(records))
    return {
        "constant": cross_validate_baseline(constant, nothing, labels, fold),
        "passage mean": cross_validate_baseline(passage_mean, passages, labels, fold),
        "pianist mean": cross_validate_baseline(pianist_mean, pianists, labels, fold),
        "ridge, 10 features": cross_validate_baseline(ridge10, features, labels, fold),
    }


def cross_validation_result(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    run_dir: Path,
    progress: Callable[[int, int], None] | None = None,
) -> CrossValidationResult:
    """Predictions of the network or ensemble, with and without the score, and of the four baselines."""
    label = np.stack([record.label for record in records])
    rated = rated_targets(config.model.dimensions, label)
    with_score, without = (
        averaged(
            [
                held_out_ratings(config, records, folder, use_score=use_score, progress=progress)
                for folder in member_folders(run_dir)
            ]
        )
        for use_score in (True, False)
    )
    about = [r.record for r in records]
    return CrossValidationResult(
        names=tuple(TARGETS[d] for d in rated),
        segment_ids=np.array([r.segment_id for r in about]),
        clusters=np.array([r.cluster_id or r.piece_id for r in about]),
        passages=np.array([r.passage_id or r.piece_id for r in about]),
        performers=np.array([r.performer_id or "" for r in about]),
        is_score=np.array([r.is_score_rendering for r in about]),
        fold=with_score.fold,
        labels=label[:, rated],
        predictions={
            NETWORK: with_score.rating[:, rated],
            WITHOUT_SCORE: without.rating[:, rated],
            **baseline_ratings(records, with_score.fold, label[:, rated]),
        },
        sd={NETWORK: with_score.sd[:, rated], WITHOUT_SCORE: without.sd[:, rated]},
    )


def calibrate(result: CrossValidationResult, records: Sequence[PreparedRecord]) -> IntervalCalibration:
    """Interval calibration of the network from its held-out ratings, with reliabilities."""
    return calibration_of(result, [record.record for record in records], NETWORK)


def calibration_of(
    result: CrossValidationResult, records: Sequence[LabelRecord], system: str
) -> IntervalCalibration:
    """Interval calibration of a system from its held-out ratings, with reliabilities of the labels.

    Parameters
    ----------
    result : with ratings and sd of the system
    records : those of the result, in any order
    system
    """
    label = np.array([[record.labels.get(name, np.nan) for name in TARGETS] for record in records])
    label_sd = np.array([[record.label_sd.get(name, np.nan) for name in TARGETS] for record in records])
    n_raters = np.array([record.n_raters or np.nan for record in records], dtype=float)
    reliability = dict(zip(TARGETS, reliability_of_means(label, label_sd, n_raters), strict=True))
    tested = result.subset(result.fold >= 0)
    return fit_interval_calibration(
        tested.names,
        tested.labels,
        tested.predictions[system],
        tested.sd[system],
        tested.fold,
        tested.clusters,
        protocol=f"{len(np.unique(tested.fold))} folds of clusters of shared music, {len(tested)} excerpts",
        reliability={name: r for name in tested.names if np.isfinite(r := float(reliability[name]))},
    )


def _assert_same_split(folder: Path, train_ids: Sequence[str]) -> None:
    path = folder / "split.json"
    if not path.is_file():
        raise InputError(path, "no such file", next_step=f"train {folder.name} first")
    if json.loads(path.read_text(encoding="utf-8"))["train"] != sorted(train_ids):
        raise InputError(
            path, "is not the split of this label file", next_step="train the fold again, or give its labels"
        )
