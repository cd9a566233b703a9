from __future__ import annotations

import math

import numpy as np
import pytest
import scoringrules
from scipy import integrate, stats

from tocco import metrics


@pytest.fixture
def predictions(rng):
    mean, sd = rng.uniform(20, 80, 200), rng.uniform(3, 15, 200)
    return rng.normal(mean, 1.3 * sd), mean, sd


def test_crps_agrees_with_scoringrules(predictions):
    ref, mean, sd = predictions
    expected = scoringrules.crps_normal(ref, mean, sd).mean()
    assert metrics.gaussian_crps(ref, mean, sd) == pytest.approx(expected, abs=1e-12)


def test_crps_is_the_integral_of_the_squared_difference_of_distributions():
    ref, mean, sd = 57.0, 50.0, 6.0

    def squared(x):
        return (stats.norm.cdf(x, mean, sd) - (x >= ref)) ** 2

    area = sum(integrate.quad(squared, *ends)[0] for ends in ((0.0, ref), (ref, 110.0)))
    assert metrics.gaussian_crps([ref], [mean], [sd]) == pytest.approx(area, abs=1e-8)


def test_crps_of_a_certain_prediction_is_its_error():
    assert metrics.gaussian_crps([50.0, 60.0], [55.0, 50.0], [1e-9, 1e-9]) == pytest.approx(7.5)


def test_log_likelihood_agrees_with_scoringrules(predictions):
    ref, mean, sd = predictions
    expected = scoringrules.logs_normal(ref, mean, sd).mean()
    assert metrics.gaussian_nll(ref, mean, sd) == pytest.approx(expected, abs=1e-12)


def test_interval_score_agrees_with_scoringrules(predictions):
    ref, mean, sd = predictions
    for level in metrics.INTERVAL_LEVELS:
        low, high = metrics.normal_interval(mean, sd, level)
        expected = scoringrules.interval_score(ref, low, high, 1 - level).mean()
        assert metrics.interval_score(ref, low, high, level) == pytest.approx(expected, abs=1e-10)


def test_normal_interval_agrees_with_scipy_and_keeps_to_the_scale(predictions):
    _, mean, sd = predictions
    for level in (0.5, 0.9):
        low, high = metrics.normal_interval(mean, sd, level)
        expected = stats.norm.interval(level, mean, sd)
        assert low == pytest.approx(expected[0], abs=1e-9)
        assert high == pytest.approx(expected[1], abs=1e-9)
    low, high = metrics.normal_interval([5.0, 95.0], [10.0, 10.0], 0.9, metrics.RATING_RANGE)
    assert low[0] == 0.0
    assert high[1] == 100.0
    assert low[1] == pytest.approx(95 - 16.448536, abs=1e-5)


def test_sharpness_and_spread():
    assert metrics.sharpness([2.0, 4.0, 6.0]) == pytest.approx(4.0)
    assert metrics.sd_spread([2.0, 4.0, 6.0]) == pytest.approx(stats.variation([2.0, 4.0, 6.0], ddof=1))
    assert metrics.sd_spread([5.0, 5.0, 5.0]) == 0.0
    assert str(metrics.attempt(metrics.sharpness, [])) == "no label"
    assert str(metrics.attempt(metrics.sd_spread, [1.0, 2.0])) == "fewer than 3 labels"


@pytest.mark.parametrize("sd", [0.0, -1.0, math.nan, math.inf])
def test_sd_must_be_above_zero(sd):
    with pytest.raises(ValueError, match="must be above 0"):
        metrics.sharpness([1.0, sd])
    with pytest.raises(ValueError, match="must be above 0"):
        metrics.normal_interval([50.0, 50.0], [1.0, sd])


def test_without_a_label():
    for metric in (metrics.gaussian_crps, metrics.gaussian_nll, metrics.mean_squared_z):
        assert str(metrics.attempt(metric, [math.nan], [50.0], [5.0])) == "no label"
    assert metrics.gaussian_crps([50.0, math.nan], [55.0, 0.0], [4.0, 0.0]) == pytest.approx(
        scoringrules.crps_normal(50.0, 55.0, 4.0)
    )
    assert np.isnan(metrics.value_or_nan(metrics.gaussian_crps, [], [], []))
