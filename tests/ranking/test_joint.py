"""Differences of pairs give one joint distribution, and its rank intervals hold the true rank."""

import numpy as np
import pytest

from ranking_example import differences
from tocco.ranking.joint import (
    Merits,
    PairedDifferences,
    chance_of_being_better,
    expected_outcomes,
    joint_merits,
    rank_intervals,
    ranks_of,
)


def test_the_joint_distribution_has_the_differences_that_it_was_made_from():
    rng = np.random.default_rng(2)
    root = rng.normal(size=(5, 5))
    covariance = root @ root.T  # errors of any dependence
    spread = np.sqrt(np.diag(covariance)[:, None] + np.diag(covariance)[None, :] - 2.0 * covariance)
    merits = joint_merits(differences(np.array([60.0, 55.0, 54.0, 40.0, 70.0]), spread))
    variance = np.diag(merits.covariance)
    found = variance[:, None] + variance[None, :] - 2.0 * merits.covariance
    np.testing.assert_allclose(np.sqrt(np.clip(found, 0.0, None)), spread, atol=1e-6)
    np.testing.assert_allclose(merits.mean, np.array([60.0, 55.0, 54.0, 40.0, 70.0]) - 55.8)
    np.testing.assert_allclose(merits.covariance.sum(axis=1), 0.0, atol=1e-9)


def test_two_versions_of_one_take_are_ordered_however_unsure_their_places_are():
    """The third pair shares its error: their difference is nearly sure, their ranks are not."""
    spread = np.full((4, 4), 8.0)
    spread[2, 3] = spread[3, 2] = 0.5
    merits = joint_merits(differences(np.array([3.0, 2.0, 1.5, 0.0]), spread))
    draws = merits.draws(np.random.default_rng(4))
    assert chance_of_being_better(draws)[2, 3] > 0.99
    interval = rank_intervals(ranks_of(draws))
    assert interval[2, 1] - interval[2, 0] >= 2
    assert interval[3, 1] - interval[3, 0] >= 2


def test_spreads_that_no_distribution_has_become_the_nearest_that_one_has():
    spread = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 1.0], [9.0, 1.0, 0.0]])  # 9 is above 1 + 1
    merits = joint_merits(differences(np.zeros(3), spread))
    assert np.linalg.eigvalsh(merits.covariance).min() > -1e-9


@pytest.mark.parametrize(("spread", "error"), [(8.0, 6.0), (3.0, 6.0)])
def test_rank_intervals_of_90_percent_hold_the_true_rank_in_about_90_percent(spread, error):
    """Errors belong to performances; whoever counts the pairs as independent is far too sure."""
    rng = np.random.default_rng(11)
    n, repeats = 8, 200
    gain = spread**2 / (spread**2 + error**2)
    held, held_naive, mass = [], [], []
    for _ in range(repeats):
        true = rng.normal(0.0, spread, n)
        rating = true + rng.normal(0.0, error, n)
        merits = joint_merits(differences(gain * rating, np.sqrt(2.0 * gain) * error))
        naive = Merits(merits.mean, merits.covariance * 2.0 / n)  # as of N - 1 independent pairs each
        rank = ranks_of(true[None])[0]
        for one, hits in ((merits, held), (naive, held_naive)):
            ranks = ranks_of(one.draws(rng, 1000))
            interval = rank_intervals(ranks)
            hits.append(((rank >= interval[:, 0]) & (rank <= interval[:, 1])).mean())
            if one is merits:
                inside = (ranks >= interval[:, 0]) & (ranks <= interval[:, 1])
                mass.append(inside.mean())
    # An interval of whole ranks holds somewhat more than it has to: as much as it says itself.
    assert 0.90 <= np.mean(held) <= 0.97
    assert np.mean(held) == pytest.approx(np.mean(mass), abs=0.02)
    assert np.mean(held_naive) < 0.83


def test_the_interval_of_ranks_is_the_shortest_that_holds_enough():
    ranks = np.array([[1, 2, 3]] * 60 + [[2, 1, 3]] * 35 + [[3, 1, 2]] * 5)
    np.testing.assert_array_equal(rank_intervals(ranks), [[1, 2], [1, 2], [3, 3]])
    np.testing.assert_array_equal(rank_intervals(ranks, level=0.96)[0], [1, 3])


def test_rank_one_is_the_best():
    np.testing.assert_array_equal(ranks_of(np.array([[5.0, 9.0, 1.0]])), [[2, 1, 3]])


def test_expected_outcomes_are_those_of_drawn_merits():
    pairs = differences(np.array([4.0, 1.0, 0.0]), 3.0)
    better, tied = expected_outcomes(pairs, 2.0)
    rng = np.random.default_rng(6)
    difference = 3.0 + 3.0 * rng.standard_normal(200_000)
    assert better[0, 1] == pytest.approx((difference > 2.0).mean(), abs=0.005)
    assert better[1, 0] == pytest.approx((difference < -2.0).mean(), abs=0.005)
    assert tied[0, 1] == tied[1, 0] == pytest.approx((abs(difference) <= 2.0).mean(), abs=0.005)
    assert np.all(np.diag(better + tied) == 0.0)


def test_differences_that_contradict_themselves_are_refused():
    with pytest.raises(ValueError, match="turn their sign"):
        PairedDifferences(np.ones((2, 2)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="both must be"):
        PairedDifferences(np.zeros((2, 2)), np.zeros((3, 3)))
