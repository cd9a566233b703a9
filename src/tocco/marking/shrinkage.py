"""Linear regression that is drawn to a default: the posterior mode under a normal prior.

The model is `target = design @ parameters + error`, with normal errors of one unknown standard deviation,
and a normal prior of the parameters around the default. Without data the default comes out, exactly; the more
and the more consistent the data, the less of it remains. Some parameters may not fall below 0. The standard
deviation of the errors maximises the marginal likelihood times its own prior (empirical Bayes: Gelman et al.,
Bayesian Data Analysis, 3rd ed. 2013, ch. 5 and 14). docs/calibration.md says what the numbers rest on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.units import BoolArray, FloatArray

NOISE_CENTRE: Final = 12.0
"""Points: the standard deviation of one person's mark around the best map, before any mark is seen. One step
of a five-step scale is 25 points, which alone gives 7; a rating errs by about 8 to 12."""

NOISE_LOG_SD: Final = 0.5
"""Of its logarithm: 4.5 to 32 points in 95 of 100 cases."""

_NOISE_GRID: Final = np.geomspace(NOISE_CENTRE / 6.0, NOISE_CENTRE * 4.0, 121)


@dataclass(frozen=True, eq=False)
class Prior:
    """What is held of the parameters before any data.

    Attributes
    ----------
    mean : (P,) the default
    covariance : (P, P) positive definite
    not_below_0 : (P,) which parameters may not fall below 0
    """

    mean: FloatArray
    covariance: FloatArray
    not_below_0: BoolArray


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is held of them after the data.

    Attributes
    ----------
    mode : (P,) most probable parameters
    covariance : (P, P) of the posterior without the bounds, which errs on the wide side
    noise_sd : points, of one mark around the map
    """

    mode: FloatArray
    covariance: FloatArray
    noise_sd: float


def posterior(design: FloatArray, target: FloatArray, prior: Prior) -> Posterior:
    """Combine the prior with data.

    Parameters
    ----------
    design : (N, P), N may be 0
    target : (N,) points
    prior
    """
    if not len(target):
        return Posterior(prior.mean, prior.covariance, NOISE_CENTRE)
    noise_sd = _noise_sd(design, target - design @ prior.mean, prior.covariance)
    precision = np.linalg.inv(prior.covariance)
    information = precision + design.T @ design / noise_sd**2
    mode = np.linalg.solve(information, precision @ prior.mean + design.T @ target / noise_sd**2)
    if (mode[prior.not_below_0] < 0.0).any():
        mode = _bounded_mode(information, mode, prior.not_below_0)
    return Posterior(mode, np.linalg.inv(information), noise_sd)


def _noise_sd(design: FloatArray, residual: FloatArray, covariance: FloatArray) -> float:
    """The most probable one of the grid, the parameters integrated out.

    The marginal covariance of the data is `design covariance design' + noise² I`. Its first part has rank P
    at most: along the singular vectors the variances are `s² + noise²`, in all other directions `noise²`.
    """
    vectors, values, _ = np.linalg.svd(design @ np.linalg.cholesky(covariance), full_matrices=False)
    along = (vectors.T @ residual) ** 2
    others, n_others = max(residual @ residual - along.sum(), 0.0), len(residual) - len(values)
    noise = _NOISE_GRID**2
    total = values**2 + noise[:, None]
    likelihood = -0.5 * (np.log(total) + along / total).sum(axis=1)
    likelihood -= 0.5 * (n_others * np.log(noise) + others / noise)
    held = -0.5 * (np.log(_NOISE_GRID / NOISE_CENTRE) / NOISE_LOG_SD) ** 2
    return float(_NOISE_GRID[np.argmax(likelihood + held)])


def _bounded_mode(information: FloatArray, free_mode: FloatArray, not_below_0: BoolArray) -> FloatArray:
    """The mode with the bounds: the nearest allowed point in the metric of the information matrix."""
    from scipy.optimize import lsq_linear

    root = np.linalg.cholesky(information).T
    lower = np.where(not_below_0, 0.0, -np.inf)
    found = lsq_linear(root, root @ free_mode, (lower, np.inf), method="bvls").x
    return np.where(not_below_0, np.maximum(found, 0.0), found)
