"""Tables, groups and worst cases of an evaluation with known answers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tocco import metrics
from tocco.errors import InputError
from tocco.evaluation.held_out.errors_by_group import THIRDS, errors_by_group
from tocco.evaluation.held_out.evaluation import Evaluation, _scaled_intervals, example_segments
from tocco.evaluation.held_out.figures import pedal_spans
from tocco.evaluation.held_out.metrics_table import compute_metrics, metrics_csv, target_table
from tocco.evaluation.held_out.raters import rater_ratings
from tocco.evaluation.held_out.tables import families_of, predictions_csv
from tocco.evaluation.held_out.worst_cases import worst_cases
from tocco.music.performance import PedalCurve
from tocco.rubrics import TARGETS


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_prediction_without_a_label_has_no_row(evaluation: Evaluation) -> None:
    rows = read(predictions_csv(evaluation))
    assert len(rows) == 3 * 40 - 1
    assert not [row for row in rows if (row["segment"], row["dimension"]) == ("take00", "timbre_soft_loud")]
    row = next(row for row in rows if (row["segment"], row["dimension"]) == ("take07", "phrasing"))
    assert float(row["mean"]) == pytest.approx(25.0 + 0.5 * float(row["label"]), abs=1e-3)
    assert (row["sd"], row["raters_sd"], row["n_raters"]) == ("10.0000", "12.0000", "6")
    assert (row["cluster"], row["passage"], row["work"]) == ("cluster7", "passage7", "work1")


def test_metrics_are_those_of_the_package(evaluation: Evaluation) -> None:
    found = compute_metrics(evaluation, np.random.default_rng(0))
    rows = {(r["system"], r["dimension"], r["metric"]): r for r in read(metrics_csv(found))}
    labels, mean = evaluation.result.labels[:, 1], evaluation.result.predictions["tocco"][:, 1]
    for metric in (metrics.pearson_r, metrics.r2, metrics.mae, metrics.ccc, metrics.rmse):
        value = float(rows["tocco", "phrasing", metric.__name__]["value"])
        assert value == pytest.approx(metric(labels, mean), abs=1e-6)
    assert float(rows["tocco", "phrasing", "mae_skill"]["value"]) == pytest.approx(0.5)
    gain = rows["tocco minus constant", "mean of 2 dimensions", "mae_skill"]
    assert float(gain["value"]) == pytest.approx(0.5, abs=1e-6)
    assert float(gain["low_95"]) <= 0.5 <= float(gain["high_95"])
    weighted = float(rows["constant", "all", "reliability_weighted_r"]["value"])
    assert weighted == 0.0
    assert rows["tocco", "all", "reliability_weighted_r"]["reason"]  # a correlation of 1 has no Fisher z
    pooled = np.abs(evaluation.result.labels - evaluation.result.predictions["tocco"])
    assert float(rows["tocco", "all", "overall_mae"]["value"]) == pytest.approx(np.nanmean(pooled), abs=1e-6)
    assert "0.900" in target_table(found, evaluation.reliability)[2]  # root of .81


def test_means_are_of_technical_and_interpretive_dimensions() -> None:
    families = families_of(("note_accuracy", "dynamics_control", "phrasing", "timbre_soft_loud"))
    assert {title: mask.tolist() for title, mask in families.items()} == {
        "2 technical dimensions": [True, True, False, False],
        "1 interpretive dimensions": [False, False, True, False],
        "3 dimensions": [True, True, True, False],
        "1 descriptors": [False, False, False, True],
    }


def test_range_accuracy_and_its_ceiling_need_single_ratings(evaluation: Evaluation) -> None:
    raters = np.repeat(evaluation.result.labels[..., None], 4, axis=2) + np.array([-8.0, -1.0, 1.0, 8.0])
    with_raters = dataclasses.replace(evaluation, raters=raters)
    rows = {
        (r["system"], r["dimension"], r["metric"]): r["value"]
        for r in read(metrics_csv(compute_metrics(with_raters, np.random.default_rng(0))))
    }
    # The quartiles lie 2.75 points from the mean; the network errs by half the distance to 50.
    inside = np.abs(evaluation.result.labels[:, 1] - 50.0) / 2 <= 2.75
    assert float(rows["tocco", "phrasing", "range_accuracy_0"]) == pytest.approx(inside.mean(), abs=1e-6)
    assert float(rows["one rater", "phrasing", "range_accuracy_0"]) == 0.5
    without = read(metrics_csv(compute_metrics(evaluation, np.random.default_rng(0))))
    assert not [row for row in without if row["metric"].startswith("range_accuracy")]


def test_a_network_that_shrinks_errs_up_below_and_down_above(evaluation: Evaluation) -> None:
    rows = {(row.by, row.group): row for row in errors_by_group(evaluation)}
    assert rows["rating", THIRDS[0]].bias > 5.0
    assert rows["rating", THIRDS[2]].bias < -5.0
    assert sum(rows["rating", third].n for third in THIRDS) == 119
    for row in rows.values():
        assert row.mae / row.constant_mae == pytest.approx(0.5)
    assert {(by, group) for by, group in rows if by in ("work", "player")} == {
        ("work", "work0"),
        ("work", "work1"),
        ("player", "pianist"),
        ("player", "score rendering"),
    }


def test_worst_cases_are_the_largest_errors_one_an_excerpt(evaluation: Evaluation) -> None:
    cases = worst_cases(evaluation, 5)
    errors = np.abs(evaluation.result.labels - evaluation.result.predictions["tocco"])
    largest = np.sort(np.nanmax(errors, axis=1))[::-1][:5]
    assert [abs(case.mean - case.label) for case in cases] == pytest.approx(largest.tolist())
    assert len({case.segment_id for case in cases}) == 5
    first = cases[0]
    assert first.sentence() == (
        f"{first.dimension}: predicted {first.mean:.1f} (90 %: {first.low_90:.1f} to {first.high_90:.1f}), "
        f"rated {first.label:.1f} by 6 raters, who spread by 12.0 points (sd); the rating lies outside the "
        "interval."
    )


def test_examples_span_the_ratings_and_do_not_depend_on_predictions(evaluation: Evaluation) -> None:
    chosen = example_segments(evaluation.records, 5)
    mean = {one.record.segment_id: np.nanmean(one.label) for one in evaluation.records}
    values = [mean[segment] for segment in chosen]
    assert len(chosen) == 5
    assert values == sorted(values)
    assert (values[0], values[-1]) == (min(mean.values()), max(mean.values()))
    assert len(example_segments(evaluation.records, 100)) == 40
    assert example_segments(evaluation.records, 0) == ()


def test_intervals_are_scaled_on_the_other_excerpts_alone() -> None:
    rng = np.random.default_rng(3)
    known = rng.normal(50.0, 10.0, (99, 1))
    rating, sd = np.full((104, 1), 50.0), np.full((104, 1), 2.0)
    found = _scaled_intervals(rating, sd, 5, known)
    # The 90th of 99 errors, in points: ceil(100 * 0.9).
    half = np.sort(np.abs(known - 50.0).ravel())[89]
    assert found.high - found.low == pytest.approx(np.full((5, 1), 2.0 * half))
    assert found.sigma[0, 0] == pytest.approx(half / 1.644854, rel=1e-5)
    assert found.fitted_on == "99 excerpts of the validation part"
    few = _scaled_intervals(rating[:13], sd[:13], 5, known[:8])
    assert few.fitted_on == "nothing: as predicted"
    assert few.sigma == pytest.approx(np.full((5, 1), 2.0))


def test_single_ratings_are_read_from_the_file_beside_the_labels(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    assert rater_ratings(labels, ["a", "b"]) is None
    lines = [
        {"segment_id": f"{segment}__rater{k}", "labels": {"phrasing": value}}
        for segment, k, value in (("a", 1, 40.0), ("a", 2, 60.0), ("b", 1, 70.0), ("c", 1, 10.0))
    ]
    ratings = tmp_path / "ratings.jsonl"
    ratings.write_text("".join(json.dumps(line) + "\n" for line in lines))
    table = rater_ratings(labels, ["b", "a"])
    assert table is not None
    assert table.shape == (2, len(TARGETS), 2)
    phrasing = table[:, TARGETS.index("phrasing")]
    assert np.array_equal(phrasing, [[70.0, np.nan], [40.0, 60.0]], equal_nan=True)
    assert np.isnan(table[:, TARGETS.index("musicality")]).all()
    assert rater_ratings(labels, ["z"]) is None
    ratings.write_text('{"segment_id": 1}\n{"labels"')
    with pytest.raises(InputError, match="line 2: is no rating of one rater"):
        rater_ratings(labels, ["a"])


def test_the_pedal_is_down_from_press_to_release() -> None:
    pedal = PedalCurve(np.array([1.0, 2.0, 3.0, 5.0]), np.array([127.0, 70.0, 0.0, 64.0]))
    assert pedal_spans(pedal, 9.0).tolist() == [[1.0, 3.0], [5.0, 9.0]]
    assert pedal_spans(PedalCurve(), 9.0).shape == (0, 2)
