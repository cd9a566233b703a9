"""Weights from votes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import check_grad

from marking_example import drawn
from tocco.marking.maps import default_weights
from tocco.marking.votes import VOTE_SCALE, VOTE_SCALE_LOG_SD, _loss, fit_votes, right
from tocco.rubrics import DIMENSIONS


def votes(n: int, rng: np.random.Generator, weights: np.ndarray, scale: float = 3.0) -> np.ndarray:
    """(n, D) differences, the better take first by these weights and some chance."""
    difference = drawn(n, rng) - drawn(n, rng)
    chance = 1.0 / (1.0 + np.exp(-difference @ weights / scale))
    return np.where(rng.uniform(size=n) < chance, 1.0, -1.0)[:, None] * difference


def test_no_votes_leave_the_default():
    found = fit_votes(DIMENSIONS, np.zeros((0, 10)))
    assert found.slopes.tolist() == default_weights(DIMENSIONS).tolist()
    assert found.offset == 0.0


def test_what_a_person_listens_for_is_found(rng):
    weights = np.zeros(10)
    weights[DIMENSIONS.index("rhythmic_precision")] = 1.0
    found = fit_votes(DIMENSIONS, votes(600, rng, weights))
    assert found.slopes[DIMENSIONS.index("rhythmic_precision")] > 0.5
    assert found.slopes.sum() == pytest.approx(1.0)
    assert (found.slopes >= 0.0).all()
    few = fit_votes(DIMENSIONS, votes(10, rng, weights))
    default = default_weights(DIMENSIONS)
    assert np.abs(few.slopes - default).sum() < 0.25 * np.abs(found.slopes - default).sum()


def test_votes_against_the_ratings_leave_the_default(rng):
    against = -votes(30, rng, default_weights(DIMENSIONS))
    found = fit_votes(DIMENSIONS, against)
    assert found.contradicted
    assert found.slopes.tolist() == default_weights(DIMENSIONS).tolist()


def test_the_gradient_is_that_of_the_loss(rng):
    difference, default = votes(20, rng, default_weights(DIMENSIONS)), default_weights(DIMENSIONS)
    at = np.concatenate((default + 0.02, [np.log(6.0)]))
    error = check_grad(
        lambda p: _loss(p, difference, default)[0], lambda p: _loss(p, difference, default)[1], at
    )
    assert error < 1e-3
    assert (VOTE_SCALE, VOTE_SCALE_LOG_SD) == (8.0, 0.5)


def test_weights_are_as_sure_as_the_votes_are_many(rng):
    default = default_weights(DIMENSIONS)
    sd = [np.trace(fit_votes(DIMENSIONS, votes(n, rng, default)).covariance) for n in (5, 50, 500)]
    assert sd == sorted(sd, reverse=True)


def test_a_tie_is_half_right():
    assert right(np.array([3.0, 0.0, 1e-12, -2.0])).tolist() == [1.0, 0.5, 0.5, 0.0]
