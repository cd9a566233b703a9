"""Norms: ranks as normal scores, what the score explains, and files that are read strictly."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from tocco.errors import BundleError
from tocco.models.predictor import StatisticsTable
from tocco.models.predictor_files import HEADER, write_arrays
from tocco.models.statistics_norms import (
    MAX_RESIDUAL,
    N_LEVELS,
    NormNames,
    StatisticsNorms,
    fit_statistics_norms,
    inverse_quadratic,
    normal_scores,
    rank_table,
)

NAN = float("nan")
NAMES = NormNames(("a", "b"), (("first.a", "first.b"), ("last.a", "last.b")), ("w",))


def reference(n: int = 600) -> StatisticsTable:
    """The written measure explains most of `a` and nothing of `b`."""
    rng = np.random.default_rng(3)
    written = rng.normal(0.0, 1.0, n)
    a = 10.0 + 3.0 * written + 0.5 * rng.normal(0.0, 1.0, n)
    b = np.exp(rng.normal(0.0, 1.0, n))
    halves = np.column_stack([a + 1.0, b, a - 1.0, b])
    return StatisticsTable(NAMES.all, np.column_stack([a, b, halves, written]))


@pytest.fixture(scope="module")
def norms() -> StatisticsNorms:
    return fit_statistics_norms(NAMES, reference(), np.random.default_rng(0))


def test_a_score_is_the_normal_quantile_of_the_rank() -> None:
    rng = np.random.default_rng(0)
    values = rng.exponential(5.0, (20_000, 1))
    table = rank_table(values)
    assert table.shape == (N_LEVELS, 1)
    quantiles = np.quantile(values, [0.025, 0.5, 0.84, 0.975])[:, None]
    assert normal_scores(table, quantiles).ravel() == pytest.approx(
        ndtri([0.025, 0.5, 0.84, 0.975]), abs=0.02
    )


def test_beyond_the_ends_a_score_is_that_of_the_end() -> None:
    table = rank_table(np.arange(5000.0)[:, None])
    end = float(ndtri(1.0 - 0.5 / N_LEVELS))
    assert normal_scores(table, np.array([[-1e9], [1e9]])).ravel() == pytest.approx([-end, end])
    assert end == pytest.approx(3.023, abs=0.001)


def test_equal_values_share_the_middle_of_their_ranks() -> None:
    column = np.concatenate([np.zeros(3000), np.linspace(1.0, 2.0, 1000)])[:, None]
    scores = normal_scores(rank_table(column), np.array([[0.0], [1.0], [0.5]]))
    assert scores[0, 0] == pytest.approx(ndtri(0.375), abs=0.01)
    assert scores[1, 0] == pytest.approx(ndtri(0.75), abs=0.01)
    assert scores[2, 0] == pytest.approx((scores[0, 0] + scores[1, 0]) / 2, abs=0.01)


def test_scores_never_fall_as_a_value_rises() -> None:
    rng = np.random.default_rng(5)
    table = rank_table(np.round(rng.normal(0, 2, (900, 1))))
    scores = normal_scores(table, np.linspace(-9, 9, 500)[:, None]).ravel()
    assert (np.diff(scores) >= 0).all()


def test_what_is_missing_is_at_the_norm() -> None:
    known = rank_table(np.column_stack([np.arange(500.0), np.full(500, NAN)]))
    assert np.isnan(known[:, 1]).all()
    scores = normal_scores(known, np.array([[NAN, 3.0], [499.0, NAN]]))
    assert scores[:, 1].tolist() == [0.0, 0.0]
    assert scores[0, 0] == 0.0 < scores[1, 0]
    gaps = np.arange(500.0)[:, None].copy()
    gaps[::2] = NAN
    assert normal_scores(rank_table(gaps), np.array([[250.0]]))[0, 0] == pytest.approx(0.0, abs=0.02)


def test_features_are_scores_means_of_parts_residuals_and_what_is_written(norms: StatisticsNorms) -> None:
    row = np.array([[10.0, 1.0, 11.0, 1.0, NAN, NAN, 0.0]])
    (features,) = norms.features(StatisticsTable(NAMES.all, row))
    whole = normal_scores(norms.whole, row[:, :2])[0]
    first = normal_scores(norms.whole, row[:, 2:4])[0]
    assert features[:2] == pytest.approx(whole)
    assert features[2:4] == pytest.approx(first / 2)  # a part that is missing is at the norm
    assert features[6] == pytest.approx(normal_scores(norms.written, row[:, 6:])[0, 0])
    assert features[4:6] == pytest.approx(0.0, abs=0.3)  # nothing is unusual for this score


def test_a_residual_is_what_the_score_does_not_explain(norms: StatisticsNorms) -> None:
    # The same value of `a` is low for one score and high for another.
    rows = np.array([[10.0, 1, 10, 1, 10, 1, written] for written in (1.0, 0.0, -1.0)])
    residual = norms.features(StatisticsTable(NAMES.all, rows))[:, 4]
    assert residual[0] < -4.0
    assert abs(residual[1]) < 0.5
    assert residual[2] > 4.0
    assert np.abs(residual).max() == MAX_RESIDUAL == 5.0
    table = reference()
    features = norms.features(table)
    assert features[:, 4].std() == pytest.approx(1.0, abs=0.05)
    assert abs(np.corrcoef(features[:, 4], features[:, 6])[0, 1]) < 0.2
    assert abs(np.corrcoef(features[:, 0], features[:, 6])[0, 1]) > 0.9


def test_without_what_is_written_there_are_scores_alone(norms: StatisticsNorms) -> None:
    free = norms.performed(("b",))
    assert free.names == NormNames(("b",), (("first.b",), ("last.b",)))
    row = StatisticsTable(("b", "first.b", "last.b"), np.array([[1.0, 2.0, 2.0]]))
    whole = normal_scores(norms.whole[:, 1:], np.array([[1.0], [2.0]])).ravel()
    assert free.features(row)[0] == pytest.approx(whole)


def test_the_kernel_falls_with_the_mean_squared_difference() -> None:
    kernel = inverse_quadratic(np.zeros((1, 4)), np.array([[0.0, 0, 0, 0], [2.0, 0, 0, 0], [2.0, 2, 2, 2]]))
    assert kernel.tolist() == [[1.0, 1 / 1.5, 1 / 3.0]]


def test_norms_are_read_as_they_were_written(norms: StatisticsNorms, tmp_path: Path) -> None:
    norms.save(tmp_path)
    again = StatisticsNorms.load(tmp_path)
    table = StatisticsTable(NAMES.all, reference(40).values)
    assert again.names == NAMES
    assert np.array_equal(again.features(table), norms.features(table))
    free = norms.performed(("a",))
    free.save(tmp_path / "free")
    assert StatisticsNorms.load(tmp_path / "free").names == free.names


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"whole": lambda a: a[::-1]}, "norm_whole does not ascend"),
        ({"written": lambda a: np.where(a == a.max(), np.inf, a)}, "norm_written does not ascend"),
        ({"residual_sd": lambda a: -a}, "norm_residual_sd holds a negative spread"),
        ({"centres": lambda a: a[1:]}, "norm_centres and norm_coefficients differ in length"),
        ({"coefficients": lambda a: a[:, :1]}, r"norm_coefficients is float32 of shape \(600, 1\)"),
        ({"centres": lambda a: a * np.float32("nan")}, "norm_centres holds a NaN"),
    ],
)
def test_arrays_that_are_no_norms_are_refused(
    norms: StatisticsNorms, tmp_path: Path, change: dict, problem: str
) -> None:
    norms.save(tmp_path)
    ((name, changed),) = change.items()
    write_arrays(tmp_path, replace(norms, **{name: changed(getattr(norms, name))}).arrays())
    with pytest.raises(BundleError, match=problem):
        StatisticsNorms.load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "does not name the parts"),
        ({"parts": [["first.a"]], "written": ["w"]}, "has a part with other statistics"),
        ({"parts": [["first.a", 2]], "written": ["w"]}, "has a part with other statistics"),
        ({"parts": [], "written": "w"}, "does not name the parts"),
    ],
)
def test_a_header_that_names_no_norms_is_refused(
    norms: StatisticsNorms, tmp_path: Path, settings: dict, problem: str
) -> None:
    norms.save(tmp_path)
    header = json.loads((tmp_path / HEADER).read_text())
    (tmp_path / HEADER).write_text(json.dumps(header | {"settings": settings}))
    with pytest.raises(BundleError, match=problem):
        StatisticsNorms.load(tmp_path)
