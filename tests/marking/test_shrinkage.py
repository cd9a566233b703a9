"""Regression that is drawn to a default."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from tocco.marking.shrinkage import NOISE_CENTRE, NOISE_LOG_SD, Prior, posterior


def prior(*, bounded: bool = True) -> Prior:
    return Prior(np.array([0.0, 1.0]), np.diag([225.0, 0.25]), np.array([False, bounded]))


def line(n: int, rng: np.random.Generator, offset: float, slope: float, noise: float):
    x = rng.normal(0.0, 12.0, size=n)
    return np.column_stack((np.ones(n), x)), offset + slope * x + rng.normal(0.0, noise, size=n)


def test_no_data_leaves_the_default():
    found = posterior(np.zeros((0, 2)), np.zeros(0), prior())
    assert found.mode.tolist() == [0.0, 1.0]
    assert found.covariance.tolist() == [[225.0, 0.0], [0.0, 0.25]]
    assert found.noise_sd == NOISE_CENTRE == 12.0


def test_the_mode_minimises_misfit_plus_distance_from_the_default(rng):
    design, target = line(14, rng, -20.0, 0.4, 9.0)
    found = posterior(design, target, prior())

    def cost(theta):
        misfit = ((target - design @ theta) ** 2).sum() / found.noise_sd**2
        return misfit + theta[0] ** 2 / 225.0 + (theta[1] - 1.0) ** 2 / 0.25

    assert found.mode == pytest.approx(minimize(cost, [0.0, 1.0]).x, abs=1e-3)
    information = design.T @ design / found.noise_sd**2 + np.diag([1 / 225.0, 4.0])
    assert found.covariance == pytest.approx(np.linalg.inv(information))


def test_the_noise_maximises_the_marginal_likelihood_times_its_prior(rng):
    design, target = line(11, rng, 5.0, 1.3, 7.0)
    found = posterior(design, target, prior()).noise_sd

    def density(noise):
        covariance = design @ prior().covariance @ design.T + noise**2 * np.eye(len(target))
        held = -0.5 * (np.log(noise / 12.0) / 0.5) ** 2
        return multivariate_normal(design @ prior().mean, covariance).logpdf(target) + held

    grid = np.geomspace(2.0, 48.0, 121)
    assert NOISE_LOG_SD == 0.5
    assert found == pytest.approx(grid[np.argmax([density(one) for one in grid])])


@pytest.mark.parametrize("noise", [4.0, 12.0, 24.0])
def test_the_noise_of_many_marks_is_found(rng, noise):
    found = posterior(*line(400, rng, 10.0, 0.8, noise), prior()).noise_sd
    assert found == pytest.approx(noise, rel=0.12)


def test_more_data_leaves_less_of_the_default(rng):
    design, target = line(64, rng, -25.0, 1.0, 10.0)
    offsets = [posterior(design[:n], target[:n], prior()).mode[0] for n in (0, 2, 8, 64)]
    assert offsets == sorted(offsets, reverse=True)
    assert offsets[0] == 0.0
    assert offsets[-1] == pytest.approx(-25.0, abs=3.0)


def test_marks_that_contradict_each_other_change_little():
    x = np.array([-10.0, -10.0, 0.0, 0.0, 10.0, 10.0])
    design, off = np.column_stack((np.ones(6), x)), np.array([35.0, -35.0] * 3)
    found = posterior(design, x + off, prior())
    assert found.mode == pytest.approx([0.0, 1.0], abs=1e-9)
    agreed = posterior(design, x + 35.0, prior()).mode[0]
    mixed = posterior(design, x + np.array([35.0, -35.0, 35.0, -35.0, 35.0, 35.0]), prior()).mode[0]
    assert 0.0 < mixed < 0.35 * agreed


def test_a_bounded_parameter_stops_at_0_and_the_others_take_that_into_account(rng):
    design, target = line(40, rng, 12.0, -1.5, 5.0)
    free, held = posterior(design, target, prior(bounded=False)), posterior(design, target, prior())
    assert free.mode[1] < -1.0
    assert held.mode[1] == 0.0
    precision = 1 / 225.0 + len(target) / held.noise_sd**2
    assert held.mode[0] == pytest.approx(target.sum() / held.noise_sd**2 / precision)
