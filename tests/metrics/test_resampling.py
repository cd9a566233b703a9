from __future__ import annotations

import numpy as np
import pytest

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
