from __future__ import annotations

import numpy as np
import pytest

from tocco import metrics
from tocco.metrics import bootstrap_interval, paired_bootstrap_difference


def test_single_performances_reproduce_the_standard_error_of_a_mean(rng):
    x = rng.normal(50, 10, 400)
    result = bootstrap_interval(lambda i: x[i].mean(), np.arange(400), rng, n=4000)
    half = 1.96 * x.std() / np.sqrt(400)
    assert result.value == pytest.approx(x.mean())
    assert result.low == pytest.approx(x.mean() - half, abs=0.06)
    assert result.high == pytest.approx(x.mean() + half, abs=0.06)


def test_clusters_are_drawn_whole():
    clusters = np.array(["b", "a", "b", "c", "a", "b"])
    seen = []
    bootstrap_interval(lambda i: seen.append(i) or 0.0, clusters, np.random.default_rng(1), n=20)
    for index in seen:
        counts = np.bincount(index, minlength=6)
        assert counts[0] == counts[2] == counts[5]
        assert counts[1] == counts[4]
        assert counts[0] + counts[1] + counts[3] == 3
    assert np.array_equal(seen[0], np.arange(6))  # the value itself is of the sample as it is


def test_copies_within_a_cluster_do_not_make_a_figure_surer(rng):
    x = rng.normal(50, 10, 30)
    single = bootstrap_interval(lambda i: x[i].mean(), np.arange(30), np.random.default_rng(3), n=500)
    copied = np.repeat(x, 20)
    many = bootstrap_interval(
        lambda i: copied[i].mean(), np.repeat(np.arange(30), 20), np.random.default_rng(3), n=500
    )
    assert many.low == pytest.approx(single.low)
    assert many.high == pytest.approx(single.high)


def test_several_figures_at_once_and_the_same_seed_gives_the_same_ends(rng):
    x = rng.normal(size=(60, 3))
    clusters = np.arange(60) // 4
    first, second = (
        bootstrap_interval(lambda i: x[i].mean(axis=0), clusters, np.random.default_rng(5), n=200)
        for _ in range(2)
    )
    assert first.value.shape == first.low.shape == (3,)
    assert np.array_equal(first.low, second.low)
    assert np.array_equal(first.high, second.high)
    assert (first.low < first.value).all()
    assert (first.value < first.high).all()
    wide = bootstrap_interval(
        lambda i: x[i].mean(axis=0), clusters, np.random.default_rng(5), n=200, level=0.99
    )
    assert (wide.low <= first.low).all()
    assert (wide.high >= first.high).all()


def test_paired_difference_cancels_what_is_hard_for_both(rng):
    hard = np.repeat(rng.normal(0, 10, 40), 5)
    gain = rng.normal(0.5, 0.3, 200)
    clusters = np.repeat(np.arange(40), 5)
    difference = paired_bootstrap_difference(
        lambda i: (hard + gain)[i].mean(), lambda i: hard[i].mean(), clusters, rng, n=500
    )
    assert difference.value == pytest.approx(gain.mean())
    assert 0.4 < difference.low < difference.high < 0.6
    alone = bootstrap_interval(lambda i: (hard + gain)[i].mean(), clusters, rng, n=500)
    assert alone.high - alone.low > 20 * (difference.high - difference.low)


def test_a_system_does_not_differ_from_itself(rng):
    x = rng.normal(size=50)

    def figure(i):
        return x[i].mean()

    same = paired_bootstrap_difference(figure, figure, np.arange(50) // 5, rng, n=100)
    assert same.low == same.value == same.high == 0.0


def test_refusals(rng):
    with pytest.raises(ValueError, match="1 cluster: a bootstrap over clusters needs at least 2"):
        bootstrap_interval(lambda i: 0.0, ["a", "a"], rng)
    with pytest.raises(ValueError, match="n is 0"):
        bootstrap_interval(lambda i: 0.0, ["a", "b"], rng, n=0)
    with pytest.raises(ValueError, match="level is 95"):
        bootstrap_interval(lambda i: 0.0, ["a", "b"], rng, level=95)
    with pytest.raises(ValueError, match="must be flat"):
        bootstrap_interval(lambda i: 0.0, np.zeros((2, 2)), rng)


def test_draws_without_a_value_are_left_out_and_counted(rng):
    """Rare draws of constant labels do not take the interval away; frequent ones do."""
    clusters = np.arange(4)
    ref = np.array([1.0, 2.0, 3.0, 4.0])
    est = ref + rng.normal(0, 1, 6)[:4]
    seen = []

    def r(index):
        seen.append(len(np.unique(index)))
        return metrics.pearson_r(ref[index], est[index])

    found = metrics.bootstrap_interval(r, clusters, np.random.default_rng(3), n=600)
    assert found.n_undefined == seen.count(1)
    assert found.n_undefined > 0
    assert np.isfinite([found.low, found.high]).all()
    two, est = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 4.0, 3.0])
    with pytest.raises(metrics.MetricUndefined, match="undefined for too many draws"):
        metrics.bootstrap_interval(
            lambda i: metrics.pearson_r(two[i].astype(float), est[i]), two, np.random.default_rng(3), n=200
        )


def test_at_most_five_per_cent_of_the_draws_may_be_without_a_value():
    def failing(share):
        calls = iter(range(10_000))

        def statistic(index):
            k = next(calls)
            if 0 < k <= share * 200:  # the first call is the sample itself
                raise metrics.MetricUndefined(metrics.Reason.NO_PAIR)
            return 1.0

        return metrics.bootstrap_interval(statistic, ["a", "b"], np.random.default_rng(0), n=200)

    assert failing(0.05).n_undefined == 10
    with pytest.raises(metrics.MetricUndefined):
        failing(0.055)


def test_two_thousand_draws_by_default():
    calls = []
    metrics.bootstrap_interval(lambda i: calls.append(0) or 0.0, ["a", "b"], np.random.default_rng(0))
    assert len(calls) == 2001
