"""Predictors of whole performances, cross-validated, shipped and stated on the card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from beat_annotated import write_annotated
from tocco.data.records import LabelRecord, read_labels
from tocco.data.reference_windows import WindowPlan, read_windows
from tocco.errors import InputError
from tocco.evaluation.cross_validation import measured_excerpts, statistics_rating
from tocco.evaluation.cross_validation.measured_excerpts import (
    IS_SCORE_FREE,
    MeasuredExcerpts,
    measure_excerpts,
)
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.statistics_bundle import fit_shipped_members, interval_sd
from tocco.evaluation.cross_validation.statistics_rating import (
    BLEND,
    KERNEL,
    NORM_NAMES,
    TREES,
    WITHHELD,
    StatisticsResult,
    group_of,
    statistics_result,
)
from tocco.metrics import r2
from tocco.models import boosted_trees
from tocco.models.norm_kernel import KernelSettings
from tocco.models.predictor import PredictorInput, StatisticsTable
from tocco.models.statistics_norms import StatisticsNorms, fit_statistics_norms
from tocco.music.measures import MEASURES


@pytest.fixture(scope="module", autouse=True)
def _few_trees():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosted_trees, "N_TREES", 8)
        patch.setattr(boosted_trees, "N_FORESTS", 2)
        few = (KernelSettings(alpha=0.5), KernelSettings(alpha=50.0))
        chosen = statistics_rating.choose_kernel_settings
        patch.setattr(
            statistics_rating, "choose_kernel_settings", lambda *given: chosen(*given, candidates=few)
        )
        yield


@pytest.fixture(scope="module")
def norms(tmp_path_factory: pytest.TempPathFactory) -> StatisticsNorms:
    folder = tmp_path_factory.mktemp("reference")
    windows = read_windows(read_labels(write_annotated(folder)), WindowPlan(4), folder / "windows")
    return fit_statistics_norms(
        NORM_NAMES, StatisticsTable(MEASURES, windows.measures), np.random.default_rng(0)
    )


@pytest.fixture(scope="module")
def records(tiny_labels: Path) -> tuple[LabelRecord, ...]:
    return read_labels(tiny_labels)


@pytest.fixture(scope="module")
def measured(records: tuple[LabelRecord, ...]) -> MeasuredExcerpts:
    return measure_excerpts(records)


@pytest.fixture(scope="module")
def found(
    records: tuple[LabelRecord, ...], measured: MeasuredExcerpts, norms: StatisticsNorms
) -> StatisticsResult:
    return statistics_result(records, measured, norms, "cv4_cluster")


def test_every_member_is_tested_with_the_score_and_without(found: StatisticsResult) -> None:
    members = [name + suffix for suffix in ("", WITHHELD) for name in (TREES, KERNEL, BLEND)]
    assert list(found.result.predictions) == [*members, "ridge, 10 features", "constant"]
    assert list(found.result.sd) == members
    for suffix in ("", WITHHELD):
        trees, kernel, blend = (found.result.predictions[name + suffix] for name in (TREES, KERNEL, BLEND))
        assert blend == pytest.approx((trees + kernel) / 2)
    kernel, without = (found.result.predictions[name] for name in (KERNEL, KERNEL + WITHHELD))
    assert np.abs(kernel - without).max() > 0.01


def test_a_planted_loudness_is_found_in_music_that_was_never_seen(found: StatisticsResult) -> None:
    result = found.result
    loud = result.names.index("timbre_soft_loud")
    for system in (KERNEL, KERNEL + WITHHELD):
        assert r2(result.labels[:, loud], result.predictions[system][:, loud]) > 0.5


def test_held_out_labels_are_never_learned_from_nor_chosen_by(
    records: tuple[LabelRecord, ...], measured: MeasuredExcerpts, norms: StatisticsNorms, found
) -> None:
    first = found.result.fold == 0
    turned = [
        record.model_copy(update={"labels": {name: 100.0 - value for name, value in record.labels.items()}})
        if is_first
        else record
        for record, is_first in zip(records, first, strict=True)
    ]
    again = statistics_result(turned, measured, norms, "cv4_cluster")
    assert again.settings[0] == found.settings[0]
    for system in (TREES, KERNEL, BLEND + WITHHELD):
        before, after = found.result.predictions[system], again.result.predictions[system]
        assert np.array_equal(before[first], after[first])
        assert not np.allclose(before[~first], after[~first])


def test_a_resumed_run_reads_what_an_earlier_one_rated(
    records: tuple[LabelRecord, ...],
    measured: MeasuredExcerpts,
    norms: StatisticsNorms,
    found: StatisticsResult,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = statistics_result(records, measured, norms, "cv4_cluster", cache_dir=tmp_path)
    for system, table in found.result.predictions.items():
        assert np.array_equal(first.result.predictions[system], table)
    assert first.settings == found.settings
    assert len(list(tmp_path.iterdir())) == 8  # two members, two folds, with a score and without

    def never(*_given: object, **_more: object) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(statistics_rating, "fit_trees", never)
    monkeypatch.setattr(statistics_rating, "fit_kernel", never)
    again = statistics_result(records, measured, norms, "cv4_cluster", cache_dir=tmp_path)
    assert np.array_equal(again.result.predictions[BLEND], found.result.predictions[BLEND])
    assert again.settings == found.settings
    with pytest.raises(AssertionError, match="fitted again"):
        statistics_result(records, measured, norms, "cv4_cluster", seed=1, cache_dir=tmp_path)


def test_measures_are_read_once(
    records: tuple[LabelRecord, ...], measured: MeasuredExcerpts, tmp_path: Path, monkeypatch
) -> None:
    some = records[:3]
    first = measure_excerpts(some, cache_dir=tmp_path)
    assert np.array_equal(first.measures, measured.measures[:3], equal_nan=True)
    monkeypatch.setattr(measured_excerpts, "read_record", None)
    again = measure_excerpts(some, cache_dir=tmp_path)
    assert np.array_equal(again.measures, first.measures, equal_nan=True)
    assert np.array_equal(again.ridge, measured.ridge[:3])
    assert again.score_refusal == ("", "", "")
    with pytest.raises(TypeError):
        measure_excerpts([some[0].model_copy(update={"score_path": None})], cache_dir=tmp_path)


def test_a_record_without_a_usable_score_is_rated_by_those_who_need_none(
    records: tuple[LabelRecord, ...], measured: MeasuredExcerpts, norms: StatisticsNorms
) -> None:
    lost = measured.measures.copy()
    lost[3, ~IS_SCORE_FREE] = np.nan
    poorer = replace(measured, measures=lost)
    assert poorer.has_score.tolist() == [n != 3 for n in range(len(records))]
    result = statistics_result(records, poorer, norms, "cv4_cluster").result
    for name in (TREES, KERNEL, BLEND):
        same = (result.predictions[name] == result.predictions[name + WITHHELD]).all(axis=1)
        assert same[3]
        assert name == TREES or not same.all()  # so few performances give no tree


def test_without_a_score_only_what_the_notes_show_is_left(
    records: tuple[LabelRecord, ...], measured: MeasuredExcerpts
) -> None:
    (without,) = measure_excerpts([records[0].model_copy(update={"score_path": None})]).measures
    assert np.isnan(without[~IS_SCORE_FREE]).all()
    assert np.array_equal(without[IS_SCORE_FREE], measured.measures[0, IS_SCORE_FREE], equal_nan=True)
    free = {name for name, there in zip(MEASURES, IS_SCORE_FREE, strict=True) if there}
    assert {"onset_rate", "last_half.onset_rate"} <= free
    assert not {"score.onset_rate", "tempo_bpm", "first_half.tempo_bpm", "score_density"} & free


def test_inner_folds_divide_what_the_protocol_divides(records: tuple[LabelRecord, ...]) -> None:
    record = records[4]
    assert group_of(record, "cv4_cluster") == record.cluster_id
    assert group_of(record, "leave_one_work_out") == record.cluster_id
    assert group_of(record, "cv4_performer") == record.performer_id


@pytest.fixture(scope="module")
def shipped(records, measured, norms, found):
    return fit_shipped_members(records, measured, norms, found.result, seed=0)


def test_what_ships_has_learned_from_every_record(shipped, records, measured) -> None:
    rows = PredictorInput(statistics=StatisticsTable(MEASURES, measured.measures))
    kernel = shipped.predictors["norm_kernel"]
    labels = np.array([record.labels["timbre_soft_loud"] for record in records])
    rating = kernel.predict(rows).rating[:, kernel.names.index("timbre_soft_loud")]
    assert r2(labels, rating) > 0.8
    assert len(kernel.with_score.member.training) == len(records)
    assert set(shipped.predictors) == {"trees", "norm_kernel"}


def test_a_fit_that_is_resumed_keeps_what_was_fitted(
    shipped, records, measured, norms, found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = PredictorInput(statistics=StatisticsTable(MEASURES, measured.measures))
    for _ in range(2):
        again = fit_shipped_members(records, measured, norms, found.result, seed=0, cache_dir=tmp_path)
        for name, predictor in again.predictors.items():
            assert np.array_equal(
                predictor.predict(rows).rating, shipped.predictors[name].predict(rows).rating
            )
        monkeypatch.setattr(statistics_rating, "fit_trees", None)
        monkeypatch.setattr(statistics_rating, "fit_kernel", None)
    assert len(list(tmp_path.iterdir())) == 4


def test_intervals_hold_nine_labels_of_ten_with_a_score_and_without(
    small_result: CrossValidationResult,
) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, small_result.labels.shape)
    labels = np.where(np.isfinite(small_result.labels), small_result.labels, 50.0)
    rated = {BLEND: labels + 4.0 * noise, BLEND + WITHHELD: labels + 8.0 * noise}
    result = replace(small_result, labels=labels, predictions=rated, sd={})
    with_score, without_score = interval_sd(result)
    assert with_score == pytest.approx(4.0, rel=0.2)
    assert without_score == pytest.approx(2.0 * with_score)


def test_intervals_of_the_shipped_are_wider_where_less_is_known(shipped, found) -> None:
    with_score, without_score = interval_sd(found.result)
    trees = shipped.predictors["trees"]
    assert trees.with_score.sd == pytest.approx(with_score)
    assert trees.without_score.sd == pytest.approx(without_score)
    scale = shipped.intervals.scale(found.result.names)
    for suffix, sd in (("", with_score), (WITHHELD, without_score)):
        error = np.abs(found.result.predictions[BLEND + suffix] - found.result.labels)
        inside = (error <= scale * sd + 1e-9).mean(axis=0)
        assert (inside >= 0.9).all()
        assert (inside <= 0.951).all()
    assert shipped.intervals.dimensions["phrasing"].reliability is not None


def test_an_evaluation_of_other_records_is_refused(records, measured, norms, found) -> None:
    with pytest.raises(InputError, match="is not one of these predictors on this label file"):
        fit_shipped_members(records[::-1], measured, norms, found.result, seed=0)
    trees_alone = replace(found.result, predictions={TREES: found.result.predictions[TREES]}, sd={})
    with pytest.raises(InputError, match="tocco benchmark statistics"):
        fit_shipped_members(records, measured, norms, trees_alone, seed=0)
