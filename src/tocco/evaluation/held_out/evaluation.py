"""Held-out ratings of a run with all that a report of them needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tocco.data.partition import PART_BARRIERS
from tocco.data.prepared import PreparedRecord
from tocco.data.splits import assert_disjoint
from tocco.evaluation.cross_validation.all_baselines import all_baselines
from tocco.evaluation.cross_validation.calibration import conformal_scale, cross_fitted_coverage
from tocco.evaluation.cross_validation.excerpt_features import ExcerptFeatures
from tocco.evaluation.cross_validation.network_ratings import NetworkRatings, rate_excerpts
from tocco.evaluation.cross_validation.protocols import (
    NETWORK,
    CrossValidation,
    HeldOutRatings,
    averaged,
    reliability_by_name,
    result_of,
)
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.inference.intervals import DEFAULT_LEVEL, normal_sigma, scaled_interval
from tocco.report.attention_picture import AttentionOverTime
from tocco.rubrics import TARGETS
from tocco.training.checkpoint_file import network_of, read_checkpoint
from tocco.training.outputs import rated_targets
from tocco.training.trained_part import TrainedPart
from tocco.units import FloatArray


@dataclass(frozen=True, eq=False)
class Intervals:
    """Calibrated intervals of the network.

    Attributes
    ----------
    sigma : (N, D) rating points, the normal sd with the same interval before clipping to 0..100
    low, high : (N, D) rating, ends of the 90 % interval
    fitted_on : what the scale of the predicted sd was found on, in words
    """

    sigma: FloatArray
    low: FloatArray
    high: FloatArray
    fitted_on: str


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Held-out ratings of a network and of the baselines.

    Attributes
    ----------
    result : of the tested excerpts alone
    records : of the same, in the same order
    intervals : of the system `NETWORK`
    reliability : target -> 0..1, of the mean ratings of all records; the highest honest R2
    raters : (N, D, R) rating of every rater, NaN where missing; None where single ratings are not known
    undefined : baseline -> why it is not there
    attention : segment -> attention over time, of the examples
    n_train : excerpts that network and baselines were trained on
    """

    result: CrossValidationResult
    records: tuple[PreparedRecord, ...]
    intervals: Intervals
    reliability: Mapping[str, float]
    raters: FloatArray | None
    undefined: Mapping[str, str]
    attention: Mapping[str, AttentionOverTime]
    n_train: int


def example_segments(records: Sequence[PreparedRecord], n: int) -> tuple[str, ...]:
    """Excerpts evenly over the range of the ratings: chosen by the raters' mean, never by the prediction.

    Parameters
    ----------
    records : at least one
    n : how many, at most
    """
    mean = np.array([np.nanmean(record.label) for record in records])
    order = np.lexsort((np.array([r.record.segment_id for r in records]), mean))
    places = np.unique(np.linspace(0, len(order) - 1, min(n, len(order))).round().astype(int))
    return tuple(records[i].record.segment_id for i in order[places])


def evaluation_of_folds(
    found: CrossValidation, records: Sequence[PreparedRecord], raters: FloatArray | None
) -> Evaluation:
    """Evaluation of a cross-validation; the interval of a fold is scaled on the other folds.

    Parameters
    ----------
    found
    records : of its result, in the same order
    raters : (N, D, R) of the same, for the targets of the result
    """
    tested = found.result.fold >= 0
    result = found.result.subset(tested)
    scaled = cross_fitted_coverage(
        result.names, result.labels, result.predictions[NETWORK], result.sd[NETWORK], result.fold, result.fold
    )
    of_records = [record for record, is_tested in zip(records, tested, strict=True) if is_tested]
    return Evaluation(
        result=result,
        records=tuple(of_records),
        intervals=Intervals(scaled.sigma, scaled.low, scaled.high, "the other folds"),
        reliability=reliability_by_name([record.record for record in records]),
        raters=None if raters is None else raters[tested],
        undefined=found.undefined,
        attention=found.attention,
        n_train=len(records),
    )


@dataclass(frozen=True, eq=False)
class PreparedParts:
    """Prepared records of the sides of a partition.

    Attributes
    ----------
    train : what network and baselines were trained on
    tested : what is evaluated
    calibrated_on : what intervals are scaled on; empty where nothing is left for it
    """

    train: tuple[PreparedRecord, ...]
    tested: tuple[PreparedRecord, ...]
    calibrated_on: tuple[PreparedRecord, ...]

    @property
    def records(self) -> tuple[PreparedRecord, ...]:
        """All of them: train, tested, calibrated on."""
        return (*self.train, *self.tested, *self.calibrated_on)


def evaluation_of_part(
    members: Sequence[TrainedPart],
    parts: PreparedParts,
    features: ExcerptFeatures,
    raters: FloatArray | None,
    *,
    shown: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Evaluation of one side of a partition, by one network or an ensemble.

    Parameters
    ----------
    members : of one run, with the same partition
    parts
    features : of `parts.train`, then of `parts.tested`
    raters : (N, D, R) of `parts.tested`, in the order of `TARGETS`
    shown : segments whose attention is kept
    advance : called after each excerpt that is rated, by each member

    Raises
    ------
    InputError
        Training and tested excerpts have music in common, or an excerpt cannot be rated.
    """
    config, tested = members[0].config, parts.tested
    prints = {one.record.segment_id: one.fingerprint for one in parts.records}
    about = [one.record for one in (*parts.train, *tested)]
    n_train = len(parts.train)
    assert_disjoint(about[:n_train], about[n_train:], by=PART_BARRIERS[config.data.split_by], prints=prints)
    rated = _by_members(members, tested, parts.calibrated_on, shown, advance)
    targets = rated_targets(config.model.dimensions, np.stack([one.label for one in tested]))
    labels = np.stack([one.label[targets] for one in (*parts.train, *tested)])
    fold = (np.arange(n_train), np.arange(n_train, len(labels)))
    baselines = all_baselines(about, features, labels, [fold], seed=config.training.seed)
    columns = [config.model.dimensions.index(TARGETS[d]) for d in targets]
    rating, sd = rated.rating[:, columns], rated.sd[:, columns]
    n_tested = len(tested)
    known = np.stack([one.label[targets] for one in parts.calibrated_on]) if parts.calibrated_on else None
    result = result_of(
        tested,
        targets,
        np.zeros(n_tested, dtype=int),
        {NETWORK: rating[:n_tested]} | {name: table[n_train:] for name, table in baselines.rating.items()},
        {NETWORK: sd[:n_tested]},
    )
    return Evaluation(
        result=result,
        records=tested,
        intervals=_scaled_intervals(rating, sd, n_tested, known),
        reliability=reliability_by_name([one.record for one in parts.records]),
        raters=None if raters is None else raters[:, targets],
        undefined=baselines.undefined,
        attention=rated.attention,
        n_train=n_train,
    )


def _by_members(
    members: Sequence[TrainedPart],
    tested: Sequence[PreparedRecord],
    calibrated_on: Sequence[PreparedRecord],
    shown: Collection[str],
    advance: Callable[[], object],
) -> HeldOutRatings:
    """Ratings of the tested excerpts, then of those that intervals are scaled on."""
    found: list[NetworkRatings] = []
    for member in members:
        network = network_of(read_checkpoint(member.checkpoint))
        found.append(
            rate_excerpts(
                network.requires_grad_(False),
                [*tested, *calibrated_on],
                use_score=member.config.data.score_features,
                shown=shown,
                advance=advance,
            )
        )
    fold = np.zeros(len(found[0].rating), dtype=int)
    return averaged([HeldOutRatings(fold, one.rating, one.sd, one.attention) for one in found])


def _scaled_intervals(
    rating: FloatArray, sd: FloatArray, n_tested: int, known: FloatArray | None
) -> Intervals:
    """Intervals of the first rows, scaled on the labels of the others.

    Parameters
    ----------
    rating, sd : (N + C, D)
    n_tested : N
    known : (C, D) labels; None where there is nothing to scale them on
    """
    least = math.ceil(round(DEFAULT_LEVEL / (1.0 - DEFAULT_LEVEL), 9))
    enough = known is not None and np.count_nonzero(np.isfinite(known), axis=0).min() >= least
    # Half of the central interval of a normal distribution, where nothing else is known.
    scale = np.full(rating.shape[1], float(1.0 / normal_sigma(np.ones(1), 1.0, DEFAULT_LEVEL)[0]))
    if known is not None and enough:
        scale = np.array(
            [
                conformal_scale(known[:, d], rating[n_tested:, d], sd[n_tested:, d])
                for d in range(rating.shape[1])
            ]
        )
    low, high = scaled_interval(rating[:n_tested], sd[:n_tested], scale)
    sigma = np.asarray(normal_sigma(sd[:n_tested], scale, DEFAULT_LEVEL))
    on = (
        f"{len(known)} excerpts of the validation part"
        if known is not None and enough
        else "nothing: as predicted"
    )
    return Intervals(sigma, low, high, on)
