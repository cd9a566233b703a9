"""Held-out ratings of a trained experiment, and of the baselines that hear nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch

from tocco.cache import cached_arrays
from tocco.data.prepared import PreparedRecord, prepared_folds
from tocco.data.splits import Protocol
from tocco.evaluation.cross_validation.baselines import constant, cross_validate_baseline, passage_mean
from tocco.evaluation.cross_validation.network_ratings import rate_excerpts
from tocco.evaluation.cross_validation.protocols import rate_fold
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.summary import CONSTANT
from tocco.files import sha256_of
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.module_of_config import build_module
from tocco.training.outputs import columns_of, rated_targets
from tocco.training.run_folder import WEIGHTS_FILE
from tocco.units import FloatArray, IntArray

PASSAGE_MEAN = "passage mean"
UNTRAINED = "full, untrained"
BASELINES = {
    UNTRAINED: "before its first step",
    CONSTANT: "hears nothing",
    PASSAGE_MEAN: "hears nothing",
}
"""Systems beside the experiments, with words for them.

The untrained network is a ridge regression on the statistics, where it has them, beside branches that are
random or of its checkpoint: what it lacks to the full one is what the training gains.
"""


@dataclass(frozen=True)
class Folds:
    """What is trained and held out.

    Attributes
    ----------
    protocol
    numbers : of the folds that are held out, ascending
    """

    protocol: Protocol
    numbers: tuple[int, ...]


def held_out(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    run: Path,
    folds: Folds,
    progress: Callable[[int, int], None] | None = None,
) -> FloatArray:
    """Ratings of the records of some folds by the networks that were trained without them.

    They are kept beside the weights, under the hash of these.

    Parameters
    ----------
    config, records
    run : folder of the run, with one sub-folder a fold
    folds, progress

    Returns
    -------
    (R, D) rating points, in the order of `TARGETS`; NaN for other records, and what the network does not rate

    Raises
    ------
    InputError
        A fold is not trained, or was trained on another split.
    """
    rating = np.full((len(records), len(TARGETS)), np.nan)
    for k, (train, test) in enumerate(prepared_folds(records, folds.protocol)):
        if k not in folds.numbers:
            continue
        folder = run / f"fold{k}"

        def rate(folder: Path = folder, train: IntArray = train, test: IntArray = test) -> dict:
            rated = rate_fold(
                config, records, folder, (train, test), use_score=True, advance=_counting(progress, len(test))
            )
            return {"rating": _of_all_targets(rated.rating, config)}

        weights = folder / WEIGHTS_FILE
        key = sha256_of(weights)[:16] if weights.is_file() else "none"
        rating[test] = cached_arrays(folder / f"held_out-{key}.safetensors", rate).array("rating")
    return rating


def _of_all_targets(rating: FloatArray, config: ExperimentConfig) -> FloatArray:
    """(R, all targets) from what the network rates; NaN for the rest."""
    wide = np.full((len(rating), len(TARGETS)), np.nan)
    wide[:, columns_of(config.model.dimensions)] = rating
    return wide


def _counting(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], object]:
    """A callback of one excerpt, for one that takes how many of how many are done."""
    done = count(1)
    return lambda: None if progress is None else progress(next(done), total)


def untrained(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    run: Path,
    folds: Folds,
    start: Path | None,
    progress: Callable[[int, int], None] | None = None,
) -> FloatArray:
    """Ratings of the records of some folds by the network of an experiment before its first step.

    Parameters and returns as for `held_out`, with the checkpoint that the experiment starts from. They are
    kept beside those of the trained network.
    """
    rating = np.full((len(records), len(TARGETS)), np.nan)
    for k, (train, test) in enumerate(prepared_folds(records, folds.protocol)):
        if k not in folds.numbers:
            continue

        def rate(train: IntArray = train, test: IntArray = test) -> dict:
            torch.manual_seed(config.training.seed)
            network = build_module(config, [records[i] for i in train], start).network.eval()
            rated = rate_excerpts(
                network.requires_grad_(False),
                [records[i] for i in test],
                use_score=config.data.score_features,
                advance=_counting(progress, len(test)),
            )
            return {"rating": _of_all_targets(rated.rating, config)}

        folder = run / f"fold{k}"
        key = sha256_of(folder / WEIGHTS_FILE)[:16]  # of the same settings, data and start
        rating[test] = cached_arrays(folder / f"untrained-{key}.safetensors", rate).array("rating")
    return rating


def comparable(
    records: Sequence[PreparedRecord], folds: Folds, ratings: Mapping[str, FloatArray]
) -> CrossValidationResult:
    """Labels of the held-out records, ratings of every experiment, and those of the baselines.

    Parameters
    ----------
    records
    folds
    ratings : name -> (R, D) in the order of `TARGETS`, of one or more experiments, and `UNTRAINED`
    """
    label = np.stack([one.label for one in records])
    everywhere = np.full(len(records), -1)
    for k, (_, test) in enumerate(prepared_folds(records, folds.protocol)):
        everywhere[test] = k
    fold = np.where(np.isin(everywhere, folds.numbers), everywhere, -1)
    tested = fold >= 0
    rated = np.concatenate([rating[tested] for rating in ratings.values()])
    columns = [d for d in rated_targets(TARGETS, label[tested]) if np.isfinite(rated[:, d]).all()]
    about = [one.record for one in records]
    passages = np.array([one.passage_id or one.piece_id for one in about])
    baselines = {
        CONSTANT: cross_validate_baseline(constant, np.zeros(len(records)), label[:, columns], everywhere),
        PASSAGE_MEAN: cross_validate_baseline(passage_mean, passages, label[:, columns], everywhere),
    }
    return CrossValidationResult(
        names=tuple(TARGETS[d] for d in columns),
        segment_ids=np.array([one.segment_id for one in about]),
        clusters=np.array([one.cluster_id or one.piece_id for one in about]),
        passages=passages,
        performers=np.array([one.performer_id or "" for one in about]),
        is_score=np.array([one.is_score_rendering for one in about]),
        fold=fold,
        labels=label[:, columns],
        predictions={**{name: rating[:, columns] for name, rating in ratings.items()}, **baselines},
    ).subset(tested)
