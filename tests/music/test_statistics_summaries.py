"""Descriptions of number lists against numpy, scipy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tocco.music.statistics import summaries as s

SERIES = arrays(float, st.integers(5, 60), elements=st.floats(-100, 100, width=16))


@settings(max_examples=40, deadline=None)
@given(SERIES, st.floats(0, 100))
def test_percentile_is_numpys(x: np.ndarray, percent: float) -> None:
    assert s.percentile(x, percent) == pytest.approx(np.percentile(x, percent), abs=1e-9)


def test_moments_are_those_of_numpy_and_scipy(rng: np.random.Generator) -> None:
    x, y = rng.gamma(2.0, size=50), rng.normal(size=50)
    assert s.skewness(x) == pytest.approx(scipy.stats.skew(x))
    assert s.correlation(x, y) == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert s.slope(y) == pytest.approx(np.polyfit(np.linspace(0, 1, 50), y, 1)[0])
    assert s.slope(y, x) == pytest.approx(np.polyfit(x, y, 1)[0])
    assert s.arch(y) == pytest.approx(np.polyfit(np.linspace(-1, 1, 50), y, 2)[0])


def test_five_numbers() -> None:
    numbers = s.five("x", np.arange(11.0))
    assert numbers == pytest.approx(
        {"x_mean": 5.0, "x_sd": np.sqrt(10.0), "x_p10": 1.0, "x_median": 5.0, "x_p90": 9.0}
    )


def test_nothing_is_missing_and_not_zero() -> None:
    empty, flat = np.zeros(0), np.full(20, 3.0)
    functions = (s.mean, s.sd, s.median, s.extent, s.step, s.skewness, s.autocorrelation, s.slope, s.arch)
    assert np.isnan([function(empty) for function in functions]).all()
    assert np.isnan(list(s.five("x", empty).values())).all()
    assert np.isnan([s.skewness(flat), s.autocorrelation(flat), s.correlation(flat, np.arange(20.0))]).all()
    assert s.sd(flat) == 0.0
    assert np.isnan(s.sd(flat[:1]))


def test_autocorrelation_of_a_line_and_of_alternation() -> None:
    assert s.autocorrelation(np.arange(200.0)) > 0.95
    assert s.autocorrelation(np.tile([1.0, -1.0], 100)) < -0.95


@pytest.mark.parametrize("width", [1, 3, 9])
def test_rolling_mean_shortens_at_the_ends(rng: np.random.Generator, width: int) -> None:
    x = rng.normal(size=12)
    half = width // 2
    expected = [x[max(k - half, 0) : k + half + 1].mean() for k in range(12)]
    np.testing.assert_allclose(s.rolling_mean(x, width), expected)


def test_groups(rng: np.random.Generator) -> None:
    group = np.sort(np.concatenate([np.arange(8), rng.integers(0, 8, 30)]))
    values = rng.normal(size=38)
    for k in range(8):
        assert s.group_mean(values, group, 8)[k] == pytest.approx(values[group == k].mean())
        assert s.group_median(values, group, 8)[k] == pytest.approx(np.median(values[group == k]))


def test_sixths_leave_empty_ones_open() -> None:
    found = s.sixths(np.array([0.0, 5.0, 5.9, 6.0]), np.array([1.0, 2.0, 4.0, 6.0]), 6.0)
    np.testing.assert_allclose(found, [1.0, np.nan, np.nan, np.nan, np.nan, 4.0])


def test_local_line_is_a_weighted_fit_without_the_point(rng: np.random.Generator) -> None:
    x = np.cumsum(rng.uniform(0.1, 0.7, 40))
    y = 100.0 + 0.6 * x + rng.normal(size=40) * 0.05
    found = s.local_line(x, y, 1.0)
    for k in range(40):
        near = (np.abs(x - x[k]) < 4.0) & (np.arange(40) != k)
        root_weight = np.exp(-0.25 * (x[near] - x[k]) ** 2)
        fit = np.polyfit(x[near] - x[k], y[near], 1, w=root_weight)
        assert found[k] == pytest.approx(fit[1], abs=1e-9)


def test_local_line_follows_a_steady_tempo_exactly() -> None:
    x = np.arange(30.0) / 2
    np.testing.assert_allclose(s.local_line(x, 3.0 + 0.6 * x, 2.5), 3.0 + 0.6 * x, atol=1e-12)


def test_local_line_needs_four_neighbours() -> None:
    x = np.array([0.0, 0.5, 1.0, 1.5, 100.0])
    assert np.isnan(s.local_line(x, x, 1.0)).all()
    assert np.isfinite(s.local_line(np.append(x[:4], 2.0), np.append(x[:4], 2.0), 1.0)).all()


def test_local_line_is_bounded_where_onsets_crowd() -> None:
    x = np.linspace(0.0, 1.0, 4000)
    np.testing.assert_allclose(s.local_line(x, 2.0 * x, 2.5), 2.0 * x, atol=1e-6)
