"""Held-out predictions of a run: every record rated by a network that was not trained on its music."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tocco.data.prepared import PreparedRecord, prepared_folds
from tocco.data.records import LabelRecord
from tocco.data.splits import Fold
from tocco.errors import InputError
from tocco.evaluation.cross_validation.all_baselines import all_baselines
from tocco.evaluation.cross_validation.calibration import fit_interval_calibration
from tocco.evaluation.cross_validation.excerpt_features import ExcerptFeatures
from tocco.evaluation.cross_validation.network_ratings import NetworkRatings, rate_excerpts
from tocco.evaluation.cross_validation.reliability import reliability_of_means
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.intervals import IntervalCalibration
from tocco.report.attention_picture import AttentionOverTime
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.members import member_folders
from tocco.training.outputs import columns_of, rated_targets
from tocco.training.run_folder import WEIGHTS_FILE
from tocco.training.weights import load_weights
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
    attention : segment -> attention over time, of those that it was asked for
    """

    fold: IntArray
    rating: FloatArray
    sd: FloatArray
    attention: Mapping[str, AttentionOverTime] = field(default_factory=dict)


def averaged(members: Sequence[HeldOutRatings]) -> HeldOutRatings:
    """Ratings of an ensemble: the mean, with the variance of the mixture of its members.

    The attention is that of the first member.

    Lakshminarayanan, Pritzel and Blundell, Simple and scalable predictive uncertainty estimation using deep
    ensembles, 2017.

    Parameters
    ----------
    members : of the same records and folds
    """
    rating = np.stack([one.rating for one in members])
    variance = np.stack([one.sd for one in members]) ** 2
    spread = np.sqrt(variance.mean(axis=0) + rating.var(axis=0))
    return HeldOutRatings(members[0].fold, rating.mean(axis=0), spread, members[0].attention)


def held_out_ratings(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    run_dir: Path,
    *,
    use_score: bool,
    shown: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> HeldOutRatings:
    """Rate every record with the network of the fold that held it out.

    The split of each fold is read from its folder and must match the label file. `shown` and `advance` as in
    `rate_excerpts`.

    Raises
    ------
    InputError
        A fold is not trained, or was trained on another split.
    """
    folds = prepared_folds(records, config.data.protocol)
    fold = np.full(len(records), -1)
    rating = np.full((len(records), len(TARGETS)), np.nan)
    sd = rating.copy()
    outputs = columns_of(config.model.dimensions)
    attention: dict[str, AttentionOverTime] = {}
    for k, (train, test) in enumerate(folds):
        if not len(test):
            continue
        folder = run_dir / f"fold{k}"
        rated = rate_fold(
            config, records, folder, (train, test), use_score=use_score, shown=shown, advance=advance
        )
        where = np.ix_(test, np.array(outputs))
        rating[where], sd[where] = rated.rating, rated.sd
        attention |= rated.attention
        fold[test] = k
    if not (fold >= 0).any():
        raise InputError(run_dir, "has no fold with a record")
    return HeldOutRatings(fold, rating, sd, attention)


def rate_fold(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    folder: Path,
    fold: Fold,
    *,
    use_score: bool,
    shown: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> NetworkRatings:
    """Rate the records that a fold holds out; at least one.

    Parameters
    ----------
    config
    records
    folder
        Of the part of the run: `split.json`, weights.
    fold
        Indices into the records.
    use_score, shown, advance
        As in `rate_excerpts`.

    Raises
    ------
    InputError
        The fold is not trained, or was trained on another split.
    """
    from tocco.training.module_of_config import network_from_config  # loads what trains, which takes seconds

    train, test = fold
    _assert_same_split(folder, [records[i].record.segment_id for i in train])
    network = load_weights(network_from_config(config), folder / WEIGHTS_FILE)
    use_score = use_score and config.data.score_features
    return rate_excerpts(
        network, [records[i] for i in test], use_score=use_score, shown=shown, advance=advance
    )


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Held-out ratings of a run and of the baselines.

    Attributes
    ----------
    result : the network or ensemble, with and without the score, and the baselines
    undefined : baseline -> why it is not there
    attention : as in `HeldOutRatings`, with the score
    """

    result: CrossValidationResult
    undefined: Mapping[str, str]
    attention: Mapping[str, AttentionOverTime]


def cross_validation_result(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    features: ExcerptFeatures,
    run_dir: Path,
    *,
    shown: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> CrossValidation:
    """Predictions of the network or ensemble, with and without the score, and of the baselines.

    Parameters
    ----------
    features : of the records
    shown, advance : as in `rate_excerpts`
    """
    label = np.stack([record.label for record in records])
    rated = rated_targets(config.model.dimensions, label)

    def ratings(*, use_score: bool) -> HeldOutRatings:
        return averaged(
            [
                held_out_ratings(
                    config,
                    records,
                    run,
                    use_score=use_score,
                    shown=shown if use_score else (),
                    advance=advance,
                )
                for run in member_folders(run_dir)
            ]
        )

    with_score, without = ratings(use_score=True), ratings(use_score=False)
    baselines = all_baselines(
        [record.record for record in records],
        features,
        label[:, rated],
        prepared_folds(records, config.data.protocol),
        seed=config.training.seed,
    )
    predictions = {NETWORK: with_score.rating, WITHOUT_SCORE: without.rating}
    result = result_of(
        records,
        rated,
        with_score.fold,
        {name: rating[:, rated] for name, rating in predictions.items()} | dict(baselines.rating),
        {NETWORK: with_score.sd[:, rated], WITHOUT_SCORE: without.sd[:, rated]},
    )
    return CrossValidation(result, baselines.undefined, with_score.attention)


def result_of(
    records: Sequence[PreparedRecord],
    rated: IntArray,
    fold: IntArray,
    predictions: Mapping[str, FloatArray],
    sd: Mapping[str, FloatArray],
) -> CrossValidationResult:
    """Predictions with the labels and the metadata of their excerpts.

    Parameters
    ----------
    records : R of them
    rated : (D,) indices into `TARGETS`
    fold : (R,)
    predictions, sd : system -> (R, D)
    """
    about = [r.record for r in records]
    return CrossValidationResult(
        names=tuple(TARGETS[d] for d in rated),
        segment_ids=np.array([r.segment_id for r in about]),
        clusters=np.array([r.cluster_id or r.piece_id for r in about]),
        passages=np.array([r.passage_id or r.piece_id for r in about]),
        performers=np.array([r.performer_id or "" for r in about]),
        is_score=np.array([r.is_score_rendering for r in about]),
        fold=fold,
        labels=np.stack([r.label[rated] for r in records]),
        predictions=predictions,
        sd=sd,
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
    reliability = reliability_by_name(records)
    tested = result.subset(result.fold >= 0)
    return fit_interval_calibration(
        tested.names,
        tested.labels,
        tested.predictions[system],
        tested.sd[system],
        tested.fold,
        tested.clusters,
        protocol=f"{len(np.unique(tested.fold))} folds of clusters of shared music, {len(tested)} excerpts",
        reliability={name: reliability[name] for name in tested.names if name in reliability},
    )


def reliability_by_name(records: Sequence[LabelRecord]) -> dict[str, float]:
    """Reliability of the mean ratings of every target for which it is known: the highest honest R2."""
    label = np.array([[record.labels.get(name, np.nan) for name in TARGETS] for record in records])
    label_sd = np.array([[record.label_sd.get(name, np.nan) for name in TARGETS] for record in records])
    n_raters = np.array([record.n_raters or np.nan for record in records], dtype=float)
    found = reliability_of_means(label, label_sd, n_raters)
    return {name: float(r) for name, r in zip(TARGETS, found, strict=True) if np.isfinite(r)}


def _assert_same_split(folder: Path, train_ids: Sequence[str]) -> None:
    path = folder / "split.json"
    if not path.is_file():
        raise InputError(path, "no such file", next_step=f"train {folder.name} first")
    if json.loads(path.read_text(encoding="utf-8"))["train"] != sorted(train_ids):
        raise InputError(
            path, "is not the split of this label file", next_step="train the fold again, or give its labels"
        )
