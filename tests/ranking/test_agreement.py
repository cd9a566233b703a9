"""Agreement is that of independent programs, and chance is not taken for agreement."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from tocco.ranking.agreement import chance_bound, juror_correlation, kendall_w


def test_w_is_friedmans_statistic_as_a_share_with_ties_too():
    rng = np.random.default_rng(1)
    mark = rng.integers(0, 5, (4, 9)).astype(float)
    statistic = friedmanchisquare(*mark.T).statistic  # judges are its blocks
    assert kendall_w(mark) == pytest.approx(statistic / (4 * (9 - 1)))


def test_w_of_one_order_and_of_too_few():
    order = np.arange(6.0)
    assert kendall_w(np.stack([order, 10.0 * order, order**2])) == pytest.approx(1.0)
    assert kendall_w(order[None]) is None
    assert kendall_w(np.zeros((3, 2))) is None
    assert kendall_w(np.zeros((3, 6))) is None


def test_ratings_that_are_the_jurors_order_correlate_as_a_juror_does():
    true = np.arange(8.0)
    mark = np.stack([true, 5.0 + true, 2.0 * true])
    found = juror_correlation(mark, true)
    assert found is not None
    assert (found.between_jurors, found.of_ratings) == (pytest.approx(1.0), pytest.approx(1.0))
    assert (found.n_jurors, found.n_performances) == (3, 8)
    against = juror_correlation(mark, -true)
    assert against is not None
    assert against.of_ratings == pytest.approx(-1.0)


def test_both_are_compared_on_what_is_rated():
    true = np.arange(8.0)
    mark = np.stack([true, true, true])
    mark[0, 7] = -5.0  # the juror differs where there is no rating
    rating = np.where(true == 7.0, np.nan, true)
    found = juror_correlation(mark, rating)
    assert found is not None
    assert found.between_jurors == pytest.approx(1.0)
    assert found.n_performances == 7
    without = juror_correlation(mark, np.full(8, np.nan))
    assert without is not None
    assert without.of_ratings is None
    assert without.between_jurors < 0.9


def test_too_few_performances_say_nothing():
    assert juror_correlation(np.stack([np.arange(4.0)] * 3), np.arange(4.0)) is None


@pytest.mark.parametrize("n", [6, 10, 20])
def test_unrelated_orders_exceed_the_bound_once_in_ten_times(n):
    rng = np.random.default_rng(n)
    orders = np.array([rng.permutation(n) for _ in range(4000)], dtype=float)
    rho = 12.0 * ((orders - orders.mean(axis=1, keepdims=True)) @ np.arange(n)) / (n**3 - n)
    assert (np.abs(rho) > chance_bound(n)).mean() == pytest.approx(0.10, abs=0.03)
