from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tocco import metrics

LEVELS = np.arange(1, 20) / 20


@pytest.fixture
def predictions(rng):
    mean, sd = rng.uniform(20, 80, 300), rng.uniform(3, 15, 300)
    return rng.normal(mean, sd), mean, sd


def naive_curves(ref, mean, sd):
    central, quantile = [], []
    for level in LEVELS:
        low, high = stats.norm.interval(level, mean, sd)
        central.append(np.mean((low <= ref) & (ref <= high)))
        quantile.append(np.mean(ref <= stats.norm.ppf(level, mean, sd)))
    return np.array(central), np.array(quantile)


def test_curves_and_errors_equal_the_naive_counts(predictions):
    ref, mean, sd = predictions
    central, quantile = naive_curves(ref, mean, sd)
    assert metrics.coverage_curve(ref, mean, sd) == pytest.approx(central)
    assert metrics.quantile_curve(ref, mean, sd) == pytest.approx(quantile)
    assert metrics.calibration_error(ref, mean, sd) == pytest.approx(np.abs(central - LEVELS).mean())
    assert metrics.quantile_calibration_error(ref, mean, sd) == pytest.approx(
        np.abs(quantile - LEVELS).mean()
    )


def test_a_bias_shows_in_quantiles(rng):
    mean, sd = np.full(20_000, 50.0), np.full(20_000, 10.0)
    ref = rng.normal(55.0, 10.0, 20_000)
    below = metrics.quantile_curve(ref, mean, sd, [0.5])
    assert below[0] == pytest.approx(stats.norm.cdf(-0.5), abs=0.01)
    expected = np.abs(stats.norm.cdf(stats.norm.ppf(LEVELS) - 0.5) - LEVELS).mean()
    assert metrics.quantile_calibration_error(ref, mean, sd) == pytest.approx(expected, abs=0.005)
    assert metrics.calibration_error(ref, mean, sd) < 0.05


def test_levels_may_be_in_any_order(predictions):
    curve = metrics.coverage_curve(*predictions, [0.9, 0.1, 0.5])
    assert curve == pytest.approx(metrics.coverage_curve(*predictions, [0.1, 0.5, 0.9])[[2, 0, 1]])
    low, high = metrics.calibration_band(40, np.random.default_rng(1), [0.9, 0.1])
    assert low[0] < 0.9 < high[0]
    assert low[1] < 0.1 < high[1]


class TestNull:
    def test_it_is_what_simulated_labels_have(self, rng):
        """Against a plain loop that draws labels and measures them."""
        errors, of_quantiles = [], []
        for _ in range(800):
            mean, sd = rng.uniform(20, 80, 60), rng.uniform(3, 15, 60)
            ref = rng.normal(mean, sd)
            errors.append(metrics.calibration_error(ref, mean, sd))
            of_quantiles.append(metrics.quantile_calibration_error(ref, mean, sd))
        null = metrics.calibration_error_null(60, rng, draws=20_000)
        for simulated in (errors, of_quantiles):
            assert null.mean == pytest.approx(np.mean(simulated), rel=0.07)
            assert null.p95 == pytest.approx(np.quantile(simulated, 0.95), rel=0.1)
            assert stats.ks_2samp(simulated, null.errors[::20]).pvalue > 0.001

    def test_a_perfect_model_exceeds_it_in_one_of_twenty(self, rng):
        null = metrics.calibration_error_null(100, rng, draws=4000)
        fresh = metrics.calibration_error_null(100, rng, draws=4000)
        assert np.mean(fresh.errors > null.p95) == pytest.approx(0.05, abs=0.015)

    def test_it_shrinks_with_the_root_of_the_labels(self, rng):
        few, many = (metrics.calibration_error_null(n, rng).mean for n in (100, 10_000))
        assert few / many == pytest.approx(10, rel=0.15)

    def test_a_seed_gives_the_same(self):
        first, second = (metrics.calibration_error_null(50, np.random.default_rng(4)) for _ in range(2))
        assert np.array_equal(first.errors, second.errors)
        assert len(first.errors) == 2000

    def test_p_value(self):
        null = metrics.NullDistribution(np.array([0.1, 0.2, 0.2, 0.4]))
        assert null.p_value(0.2) == pytest.approx(4 / 5)
        assert null.p_value(0.3) == pytest.approx(2 / 5)
        assert null.p_value(0.5) == pytest.approx(1 / 5)
        assert null.mean == pytest.approx(0.225)

    def test_the_band_holds_a_perfect_model_at_each_level(self, rng):
        low, high = metrics.calibration_band(80, rng, draws=4000, level=0.9)
        expected = stats.binom.interval(0.9, 80, LEVELS)
        assert low == pytest.approx(expected[0] / 80, abs=0.02)
        assert high == pytest.approx(expected[1] / 80, abs=0.02)

    def test_refusals(self, rng):
        with pytest.raises(ValueError, match="n is 0"):
            metrics.calibration_error_null(0, rng)
        with pytest.raises(ValueError, match="draws is 0"):
            metrics.ence_null([1.0, 2.0], rng, draws=0)
        with pytest.raises(ValueError, match="level is 95"):
            metrics.calibration_band(10, rng, level=95)


def naive_ence(ref, mean, sd, bins):
    order = sorted(range(len(sd)), key=lambda i: sd[i])
    total, start = 0.0, 0
    for b in range(bins):
        size = len(sd) // bins + (b < len(sd) % bins)
        members = order[start : start + size]
        start += size
        rmv = np.sqrt(np.mean([sd[i] ** 2 for i in members]))
        rmse = np.sqrt(np.mean([(ref[i] - mean[i]) ** 2 for i in members]))
        total += abs(rmv - rmse) / rmv
    return total / bins


@pytest.mark.parametrize("bins", [1, 7, 10])
def test_ence_equals_the_naive_loop(predictions, bins):
    assert metrics.ence(*predictions, bins) == pytest.approx(naive_ence(*predictions, bins), abs=1e-12)


def test_ence_and_its_null(predictions, rng):
    ref, mean, sd = predictions
    null = metrics.ence_null(sd, rng, draws=1000)
    fresh = [metrics.ence(rng.normal(mean, sd), mean, sd) for _ in range(400)]
    assert null.mean == pytest.approx(np.mean(fresh), rel=0.05)
    assert np.mean(np.array(fresh) > null.p95) == pytest.approx(0.05, abs=0.035)
    assert metrics.ence(mean + 2 * (ref - mean), mean, sd) > null.p95
    # An sd that says nothing about the size of errors, although right on average.
    shuffled = rng.permutation(sd)
    assert metrics.ence(ref, mean, shuffled) > metrics.ence_null(shuffled, rng, draws=500).p95


def test_ence_needs_a_label_a_bin(predictions):
    few = [values[:9] for values in predictions]
    assert str(metrics.attempt(metrics.ence, *few)) == "fewer labels than bins"
    assert metrics.ence(*few, 9) == pytest.approx(naive_ence(*few, 9))
    with pytest.raises(ValueError, match="bins is 0"):
        metrics.ence(*few, 0)


def test_mean_squared_z():
    found = metrics.mean_squared_z([50.0, 60.0, np.nan], [40.0, 62.0, 0.0], [5.0, 2.0, 1.0])
    assert found == pytest.approx((4 + 1) / 2)


class TestErrorsSharedInClusters:
    def test_without_a_shared_part_they_are_those_of_independent_labels(self, rng):
        central, quantile = metrics.perfect_curves(np.arange(120) // 6, 0.0, rng, draws=1500)
        independent = metrics.calibration_error_null(120, rng, draws=20_000)
        for curves in (central, quantile):
            assert metrics.null_of(curves).p95 == pytest.approx(independent.p95, rel=0.1)

    def test_wholly_shared_errors_are_those_of_as_many_labels_as_clusters(self, rng):
        central, quantile = metrics.perfect_curves(np.arange(120) // 6, 1.0, rng, draws=1500)
        of_clusters = metrics.calibration_error_null(20, rng, draws=20_000)
        for curves in (central, quantile):
            assert metrics.null_of(curves).mean == pytest.approx(of_clusters.mean, rel=0.07)
        low, high = metrics.band_of(quantile, 0.9)
        expected = metrics.calibration_band(20, rng, draws=20_000, level=0.9)
        assert low == pytest.approx(expected[0], abs=0.051)
        assert high == pytest.approx(expected[1], abs=0.051)

    def test_each_label_for_itself_is_calibrated(self, rng):
        for curves in metrics.perfect_curves(np.arange(200) // 10, 0.5, rng, draws=3000):
            assert curves.mean(axis=0) == pytest.approx(LEVELS, abs=0.01)

    def test_refusals(self, rng):
        with pytest.raises(ValueError, match=r"shared is 1\.5"):
            metrics.perfect_curves([0, 1], 1.5, rng)
        with pytest.raises(ValueError, match="0 labels"):
            metrics.perfect_curves([], 0.5, rng)
