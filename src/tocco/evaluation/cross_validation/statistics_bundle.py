"""The predictors of whole performances that ship: fitted to every excerpt, with intervals and a card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.cross_validation.calibration import conformal_scale
from tocco.evaluation.cross_validation.measured_excerpts import MeasuredExcerpts
from tocco.evaluation.cross_validation.protocols import calibration_of
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.statistics_rating import (
    BLEND,
    KERNEL,
    TREES,
    WITHHELD,
    TrainingSide,
    by_score,
    fit_members,
    group_of,
    rated_labels,
)
from tocco.evaluation.norm_facts import NormFacts
from tocco.inference.bundle import NETWORK, BundleCalibration, BundleConfig, ListedPredictor
from tocco.inference.intervals import IntervalCalibration
from tocco.models.norm_kernel import KernelSettings
from tocco.models.predictor import Predictor
from tocco.models.statistics_norms import StatisticsNorms
from tocco.units import FloatArray

FOLDERS: Final = {TREES: "trees", KERNEL: "norm_kernel"}
"""Name of a member -> its folder in a bundle."""

CARD_HEADING: Final = "## Rating of the whole performance"


@dataclass(frozen=True, eq=False)
class ShippedMembers:
    """Predictors of whole performances, and what is known of their errors.

    Attributes
    ----------
    predictors : name -> predictor
    intervals : of the mean of their ratings
    settings : of the kernel with a score, and without
    """

    predictors: Mapping[str, Predictor]
    intervals: IntervalCalibration
    settings: tuple[KernelSettings, KernelSettings]


def fit_shipped_members(
    records: Sequence[LabelRecord],
    measured: MeasuredExcerpts,
    norms: StatisticsNorms,
    held_out: CrossValidationResult,
    *,
    seed: int,
    cache_dir: Path | None = None,
) -> ShippedMembers:
    """Fit both members to every record; their intervals are those of the held-out ratings.

    Parameters
    ----------
    records, measured, norms
    held_out : of the same records, by clusters of shared music
    seed : of the inner folds
    cache_dir : as of `fit_members`

    Raises
    ------
    InputError
        The held-out ratings are of other records or targets.
    """
    names, labels = rated_labels(records, np.ones(len(records), dtype=bool))
    _assert_same_records(records, names, held_out)
    groups = np.array([group_of(record, "cv4_cluster") for record in records])
    side = TrainingSide(names, measured.measures, labels, groups, norms, seed)
    members = fit_members(side, cache_dir)
    sd = interval_sd(held_out)
    predictors = {TREES: by_score(side, members.trees, sd), KERNEL: by_score(side, members.kernel, sd)}
    spread = {BLEND: np.tile(sd[0], (len(held_out), 1))}
    return ShippedMembers(
        predictors={FOLDERS[name]: predictor for name, predictor in predictors.items()},
        intervals=calibration_of(replace(held_out, sd=spread), records, BLEND),
        settings=members.settings,
    )


def _assert_same_records(
    records: Sequence[LabelRecord], names: tuple[str, ...], held_out: CrossValidationResult
) -> None:
    same = held_out.names == names and held_out.segment_ids.tolist() == [r.segment_id for r in records]
    if not same or not {BLEND, BLEND + WITHHELD} <= set(held_out.predictions):
        raise InputError(
            "the evaluation",
            "is not one of these predictors on this label file",
            next_step="run `tocco benchmark statistics` on the same labels",
        )


def interval_sd(held_out: CrossValidationResult) -> tuple[FloatArray, FloatArray]:
    """Spread of the held-out errors of each target, with a score and without.

    With a score it is the root mean square error. Without one it is such that one scale gives both
    conditions intervals that hold equally often.

    Returns
    -------
    with_score, without_score : (D,) rating points
    """
    tested = held_out.subset(held_out.fold >= 0)
    one = np.ones(len(tested))
    with_score, without_score = np.empty(len(tested.names)), np.empty(len(tested.names))
    for d in range(len(tested.names)):
        label = tested.labels[:, d]
        error = tested.predictions[BLEND][:, d] - label
        with_score[d] = np.sqrt(np.nanmean(error**2))
        widths = [
            conformal_scale(label, tested.predictions[system][:, d], one)
            for system in (BLEND, BLEND + WITHHELD)
        ]
        without_score[d] = with_score[d] * widths[1] / widths[0]
    return with_score, without_score


def with_members(
    config: BundleConfig,
    calibration: BundleCalibration,
    members: ShippedMembers,
    facts: NormFacts,
    *,
    labels_sha256: str,
    n_records: int,
    seed: int,
    network_weight: float,
) -> tuple[BundleConfig, BundleCalibration]:
    """Config and calibration of a bundle with these predictors beside its network."""
    listed = (
        ListedPredictor(name=NETWORK, weight=network_weight),
        *(ListedPredictor(name=name, weight=1.0) for name in members.predictors),
    )
    settings = dict(zip(("with_score", "without_score"), map(asdict, members.settings), strict=True))
    about = {
        "labels_sha256": labels_sha256,
        "n_records": n_records,
        "seed": seed,
        "kernel": settings,
        "norms": facts.model_dump(mode="json"),
        "licence_of_the_norms": "statistics of ASAP (CC BY-NC-SA 4.0)",
    }
    training = {**config.training, "whole_performance": about}
    return (
        config.model_copy(update={"predictors": listed, "training": training}),
        calibration.model_copy(
            update={"intervals": members.intervals, "windows": calibration.window_intervals}
        ),
    )


def card_with_members(
    card: str,
    members: ShippedMembers,
    facts: NormFacts,
    figures: str,
    *,
    labels_sha256: str,
    n_records: int,
    seed: int,
    network_weight: float,
) -> str:
    """The card of a bundle with a section on these predictors, in place of an earlier one."""
    template = resources.files("tocco.evaluation.cross_validation") / "statistics_card.md"
    with_score, without_score = (
        f"alpha {one.alpha:g}, width {one.width:g}, linear {one.linear:g}" for one in members.settings
    )
    section = template.read_text(encoding="utf-8").format(
        network_weight=network_weight,
        n_records=n_records,
        labels_sha256=labels_sha256,
        n_windows=facts.n_windows,
        n_performances=facts.n_performances,
        n_pieces=len(facts.pieces),
        windows_per_performance=facts.windows_per_performance,
        norm_seed=facts.seed,
        corpora=", ".join(f"{corpus} ({count})" for corpus, count in facts.corpora.items()),
        manifest_sha256=facts.labels_sha256,
        with_score=with_score,
        without_score=without_score,
        seed=seed,
        figures="\n".join(f"###{line}" if line.startswith("#") else line for line in figures.splitlines()),
    )
    before, _, _ = card.partition(CARD_HEADING)
    return before.rstrip("\n") + "\n\n" + section
