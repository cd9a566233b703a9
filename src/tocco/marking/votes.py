"""Weights of the aggregate from votes: of two takes the better one, by one person.

A vote says nothing of the level of a person's marks, and a map of one dimension changes no order; so votes
move the weights alone. Bradley and Terry's model over the weighted means of the ratings, with weights drawn
to the default as in `maps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from tocco.marking.maps import CONTRADICTION_LEVEL, MIN_TO_CONTRADICT, WEIGHT_SD, MarkMap, default_weights
from tocco.units import FloatArray

VOTE_SCALE: Final = 8.0
"""Points: a take that is 8 points better by the weighted mean wins 73 of 100 votes, before any is seen."""

VOTE_SCALE_LOG_SD: Final = 0.5
"""Of its logarithm: 3 to 21 points in 95 of 100 cases."""


def fit_votes(names: Sequence[str], difference: FloatArray) -> MarkMap:
    """The map whose weights agree best with votes; its offset is 0, and its slopes sum to 1.

    Parameters
    ----------
    names : (D,) dimensions
    difference : (N, D) ratings of the better take minus those of the other; N may be 0
    """
    default = default_weights(names)
    n = len(names)
    unknown = np.zeros((n + 1, n + 1))
    if _contradicts(difference @ default):
        return MarkMap(tuple(names), 0.0, default, default, unknown, 0.0, contradicted=True)
    weights, spread = _mode(difference, default)
    unknown[1:, 1:] = spread
    return MarkMap(tuple(names), 0.0, weights, default, unknown, 0.0)


def right(difference: FloatArray) -> FloatArray:
    """(N,) 1 for a vote that a mean agrees with, 0.5 for a tie, 0 otherwise.

    Parameters
    ----------
    difference : (N,) of the means
    """
    return 0.5 * (1.0 + np.sign(np.round(difference, 9)))


def _contradicts(difference: FloatArray) -> bool:
    """Whether the default order is right less often than by chance: a one-sided binomial test."""
    if len(difference) < MIN_TO_CONTRADICT:
        return False
    from scipy.special import bdtr

    agreed = float(np.floor(right(difference).sum()))
    return bool(bdtr(agreed, len(difference), 0.5) < CONTRADICTION_LEVEL)


def _mode(difference: FloatArray, default: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Weights that sum to 1, and their covariance by the curvature at the mode."""
    if not len(difference):
        return default, WEIGHT_SD**2 * np.eye(len(default))
    from scipy.optimize import minimize

    start = np.concatenate((default, [np.log(VOTE_SCALE)]))
    bounds = [(0.0, None)] * len(default) + [(np.log(VOTE_SCALE) - 3.0, np.log(VOTE_SCALE) + 3.0)]
    found = minimize(_loss, start, (difference, default), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights, scale = found[:-1], np.exp(found[-1])
    chance = _logistic(difference @ weights / scale)
    information = (difference.T * (chance * (1.0 - chance))) @ difference / scale**2
    information += np.eye(len(default)) / WEIGHT_SD**2
    total = weights.sum()
    # Shares are weights over their sum; the Jacobian of that carries the covariance over.
    jacobian = (np.eye(len(default)) - np.outer(weights / total, np.ones(len(default)))) / total
    return weights / total, jacobian @ np.linalg.inv(information) @ jacobian.T


def _loss(parameters: FloatArray, difference: FloatArray, default: FloatArray) -> tuple[float, FloatArray]:
    """Minus the logarithm of the posterior density, and its gradient."""
    weights, log_scale = parameters[:-1], parameters[-1]
    margin = difference @ weights / np.exp(log_scale)
    off, wide = (weights - default) / WEIGHT_SD, (log_scale - np.log(VOTE_SCALE)) / VOTE_SCALE_LOG_SD
    loss = np.logaddexp(0.0, -margin).sum() + 0.5 * (off @ off + wide**2)
    wrong = _logistic(-margin)
    slope = -(difference.T @ wrong) / np.exp(log_scale) + off / WEIGHT_SD
    return float(loss), np.concatenate((slope, [float(wrong @ margin) + wide / VOTE_SCALE_LOG_SD]))


def _logistic(value: FloatArray) -> FloatArray:
    from scipy.special import expit

    return expit(value)
