"""Strengths are those of an independent program, and come back from simulated comparisons."""

import choix
import numpy as np
import pytest

from tocco.ranking.davidson import (
    SPREADS,
    fit_davidson,
    normal_draws,
    outcome_chances,
    strength_posterior,
)
from tocco.ranking.measured import Measured

STRENGTHS = np.array([1.4, 0.6, 0.0, -0.5, -1.5])


def simulated(strengths, tie, n_each, rng):
    win, tied = outcome_chances(strengths, tie)
    n = len(strengths)
    better, ties = np.zeros((2, n, n))
    for i in range(n):
        for j in range(i):
            chances = [win[i, j], win[j, i], tied[i, j]]
            better[i, j], better[j, i], ties[i, j] = rng.multinomial(n_each, chances)
            ties[j, i] = ties[i, j]
    return better, ties


def test_without_ties_it_is_bradley_and_terrys_model_as_choix_fits_it():
    rng = np.random.default_rng(3)
    better = rng.integers(0, 6, (7, 7)).astype(float)
    np.fill_diagonal(better, 0.0)
    pairs = [(i, j) for i in range(7) for j in range(7) for _ in range(int(better[i, j]))]
    sd = 1.5
    # choix subtracts alpha times the sum of squares, of which a prior of variance v is 1 / (2 v).
    expected = choix.opt_pairwise(7, pairs, alpha=1.0 / (2.0 * sd**2), tol=1e-12)
    found = fit_davidson(better, np.zeros((7, 7)), sd)
    np.testing.assert_allclose(found.value, expected - expected.mean(), atol=1e-5)
    assert found.tie == 0.0


def test_chances_of_a_pair_sum_to_one_and_follow_davidsons_formula():
    win, tied = outcome_chances(STRENGTHS, 0.7)
    np.testing.assert_allclose(win + win.T + tied, 1.0)
    worth = np.exp(STRENGTHS)
    both = worth[0] + worth[3] + 0.7 * np.sqrt(worth[0] * worth[3])
    assert win[0, 3] == pytest.approx(worth[0] / both)
    assert tied[0, 3] == pytest.approx(0.7 * np.sqrt(worth[0] * worth[3]) / both)


def test_strengths_and_the_tie_parameter_come_back_from_many_comparisons():
    better, tied = simulated(STRENGTHS, 0.8, 4000, np.random.default_rng(5))
    found = fit_davidson(better, tied, 4.0)
    np.testing.assert_allclose(found.value, STRENGTHS - STRENGTHS.mean(), atol=0.06)
    assert found.tie == pytest.approx(0.8, rel=0.05)


def test_the_covariance_is_the_spread_of_repeated_fits():
    rng = np.random.default_rng(7)
    fits = [fit_davidson(*simulated(STRENGTHS, 0.8, 40, rng), 50.0) for _ in range(300)]
    spread = np.std([fit.value for fit in fits], axis=0)
    stated = np.mean([np.sqrt(np.diag(fit.covariance)) for fit in fits], axis=0)
    np.testing.assert_allclose(spread, stated, rtol=0.15)


def test_who_was_never_beaten_and_what_is_always_tied_stay_finite():
    always = np.triu(np.ones((4, 4)), 1)
    found = fit_davidson(always, np.zeros((4, 4)), 2.0)
    assert np.all(np.diff(found.value) < 0.0)
    assert np.abs(found.value).max() < 6.0
    tied = fit_davidson(np.zeros((4, 4)), always + always.T, 2.0)
    np.testing.assert_allclose(tied.value, 0.0, atol=1e-9)
    assert 5.0 < tied.tie < 1000.0


def test_a_wider_prior_explains_a_clear_order_better_and_a_narrow_one_an_even_field():
    always = 5.0 * np.triu(np.ones((6, 6)), 1)
    even = np.full((6, 6), 5.0) * ~np.eye(6, dtype=bool)
    none = np.zeros((6, 6))
    for better, best in ((always, max(SPREADS)), (even, min(SPREADS))):
        evidence = [fit_davidson(better, none, spread).log_evidence for spread in SPREADS]
        assert SPREADS[int(np.argmax(evidence))] == best


def test_the_evidence_is_the_integral_over_strengths():
    better, tied = np.array([[0.0, 3.0], [1.0, 0.0]]), np.zeros((2, 2))
    grid = np.linspace(-12.0, 12.0, 1201)
    a, b = np.meshgrid(grid, grid)
    likelihood = 1.0 / (1.0 + np.exp(b - a)) ** 3 / (1.0 + np.exp(a - b))

    def integral(sd):
        prior = np.exp(-0.5 * (a**2 + b**2) / sd**2) / (2.0 * np.pi * sd**2)
        return np.log((likelihood * prior).sum() * (grid[1] - grid[0]) ** 2)

    exact = integral(2.0) - integral(0.5)
    found = fit_davidson(better, tied, 2.0).log_evidence - fit_davidson(better, tied, 0.5).log_evidence
    assert found == pytest.approx(exact, abs=0.05)


def test_a_measurement_counts_by_its_precision_and_needs_no_comparison():
    covariance = np.array([[2.0, -1.0, -1.0], [-1.0, 2.0, -1.0], [-1.0, -1.0, 2.0]]) / 3.0 * 400.0
    measured = Measured.of(np.array([10.0, 0.0, -10.0]), covariance, scale=5.0)
    none = np.zeros((3, 3))
    found = fit_davidson(none, none, 1e4, measured)
    np.testing.assert_allclose(found.value, [2.0, 0.0, -2.0], atol=1e-5)
    np.testing.assert_allclose(found.covariance, covariance / 25.0, atol=1e-3)


def test_draws_have_the_mean_and_covariance_that_they_are_drawn_from():
    centre = np.eye(3) - 1.0 / 3.0
    covariance = centre @ np.diag([1.0, 4.0, 0.25]) @ centre
    draws = normal_draws(np.array([1.0, 0.0, -1.0]), covariance, np.random.default_rng(1), 40_000)
    np.testing.assert_allclose(draws.mean(axis=0), [1.0, 0.0, -1.0], atol=0.03)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.05)
    np.testing.assert_allclose(draws.sum(axis=1), 0.0, atol=1e-9)


def test_the_same_seed_gives_the_same_draws():
    better = np.triu(np.ones((4, 4)), 1)
    one, two = (strength_posterior(better, 0.0 * better, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one.draws, two.draws)
    np.testing.assert_allclose(one.draws.mean(axis=0), one.value, atol=0.15)


def test_counts_that_are_none_are_refused():
    good = np.zeros((3, 3))
    for better, tied in ((good, np.zeros((2, 2))), (good - 1.0, good), (good, np.triu(good + 1.0, 1))):
        with pytest.raises(ValueError, match=r"both must be|ties are symmetric"):
            fit_davidson(better, tied, 2.0)
